"""An arm's privacy certificate in a form to read. The value of a recorded seed is never shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.common.formatting import number
from lib.privacy.ledger import Event
from lib.report import cells
from lib.report.cells import Table
from lib.scorecard.names import display_name
from lib.stage.finished import FinishedStage


@dataclass(frozen=True)
class Certificate:
    """The facts of one arm's privacy.json.

    Attributes:
        name: the arm's display name.
        stage: its id.
        facts: titles and texts.
        events: a table of what touched the private records.
        against: why the arm may not be released.
    """

    name: str
    stage: str
    facts: Sequence[tuple[str, str]]
    events: Table
    against: Sequence[str]


def read(stages: Mapping[str, FinishedStage], scorecard: Mapping) -> list[Certificate]:
    """The certificates of the arms that have one.

    Args:
        stages: the finished stages of the run, by id.
        scorecard: whose arms they are.
    """
    arms = [str(arm["stage"]) for arm in scorecard.get("arms") or ()]
    return [
        _certificate(display_name(scorecard, arm), arm, stages[arm].read("privacy.json"))
        for arm in arms
        if arm in stages and stages[arm].has("privacy.json")
    ]


def _certificate(name: str, stage: str, statement: Mapping) -> Certificate:
    spent, target, accountant = statement["epsilon"], statement["target_epsilon"], statement["accountant"]
    facts = [
        ("epsilon spent", "no bound: not private" if spent is None else f"{spent:.6f}"),
        ("target", "none was set" if target is None else f"{target:g}"),
        ("delta", number(statement["delta"], 4)),
        ("neighbours", str(statement["neighbours"])),
        ("units, n", number(statement["units"])),
        ("accountant", ", ".join(str(accountant[key]) for key in ("method", "library") if key in accountant)),
        ("taken as public", ", ".join(map(str, statement["public"])) or "nothing"),
        ("made from", ", ".join(statement["ancestors"]) or "nothing else"),
    ]
    columns = [("Stage", ""), ("What touched the records", ""), ("Mechanism", ""), ("Batches", "realised sizes fit")]
    rows = [
        [
            cells.words(event["stage"]),
            cells.words(event["what"]),
            cells.words(*_mechanism(event)),
            cells.words(_checked(event)),
        ]
        for event in statement["events"]
    ]
    return Certificate(
        name, stage, facts, Table(f"Events of {name}", columns, rows), list(statement["not_for_release"])
    )


def _mechanism(event: Mapping) -> tuple[str, str]:
    """The kind of an event's mechanism, and its figures."""
    mechanism = Event.from_json(event).mechanism
    figures = {name.replace("_", " "): value for name, value in event["mechanism"].items() if name != "kind"}
    return mechanism.title + (", Poisson-sampled" if mechanism.poisson else ""), "; ".join(
        f"{name} {number(value, 5) if isinstance(value, float) else value}" for name, value in figures.items()
    )


def _checked(event: Mapping) -> str:
    return {True: "yes", False: "no", None: "not sampled"}[event.get("checked")]
