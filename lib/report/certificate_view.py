"""What an arm's certificate says, in a form to read. The value of a recorded seed is never shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.common.files import read_json
from lib.common.formatting import number
from lib.report import cells
from lib.report.cells import Table


@dataclass(frozen=True)
class Certificate:
    """The facts of one arm's privacy.json."""

    arm: str
    stage: str
    facts: Sequence[tuple[str, str]]
    events: Table
    against: Sequence[str]


def read(run_folder: Path, arms: Sequence[Mapping]) -> list[Certificate]:
    """The certificates of the arms that have one."""
    paths = {arm["name"]: (str(arm["stage"]), run_folder / str(arm["stage"]) / "privacy.json") for arm in arms}
    return [_told(name, stage, read_json(path)) for name, (stage, path) in paths.items() if path.is_file()]


def _told(arm: str, stage: str, statement: Mapping) -> Certificate:
    spent, target, accountant = statement["epsilon"], statement["target_epsilon"], statement["accountant"]
    facts = [
        ("epsilon spent", "no bound: not private" if spent is None else f"{spent:.6f}"),
        ("target", "none was set" if target is None else f"{target:g}"),
        ("delta", f"{statement['delta']:.4g}"),
        ("neighbours", str(statement["neighbours"])),
        ("units, n", f"{statement['units']:,}"),
        ("accountant", ", ".join(str(accountant[part]) for part in ("method", "library") if part in accountant)),
        ("taken as public", ", ".join(map(str, statement["public"])) or "nothing"),
        ("made from", ", ".join(statement["ancestors"]) or "nothing else"),
    ]
    columns = [("Stage", ""), ("What touched the records", ""), ("Mechanism", ""), ("Batches", "realised sizes fit")]
    rows = [
        [
            cells.words(event["stage"]),
            cells.words(event["what"]),
            cells.words(*_mechanism(event["mechanism"])),
            cells.words(_checked(event)),
        ]
        for event in statement["events"]
    ]
    return Certificate(arm, stage, facts, Table(f"Events of {arm}", columns, rows), list(statement["not_for_release"]))


def _mechanism(mechanism: Mapping) -> tuple[str, str]:
    titles = {"Gaussian": "Gaussian", "DiscreteGaussian": "discrete Gaussian", "NonPrivate": "none"}
    sampled = mechanism.get("sampling_probability", 1) != 1
    title = titles.get(mechanism["kind"], str(mechanism["kind"])) + (", Poisson-sampled" if sampled else "")
    parts = {name.replace("_", " "): value for name, value in mechanism.items() if name != "kind"}
    return title, "; ".join(
        f"{name} {number(value, 5) if isinstance(value, float) else value}" for name, value in parts.items()
    )


def _checked(event: Mapping) -> str:
    return {True: "yes", False: "no", None: "not sampled"}[event.get("checked")]
