"""The scorecard: every arm's privacy, fidelity, utility and cost, what differs for sure, and what is missing.

*Evaluation only*: most of its figures were computed from real text. `public` keeps what may be shown to anybody.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.evaluation import views
from lib.methods.registry import PROMPT_ONLY
from lib.privacy.ledger import inherit
from lib.scorecard import arm_summary, conclusions
from lib.scorecard import inputs as roles
from lib.scorecard.pairwise import Entrant, compare
from lib.scorecard.public import public
from lib.stage import finished

FORMAT = 1
GROUPS = ("fidelity", "utility")  # in this order everywhere
_ENCODERS = {"embeddings": "encoder", "voting encoder": "voting_encoder"}  # task of a row: its encoder's name in a file

__all__ = ["FORMAT", "GROUPS", "build", "entrants", "public", "read"]


def build(inputs: Mapping[str, Path]) -> dict[str, Any]:
    """The scorecard of the arms among ``inputs``: folders of finished stages of one run, by local name.

    Arms are known by their stage, not by their local name: a measuring stage may call them otherwise. What was not
    measured is named in ``missing``; the rest is compared. Raises DoppelError where nothing sound can be said: a stage
    not done or older than its inputs, different corpora, different floors.
    """
    known = roles.split({name: folder.name for name, folder in inputs.items()})
    run = finished.Run(inputs["corpus"].parent)
    corpus = run.stage(known.corpus)
    measures = {what: run.stage(id) for what, id in known.measures.items()}
    finished.check_one_corpus(corpus, [*map(run.stage, known.arms.values()), *measures.values()])
    described = [
        arm_summary.describe(name, run, id, corpus=corpus.id, audit=measures.get("audit"))
        for name, id in known.arms.items()
    ]
    card: dict[str, Any] = {
        "format": FORMAT,
        "run": run.folder.name,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "corpus": _corpus(corpus),
        "floor": _floor(measures, known.arms),
        "arms": described,
        "together": _together(run, described),
        "comparisons": [],
        "missing": _not_measured(measures, described),
    }
    for arm in described:
        arm["metrics"] = []
    compared = entrants(described)
    for group in GROUPS:
        if group in measures:
            rows, seen, left_out = _measured(group, measures[group], known.arms)
            for row in rows:
                next(arm for arm in described if arm["name"] == row["arm"])["metrics"].append(row)
            headline = dict.fromkeys((row["task"], row["metric"]) for row in rows if row["headline"])
            card["comparisons"] += compare(group, list(headline), seen, compared)
            card["missing"] += left_out
    card["answers"] = conclusions.tell(card, compared)
    return card


def read(path: Path) -> dict[str, Any]:
    """A scorecard in a stage's folder, or a file. Raises DoppelError for another format."""
    path = path / "scorecard.json" if path.is_dir() else path
    if not path.is_file():
        raise DoppelError(f"{path}: no scorecard; run notebook 30_compare of that run")
    card = read_json(path)
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise DoppelError(f"{path}: no scorecard of format {FORMAT}; run notebook 30_compare of that run again")
    return card


def entrants(described: Sequence[Mapping]) -> list[Entrant]:
    """What enters the comparison: each arm, or the replicas of one recipe under a common name."""
    by_recipe = defaultdict(list)
    for arm in described:
        by_recipe[arm["recipe"]].append(arm)
    named, taken = [], set()
    for same in by_recipe.values():
        names, target = tuple(arm["name"] for arm in same), same[0]["privacy"]["target_epsilon"]
        name = names[0]
        if len(same) > 1:
            name = same[0]["method"] + (f" at epsilon {target:g}" if target is not None else "")
            name = f"{name} ({names[0]})" if name in taken else name
        taken.add(name)
        named.append(Entrant(name, names))
    return named


def _corpus(corpus: finished.FinishedStage) -> dict[str, Any]:
    stated = corpus.read("privacy.json")
    return {"stage": corpus.id, "digest": finished.corpus_digest(corpus), "source": corpus.parameters["source"]} | {
        name: stated[name] for name in ("unit", "units", "delta", "neighbours")
    }


def _floor(measures: Mapping[str, finished.FinishedStage], named: Mapping[str, str]) -> str | None:
    """Our name of the floor, which must be one stage in all that measured."""
    floors = {
        measure.id: measure.inputs[measure.parameters["floor"]]
        for what, measure in measures.items()
        if what in GROUPS and measure.parameters.get("floor") is not None
    }
    if len(set(floors.values())) > 1:
        told = ", ".join(f"{id} has {floor}" for id, floor in floors.items())
        raise DoppelError(f"the floors differ: {told}; positions between floor and ceiling need one: set it equal")
    return next((name for name, id in named.items() if id in floors.values()), None)


def _together(run: finished.Run, described: Sequence[Mapping]) -> dict[str, Any] | None:
    """What the private arms spend, were all of them handed out: what several inherit counts once."""
    private = [arm for arm in described if arm["privacy"]["epsilon"] is not None]
    if not private:
        return None
    ledger = inherit([run.folder / arm["stage"] for arm in private])
    arm_summary = [arm["name"] for arm in private]
    return {"arms": arm_summary, "epsilon": ledger.epsilon, "delta": ledger.delta, "unit": ledger.unit}


def _not_measured(measures: Mapping[str, finished.FinishedStage], described: Sequence[Mapping]) -> list[dict[str, Any]]:
    """What no stage measured at all, and what each that did left out."""
    missing = []
    for notebook, what in roles.MEASURES.items():
        if what not in measures:
            missing.append({"arm": None, "what": what, "because": f"no stage of {notebook} among the inputs"})
            continue
        for arm in described:
            exempt = what == "audit" and arm["method"] == PROMPT_ONLY  # nothing private to find
            if not exempt and arm_summary.local_name(measures[what], arm["stage"]) is None:
                missing.append(
                    {"arm": arm["name"], "what": what, "because": f"it is not among the inputs of {measures[what].id}"}
                )
    machines = sorted({machine for arm in described for machine in arm["cost"]["machines"]})
    if len(machines) > 1:
        because = f"seconds were taken on different machines ({'; '.join(machines)}) and do not compare"
        missing.append({"arm": None, "what": "cost", "because": because})
    return missing


def _measured(
    group: str, measure: finished.FinishedStage, named: Mapping[str, str]
) -> tuple[list[dict], list[views.View], list[dict]]:
    """Rows and views of a measuring stage with arms by our names, and what cannot be compared."""
    ours = {arm_summary.local_name(measure, id): name for name, id in named.items()}
    ours.pop(None, None)
    ours[views.CEILING] = views.CEILING
    rows, missing, strangers = [], [], set()
    found = measure.read(f"{group}.json")
    for row in found["rows"]:
        if row["arm"] not in ours:
            strangers.add(row["arm"])
            continue
        row = {"group": group, **row, "arm": ours[row["arm"]], "headline": bool(row.get("headline"))}
        row["encoder"] = found.get(_ENCODERS.get(row["task"]))
        rows.append(row)
        if row["value"] is None:
            what = f"{group}: {row['task']}, {row['metric']}"
            missing.append({"arm": row["arm"], "what": what, "because": row["because"]})
    for name in sorted(strangers):
        because = f"{measure.id} measured {measure.inputs.get(name, name)}, which is not among the inputs"
        missing.append({"arm": None, "what": group, "because": because})
    seen = views.load(measure.folder) if (measure.folder / "views.json").is_file() else []
    renamed = [
        replace(view, estimates={ours[arm]: one for arm, one in view.estimates.items() if arm in ours}) for view in seen
    ]
    return rows, renamed, missing
