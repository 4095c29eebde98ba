"""The frontier: how near to real text an arm comes, for its epsilon and for its cost, in this run and in others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.common.errors import DoppelError, nearest
from lib.methods.registry import PROMPT_ONLY
from lib.scorecard import scorecard
from lib.stage.fingerprint import read_done
from lib.stage.stage import NAME


@dataclass(frozen=True)
class Point:
    """An arm in one headline metric. Position: 0 at the floor, 1 at the ceiling; ``epsilon`` None without privacy.

    Replicas share their ``recipe``.
    """

    run: str
    arm: str
    method: str
    recipe: str
    epsilon: float | None
    seconds: float
    tokens: int
    group: str
    task: str
    metric: str
    position: float
    low: float
    high: float


def points(card: Mapping[str, Any]) -> list[Point]:
    """The arms of a scorecard in every headline metric that can place them; the floor is a line, no point."""
    return list(_points(card))


def _points(card: Mapping[str, Any]) -> Iterator[Point]:
    for arm in card["arms"]:
        if arm["name"] == card["floor"] and arm["method"] == PROMPT_ONLY:
            continue
        cost = arm["cost"]
        about = [card["run"], *(arm[name] for name in ("name", "method", "recipe")), arm["privacy"]["epsilon"]]
        about += [cost["seconds"], cost["tokens"]]
        for row in arm["metrics"]:
            if row["headline"] and row["position"] is not None:
                place = (row["position"], row["position_low"], row["position_high"])
                yield Point(*about, row["group"], row["task"], row["metric"], *place)


def unplaced(card: Mapping[str, Any]) -> dict[str, str]:
    """Headline metrics that place no arm, with the reason: they are in no frontier."""
    rows = [row for arm in card["arms"] for row in arm["metrics"] if row["headline"]]
    placed = {(row["task"], row["metric"]) for row in rows if row["position"] is not None}
    return {
        f"{row['task']}, {row['metric']}": row["because"] for row in rows if (row["task"], row["metric"]) not in placed
    }


def check_run(name: str, known: Sequence[str]) -> None:
    """Refuse a name that is no run's."""
    if not NAME.fullmatch(name) or name not in known:
        raise DoppelError(f"no run {name!r} in results; {nearest(name, known)}")


def found_in(results: Path, run: str) -> list[Path]:
    """Scorecards of a run, by stage. Raises DoppelError for a run that is not there or has none."""
    check_run(run, [folder.name for folder in results.glob("*") if folder.is_dir()])
    found = sorted(path for path in (results / run).glob("30_compare*/scorecard.json") if read_done(path.parent))
    if not found:
        raise DoppelError(f"run {run!r} has no scorecard; run notebook 30_compare of that run")
    return found


def refusal(card: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Why another run's scorecard may not stand beside this one, or None."""
    for name in ("digest", "unit", "units", "delta"):
        if card["corpus"][name] != other["corpus"][name]:
            what = "its private records are others" if name == "digest" else f"its {name} is {other['corpus'][name]}"
            return f"run {other['run']} is left out: {what}, and figures for different corpora cannot be compared"
    return None


def gather(card: Mapping[str, Any], paths: Sequence[Path]) -> tuple[list[Point], list[str]]:
    """Points of this scorecard and of those of other runs on the same corpus, and why others are left out."""
    gathered, refused = points(card), []
    for path in paths:
        other = scorecard.read(path) | {"run": path.parents[1].name}  # a copied run does not know its name
        if why := refusal(card, other):
            refused.append(why)
        else:
            gathered += points(other)
    return gathered, refused
