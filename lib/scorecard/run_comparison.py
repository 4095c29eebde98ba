"""Runs side by side: what differs in their parameters, their metrics, and what they spend together on one source."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lib.common import formatting
from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.privacy.accounting import epsilon
from lib.privacy.ledger import Event, read
from lib.scorecard import frontier, scorecard
from lib.stage import fingerprint
from lib.stage.finished import FinishedStage, Run
from lib.stage.notebook_roles import COMPARES, MEASURES
from lib.stage.stage import NAME

_ABSENT = "-"


@dataclass(frozen=True)
class RunFacts:
    """What is in ``results/RUN``: finished stages, the scorecard, and what keeps the run from being compared.

    Attributes:
        name: the run's.
        stages: those that are done, by id.
        half_done: the stages that its last start named and that are not done.
        card: its scorecard, if it may be shown.
        refused: why there is no such scorecard.
    """

    name: str
    stages: Mapping[str, FinishedStage]
    half_done: Sequence[str]
    card: Mapping[str, Any] | None
    refused: str | None = None


def gather(results: Path, names: Sequence[str] = ()) -> list[RunFacts]:
    """The facts of runs.

    Args:
        results: the folder of all runs.
        names: the runs to read; none for all.

    Raises:
        DoppelError: a name is no run's, or there is no run.
    """
    known = sorted(folder.name for folder in results.glob("*") if folder.is_dir() and NAME.fullmatch(folder.name))
    for name in names:
        frontier.check_run(name, known)
    if not known:
        raise DoppelError("scorecard.no_run", f"{results.name}: has no run yet", remedy="start one with ./run_all.sh")
    return [_facts(Run(results / name)) for name in dict.fromkeys(names or known)]


def _facts(run: Run) -> RunFacts:
    stages = run.finished()
    chain = run.folder / "chain.json"
    if chain.is_file():
        wanted = {*read_json(chain)["stages"]}
    else:
        wanted = {folder.name for folder in run.folder.iterdir() if folder.is_dir()}
    half_done = sorted(name for name in wanted - stages.keys() if not name.startswith("."))
    try:
        return RunFacts(run.name, stages, half_done, _sound_card(run, half_done))
    except DoppelError as error:
        return RunFacts(run.name, stages, half_done, None, str(error))


def _sound_card(run: Run, half_done: Sequence[str]) -> dict[str, Any]:
    """The run's scorecard, if everything it was made from is unchanged."""
    stages = [stage.id for stage in run.finished(COMPARES).values() if stage.has(scorecard.FILE)]
    if not stages:
        reason = f"half done: {', '.join(half_done)} not done" if half_done else "it has no scorecard"
        raise DoppelError(
            "scorecard.run_without_scorecard",
            reason,
            name="run",
            value=run.name,
            remedy=f"run its preset again, with notebook {COMPARES} in it",
        )
    return scorecard.read(run.stage(stages[0]))  # `stage` refuses one that is older than what it was made from


def comparable(runs: Sequence[RunFacts]) -> tuple[list[RunFacts], dict[str, str]]:
    """Runs whose figures may be shown side by side: those on the corpus that most runs share, the first among equals.

    Args:
        runs: of `gather`.

    Returns:
        These runs, and by name the reason for each other run.
    """
    left_out = {run.name: run.refused for run in runs if run.refused}
    carded = [run for run in runs if run.card]
    if not carded:
        return [], left_out
    same = max(
        ([other for other in carded if frontier.refusal(run.card, other.card) is None] for run in carded), key=len
    )
    left_out |= {run.name: str(frontier.refusal(same[0].card, run.card)) for run in carded if run not in same}
    return same, left_out


def parameters(runs: Sequence[RunFacts]) -> pd.DataFrame:
    """Parameters that differ: a row for each stage and parameter, a column for each run, ``-`` where there is no stage.

    Args:
        runs: of `gather`.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for run in runs:
        for stage in run.stages.values():
            for name, value in [("(the stage)", "done"), *_flat(stage.parameters)]:
                rows.setdefault((stage.id, name), {})[run.name] = value
    columns = [run.name for run in runs]
    known = {stage: {run.name for run in runs if stage in run.stages} for stage, _ in rows}
    differing = {
        (stage, name): [row.get(run, _ABSENT) for run in columns]
        for (stage, name), row in rows.items()
        if (known[stage] != {*columns} if name == "(the stage)" else len({row.get(run) for run in known[stage]}) > 1)
    }
    index = pd.MultiIndex.from_tuples(differing, names=["stage", "parameter"]) if differing else None
    return pd.DataFrame(list(differing.values()), index=index, columns=columns)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        elif prefix or name not in fingerprint.NOT_COUNTED:
            yield f"{prefix}{name}", json.dumps(value)


def side_by_side(cards: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Headline metrics, privacy and cost: a row for each figure of an arm, a column for each run.

    Args:
        cards: scorecards on one corpus. A metric on another number of records has a row of its own.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for card in cards:
        for arm in card["arms"]:
            for figure, text in _figures(arm):
                rows.setdefault((figure, arm["stage"]), {})[card["run"]] = text
    columns = [card["run"] for card in cards]
    order = list(dict.fromkeys(figure for figure, _ in rows))
    ordered = sorted(rows, key=lambda row: order.index(row[0]))
    index = pd.MultiIndex.from_tuples(ordered, names=["figure", "arm"])
    return pd.DataFrame([[rows[row].get(run, _ABSENT) for run in columns] for row in ordered], index, columns)


def _figures(arm: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    cost = arm["cost"]
    yield "epsilon spent", formatting.epsilon(arm["privacy"]["epsilon"])
    yield "seconds", formatting.number(round(cost["seconds"]))
    yield "tokens", formatting.number(cost["tokens"])
    if cost["money"] is not None:
        yield "money", formatting.dollars(cost["money"])
    for row in arm["metrics"]:
        if row["headline"] and row["value"] is not None:
            text = formatting.interval(row["value"], row["value_low"], row["value_high"])
            yield f"{row['task']}, {row['metric']} (n = {row['n']})", text


def spent_together(runs: Sequence[RunFacts]) -> pd.DataFrame:
    """Epsilon of everything that runs made from one source, composed: a row for each source and unit.

    A stage that was copied from run to run is one release; a stage that ran again drew new noise and counts again.
    Stages without privacy are counted in a column of their own; none of them may be released.

    Args:
        runs: of `gather`.
    """
    spent: dict[tuple[str, str], dict[tuple[str, str], tuple[float, list[Event]]]] = {}
    unbounded: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for run in runs:
        for stage in run.stages.values():
            corpus = stage
            while corpus is not None and "corpus" in corpus.inputs:  # of scrubbed records: the original
                corpus = run.stages.get(corpus.inputs["corpus"])
            if corpus is None or "source" not in corpus.parameters or stage.notebook in MEASURES:
                continue  # measures are for whoever holds the data: they release nothing
            ledger = read(stage.folder)
            key = (str(corpus.parameters["source"]), ledger.unit)
            own = [event for event in ledger.events if event.stage == stage.id]
            private = [event for event in own if not event.mechanism.unbounded]
            if private:
                spent.setdefault(key, {})[stage.id, stage.digest] = (ledger.delta, private)
            if len(own) > len(private):
                unbounded[key].add((stage.id, stage.digest))
    return pd.DataFrame(
        {
            "source": source,
            "unit": unit,
            "releases": len(releases),
            "epsilon": _composed(releases.values()),
            "delta": min(delta for delta, _ in releases.values()),
            "not private": len(unbounded[source, unit]),
        }
        for (source, unit), releases in spent.items()
    )


def _composed(releases: Sequence[tuple[float, list[Event]]]) -> float:
    """Epsilon of all releases, at the smallest delta that any of them states."""
    mechanisms = [event.mechanism for _, events in releases for event in events]
    return epsilon(mechanisms, delta=min(delta for delta, _ in releases))


def sections(runs: Sequence[RunFacts], same: Sequence[RunFacts]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Titles and tables of the comparison, in the order in which they are shown.

    Args:
        runs: of `gather`.
        same: those of them whose figures may be shown side by side.
    """
    rows = [(run.name, len(run.stages), ", ".join(run.half_done) or _ABSENT) for run in runs]
    yield "Runs", pd.DataFrame(rows, columns=["run", "stages done", "not done"]).set_index("run")
    yield "Parameters that differ", parameters(runs)
    if same:
        yield "Figures (evaluation only: computed from real text)", side_by_side([run.card for run in same])
    yield "Combined epsilon if everything were released", spent_together(runs)
