"""Runs side by side: what differs in their parameters, their metrics, and what they spend together on one source."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.privacy.accounting import NonPrivate, epsilon
from lib.privacy.ledger import Event, read
from lib.scorecard import frontier, inputs, scorecard
from lib.stage import fingerprint
from lib.stage import finished as lineage
from lib.stage.stage import NAME

_ABSENT = "-"


@dataclass(frozen=True)
class RunFacts:
    """What lies in ``results/RUN``: the stages that are done, its scorecards, and what keeps it from being compared.

    ``half_done`` are the stages that its last start named and that are not done; ``refused`` says why the run has no
    scorecard that could be shown.
    """

    name: str
    stages: Mapping[str, lineage.FinishedStage]
    half_done: Sequence[str]
    card: Mapping[str, Any] | None
    refused: str | None = field(default=None)


def gather(results: Path, names: Sequence[str] = ()) -> list[RunFacts]:
    """The named runs, or all. Raises DoppelError for a name that is no run."""
    known = sorted(folder.name for folder in results.glob("*") if folder.is_dir() and NAME.fullmatch(folder.name))
    for name in names:
        frontier.check_run(name, known)
    if not known:
        raise DoppelError(f"{results.name}: holds no run yet; start one with ./run_all.sh")
    return [_facts(results / name) for name in dict.fromkeys(names or known)]


def _facts(folder: Path) -> RunFacts:
    done = {one.parent.name for one in folder.glob(f"*/{fingerprint.DONE}") if fingerprint.read_done(one.parent)}
    stages = {id: lineage.read_stage(folder / id) for id in sorted(done)}
    chain = folder / "chain.json"
    wanted = (
        {*read_json(chain)["stages"]} if chain.is_file() else {one.name for one in folder.iterdir() if one.is_dir()}
    )
    half_done = sorted(name for name in wanted - done if not name.startswith("."))
    card, refused = None, None
    try:
        card = _sound_card(folder, half_done)
    except DoppelError as error:
        refused = str(error)
    return RunFacts(folder.name, stages, half_done, card, refused)


def _sound_card(folder: Path, half_done: Sequence[str]) -> Mapping[str, Any]:
    """The run's scorecard, if all that it was made from is still what it was."""
    stages = sorted(one.parent.name for one in folder.glob("30_compare*/scorecard.json"))
    finished = [id for id in stages if fingerprint.read_done(folder / id)]
    if not finished:
        told = f"half done: {', '.join(half_done)} not done" if half_done else "it has no scorecard"
        raise DoppelError(f"{told}; run its preset again, with notebook 30_compare in it")
    lineage.Run(folder).stage(finished[0])  # refuses a scorecard that is older than what it was made from
    return dict(scorecard.read(folder / finished[0])) | {"run": folder.name}  # which a copied run does not know


def comparable(found: Sequence[RunFacts]) -> tuple[list[RunFacts], dict[str, str]]:
    """Runs whose figures may stand side by side, and the reason for each that may not.

    The corpus is the one that most runs share, the first named among equals.
    """
    left_out = {one.name: one.refused for one in found if one.refused}
    carded = [one for one in found if one.card]
    if not carded:
        return [], left_out
    same = max(
        ([other for other in carded if frontier.refusal(one.card, other.card) is None] for one in carded), key=len
    )
    left_out |= {one.name: str(frontier.refusal(same[0].card, one.card)) for one in carded if one not in same}
    return same, left_out


def parameters(found: Sequence[RunFacts]) -> pd.DataFrame:
    """Parameters that differ: a row a stage and parameter, a column a run; ``-`` where the stage is not there."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for one in found:
        for id, stage in one.stages.items():
            for name, value in [("(the stage)", "done"), *_flat(stage.parameters)]:
                rows.setdefault((id, name), {})[one.name] = value
    columns = [one.name for one in found]
    known = {id: {one.name for one in found if id in one.stages} for id, _ in rows}
    differing = {
        (id, name): [row.get(run, _ABSENT) for run in columns]
        for (id, name), row in rows.items()
        if (known[id] != {*columns} if name == "(the stage)" else len({row.get(run) for run in known[id]}) > 1)
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
    """Headline metrics, privacy and cost: a row an arm's figure, a column a run. Other n are rows of their own."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for card in cards:
        for arm in card["arms"]:
            for what, told in _figures(arm):
                rows.setdefault((what, arm["stage"]), {})[card["run"]] = told
    columns = [card["run"] for card in cards]
    ordered = sorted(rows, key=lambda key: list(dict.fromkeys(what for what, _ in rows)).index(key[0]))
    index = pd.MultiIndex.from_tuples(ordered, names=["figure", "arm"])
    return pd.DataFrame([[rows[key].get(run, _ABSENT) for run in columns] for key in ordered], index, columns)


def _figures(arm: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    privacy, cost = arm["privacy"], arm["cost"]
    yield "epsilon spent", "not private" if privacy["epsilon"] is None else f"{privacy['epsilon']:.3f}"
    yield "seconds", f"{cost['seconds']:,.0f}"
    yield "tokens", f"{cost['tokens']:,}"
    if cost["money"] is not None:
        yield "dollars", f"{cost['money']:.2f}"
    for row in arm["metrics"]:
        if row["headline"] and row["value"] is not None:
            told = f"{row['value']:.3g} [{row['value_low']:.3g}, {row['value_high']:.3g}]"
            yield f"{row['task']}, {row['metric']} (n = {row['n']})", told


def spent_together(found: Sequence[RunFacts]) -> pd.DataFrame:
    """Epsilon of everything that runs released from one source, composed: a row a source and unit.

    A stage that was copied from run to run is one release; one that ran again drew new noise and counts again. Stages
    without privacy are not in it: they are counted beside it, and none of them may be handed out.
    """
    spent: dict[tuple[str, str], dict[tuple[str, str], tuple[float, list[Event]]]] = {}
    unbounded: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for one in found:
        for id, stage in one.stages.items():
            corpus = one.stages.get(stage.inputs.get("corpus", id))
            if corpus is None or "source" not in corpus.parameters or stage.notebook in inputs.MEASURES:
                continue  # measures are for whoever holds the data: they release nothing
            ledger = read(stage.folder)
            key = (str(corpus.parameters["source"]), ledger.unit)
            mine = [event for event in ledger.events if event.stage == id]
            private = [event for event in mine if not isinstance(event.mechanism, NonPrivate)]
            if private:
                spent.setdefault(key, {})[id, stage.digest] = (ledger.delta, private)
            if len(mine) > len(private):
                unbounded[key].add((id, stage.digest))
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
    """At the smallest delta that any release states."""
    mechanisms = [event.mechanism for _, events in releases for event in events]
    return epsilon(mechanisms, delta=min(delta for delta, _ in releases))


def sections(found: Sequence[RunFacts], same: Sequence[RunFacts]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Titles and tables, in the order in which they are told; ``same`` are the runs whose figures compare."""
    rows = [(one.name, len(one.stages), ", ".join(one.half_done) or _ABSENT) for one in found]
    yield "Runs", pd.DataFrame(rows, columns=["run", "stages done", "not done"]).set_index("run")
    yield "Parameters that differ", parameters(found)
    if same:
        yield "Figures (evaluation only: computed from real text)", side_by_side([one.card for one in same])
    yield "Spent together, were all of it handed out", spent_together(found)
