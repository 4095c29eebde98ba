"""The scorecard: every arm's privacy, fidelity, utility and cost, the differences that hold, and what is missing.

Format 2: an arm is its stage id in every row, and ``names`` has the display names. *Evaluation only*: most of its
figures were computed from real text. `public` keeps what may be shown to anybody.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lib.common.errors import DoppelError
from lib.methods import registry
from lib.privacy.ledger import Ledger, inherit
from lib.privacy.neighbours import NO_UNIT
from lib.scorecard import arm_summary, conclusions, inputs, measures, names, pairwise
from lib.scorecard.inputs import Roles
from lib.scorecard.public import public
from lib.stage import finished
from lib.stage.finished import FinishedStage, Run
from lib.stage.notebook_roles import MEASURES
from lib.stage.original import original, parameters

FORMAT = 2
GROUPS = ("fidelity", "utility")  # in this order everywhere
FILE = "scorecard.json"
_STATED = ("unit", "units", "delta", "neighbours")  # of a corpus, as its privacy.json has them

__all__ = ["FILE", "FORMAT", "GROUPS", "build", "public", "read"]


def build(run: Run, given: Mapping[str, str]) -> dict[str, Any]:
    """The scorecard of a run. What was not measured is listed in ``missing``; the rest is compared.

    Args:
        run: whose stages are compared.
        given: ids of finished stages by local name: the corpus, the arms, and the stages that measured them.

    Raises:
        DoppelError: a stage is not done or older than its inputs, or the stages had different corpora or floors.
    """
    roles = inputs.split(given)
    stages = {role: run.stage(stage) for role, stage in roles.measures.items()}
    corpus = _corpus(run, roles, stages)
    audit = measures.audited(stages["audit"]) if "audit" in stages else None
    arms = [arm_summary.describe(run, arm, corpus=roles.corpus, audit=audit) for arm in roles.arms.values()]
    entrants = pairwise.entrants(arms)
    card: dict[str, Any] = {
        "format": FORMAT,
        "run": run.name,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "corpus": corpus,
        "names": names.choose(roles.arms, arms, entrants),
        "floor": _floor(stages, roles.arms.values()),
        "arms": [arm | {"metrics": []} for arm in arms],
        "together": _together(run, arms),
        "by_size": [],
        "comparisons": [],
        "pairs": [],
        "missing": _not_measured(stages, arms) if roles.corpus else [],
    }
    for group in GROUPS:
        if group in stages:
            _add_group(card, group, stages[group], entrants)
    card["pairs"] = pairwise.verdicts(card["comparisons"])
    card["answers"] = conclusions.answers(card, entrants)
    return card


def _add_group(card: dict[str, Any], group: str, stage: FinishedStage, entrants: Sequence[pairwise.Entrant]) -> None:
    """Add metrics, comparisons, and what is missing of a group."""
    measured = measures.measured(group, stage)
    by_arm = {arm["stage"]: arm["metrics"] for arm in card["arms"]}
    rows = [row for row in measured.rows if row["arm"] in by_arm]
    for row in rows:
        by_arm[row["arm"]].append(row)
        if row["value"] is None:
            lacking = f"{group}: {row['task']}, {row['metric']}"
            card["missing"].append({"arm": row["arm"], "what": lacking, "because": row["because"]})
    for arm in sorted({row["arm"] for row in measured.rows} - by_arm.keys()):
        because = f"{stage.id} measured {arm}, which is not among the inputs"
        card["missing"].append({"arm": None, "what": group, "because": because})
    card["by_size"] += [row for row in measured.by_size if row["arm"] is None or row["arm"] in by_arm]
    headline = dict.fromkeys((row["task"], row["metric"]) for row in rows if row["headline"])
    card["comparisons"] += pairwise.compare(group, list(headline), measured.views, entrants)


def read(stage: FinishedStage) -> dict[str, Any]:
    """The scorecard that a stage wrote, with the name that its run has now: a copied run does not know its own.

    Args:
        stage: of 30_compare.

    Raises:
        DoppelError: it has no scorecard, or one of another format.
    """
    again = "run notebook 30_compare of that run again"
    if not stage.has(FILE):
        raise DoppelError(
            "scorecard.absent", f"{stage.id} of run {stage.folder.parent.name} has no scorecard", remedy=again
        )
    card = stage.read(FILE)
    known = card.get("format") if isinstance(card, dict) else None
    if known != FORMAT:
        raise DoppelError(
            "scorecard.other_format",
            f"{stage.id} of run {stage.folder.parent.name} has a scorecard of format {known}, this code reads {FORMAT}",
            name="format",
            value=known,
            remedy=again,
        )
    return card | {"run": stage.folder.parent.name}


def _corpus(run: Run, roles: Roles, stages: Mapping[str, FinishedStage]) -> dict[str, Any]:
    """What is told about the corpus that all stages must have read; a corpus of nobody, where no arm read any."""
    arms = [run.stage(arm) for arm in roles.arms.values()]
    if roles.corpus is None:
        if any(arm.read("privacy.json")["unit"] != NO_UNIT for arm in arms):
            raise inputs.no_corpus()
        nobody = {name: value for name, value in Ledger(NO_UNIT, 0).statement("").items() if name in _STATED}
        return {"stage": None, "digest": None, "source": None} | nobody
    corpus = run.stage(roles.corpus)
    finished.check_one_corpus(corpus, [*arms, *stages.values()])
    stated = corpus.read("privacy.json")
    source = parameters(original(corpus.folder))["source"]
    return {"stage": corpus.id, "digest": finished.corpus_digest(corpus), "source": source} | {
        name: stated[name] for name in _STATED
    }


def _floor(stages: Mapping[str, FinishedStage], arms: Sequence[str]) -> str | None:
    """The floor of all stages that measured, if it is among the arms."""
    floors = {
        stage.id: stage.stage_of(stage.parameters["floor"])
        for role, stage in stages.items()
        if role in GROUPS and stage.parameters.get("floor") is not None
    }
    if len(set(floors.values())) > 1:
        used = ", ".join(f"{stage} used {floor}" for stage, floor in floors.items())
        raise DoppelError(
            "scorecard.floors_differ",
            f"the floors differ: {used}; a position between floor and ceiling needs a common floor",
            name="floor",
            remedy="set the same floor in both and run them again",
        )
    return next((arm for arm in arms if arm in floors.values()), None)


def _together(run: Run, arms: Sequence[Mapping]) -> dict[str, Any] | None:
    """What the private arms spend if all of them are released: what several inherit counts once."""
    private = [
        arm["stage"] for arm in arms if arm["privacy"]["epsilon"] is not None and arm["privacy"]["unit"] != NO_UNIT
    ]
    if not private:
        return None
    ledger = inherit([run.folder / arm for arm in private])
    return {"arms": private, "epsilon": ledger.epsilon, "delta": ledger.delta, "unit": ledger.unit}


def _not_measured(stages: Mapping[str, FinishedStage], arms: Sequence[Mapping]) -> list[dict[str, Any]]:
    """What no stage measured at all, and the arms that a stage left out."""
    missing = []
    for role in dict.fromkeys(MEASURES.values()):
        if role not in stages:
            notebooks = " or ".join(notebook for notebook, measured in MEASURES.items() if measured == role)
            missing.append({"arm": None, "what": role, "because": f"no stage of {notebooks} among the inputs"})
            continue
        for arm in arms:
            exempt = role == "audit" and registry.titled(arm["method"]).audit is None  # it has nothing private to leak
            if not exempt and arm["stage"] not in stages[role].inputs.values():
                because = f"it is not among the inputs of {stages[role].id}"
                missing.append({"arm": arm["stage"], "what": role, "because": because})
    machines = sorted({machine for arm in arms for machine in arm["cost"]["machines"]})
    if len(machines) > 1:
        because = f"times were taken on different machines ({'; '.join(machines)}) and cannot be compared"
        missing.append({"arm": None, "what": "cost", "because": because})
    return missing
