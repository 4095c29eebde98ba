"""The frontier: how close to real text an arm comes, for its epsilon and for its cost, in this run and in others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.common.errors import DoppelError, nearest
from lib.methods.registry import titled
from lib.scorecard import scorecard
from lib.stage.finished import FinishedStage, Run
from lib.stage.notebook_roles import COMPARES
from lib.stage.stage import NAME


@dataclass(frozen=True)
class Point:
    """An arm in one headline metric.

    Attributes:
        run: its name.
        arm: stage id.
        method: title of its method.
        recipe: shared by replicas.
        epsilon: spent; None without privacy.
        seconds: of the arm and everything it was made from, the corpus aside.
        tokens: read in training or written, in the same stages.
        group: ``fidelity`` or ``utility``.
        task: of the metric.
        metric: its name.
        position: 0 at the floor, 1 at the ceiling.
        low: lower end of the position's 95% interval.
        high: upper end.
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
    """The arms of a scorecard in every headline metric that can place them. The floor is drawn as a line, not a point.

    Args:
        card: a scorecard.
    """
    return list(_points(card))


def _points(card: Mapping[str, Any]) -> Iterator[Point]:
    for arm in card["arms"]:
        if arm["stage"] == card["floor"] and titled(arm["method"]).spends is None:
            continue
        cost = arm["cost"]
        about = [card["run"], *(arm[name] for name in ("stage", "method", "recipe")), arm["privacy"]["epsilon"]]
        about += [cost["seconds"], cost["tokens"]]
        for row in arm["metrics"]:
            if row["headline"] and row["position"] is not None:
                place = (row["position"], row["position_low"], row["position_high"])
                yield Point(*about, row["group"], row["task"], row["metric"], *place)


def unplaced(card: Mapping[str, Any]) -> dict[str, str]:
    """Headline metrics that place no arm and so are in no frontier, each with the reason.

    Args:
        card: a scorecard.
    """
    rows = [row for arm in card["arms"] for row in arm["metrics"] if row["headline"]]
    placed = {(row["task"], row["metric"]) for row in rows if row["position"] is not None}
    return {
        f"{row['task']}, {row['metric']}": row["because"] for row in rows if (row["task"], row["metric"]) not in placed
    }


def check_run(name: str, known: Sequence[str]) -> None:
    """Refuse a name that no run has.

    Args:
        name: given by the user.
        known: names of the runs in results.
    """
    if not NAME.fullmatch(name) or name not in known:
        raise DoppelError(
            "scorecard.unknown_run", f"no run {name!r} in results", name="run", value=name, remedy=nearest(name, known)
        )


def found_in(results: Path, run: str) -> list[FinishedStage]:
    """The stages of a run that wrote a scorecard.

    Args:
        results: the folder of all runs.
        run: a name.

    Raises:
        DoppelError: there is no such run, or it has no scorecard.
    """
    check_run(run, [folder.name for folder in results.glob("*") if folder.is_dir()])
    stages = Run(results / run).finished(COMPARES).values()
    compared = [stage for stage in stages if stage.has(scorecard.FILE)]
    if not compared:
        raise DoppelError(
            "scorecard.run_without_scorecard",
            f"run {run!r} has no scorecard",
            name="run",
            value=run,
            remedy=f"run notebook {COMPARES} of that run",
        )
    return compared


def refusal(card: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Why another run's scorecard may not be shown beside this one, or None.

    Args:
        card: this scorecard.
        other: that of the other run.
    """
    for name in ("digest", "unit", "units", "delta"):
        if card["corpus"][name] != other["corpus"][name]:
            mine, theirs = card["corpus"][name], other["corpus"][name]
            why = "its private records differ" if name == "digest" else f"its {name} is {theirs}, not {mine}"
            return f"run {other['run']} is left out: {why}; figures for different corpora cannot be compared"
    return None


def gather(card: Mapping[str, Any], others: Sequence[FinishedStage]) -> tuple[list[Point], list[str]]:
    """Points of this scorecard and of those of other runs on the same corpus, and why other scorecards are left out.

    Args:
        card: this scorecard.
        others: stages that wrote the other ones.
    """
    gathered, refused = points(card), []
    for stage in others:
        other = scorecard.read(stage)
        if reason := refusal(card, other):
            refused.append(reason)
        else:
            gathered += points(other)
    return gathered, refused
