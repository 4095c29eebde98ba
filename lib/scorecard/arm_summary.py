"""An arm's entry in the scorecard, its metrics aside: method, model, privacy spent, audit, copies, and cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.generation.engines.names import is_remote
from lib.methods import registry
from lib.privacy import ledger
from lib.privacy.budget_account import account_of
from lib.privacy.guarantee import guarantee
from lib.privacy.neighbours import NO_UNIT, neighbours
from lib.scorecard.measures import Audited
from lib.stage.finished import FinishedStage, Run
from lib.stage.notebook_roles import AUDIT

SIDES = {"train": "train", "test": "held_out"}  # the sides' names in 20_canary_privacy and in the scorecard


def describe(run: Run, stage: str, *, corpus: str | None, audit: Audited | None) -> dict[str, Any]:
    """The entry of an arm.

    Args:
        run: that the arm is part of.
        stage: the arm's id.
        corpus: the corpus stage's id; what the corpus cost is shared, so it is not counted. None where there is none.
        audit: of the run; None where it is not among the inputs.
    """
    arm = run.stage(stage)
    statement, described = arm.read("privacy.json"), registry.describe(run, arm)
    kept = ("epsilon", "target_epsilon", "delta", "unit", "not_for_release")
    return {
        "stage": stage,
        "method": described.title,
        "model": described.model,
        "seed": arm.parameters.get("seed"),
        "recipe": run.recipe(stage),
        "records": arm.read("metrics.json").get("records"),
        "privacy": {key: statement[key] for key in kept}
        | {"released": _released(statement, corpus and run.stage(corpus).folder)}
        | {"audit": _audit(statement, audit), "copies": _copies(arm, audit)},
        "cost": _cost(run.lineage(stage, without=corpus)),
    }


def _released(statement: Mapping, corpus: Path | None) -> dict[str, Any] | None:
    """The epsilon that handing the arm out costs, and what it covers; None for an arm that is not private."""
    if statement["epsilon"] is None:
        return None
    charges = account_of(corpus).read()[1] if corpus else []
    whole = guarantee(ledger.from_statement(statement), charges)
    return {"epsilon": whole.epsilon, "covers": whole.covers, "charges": whole.charges}


def _cost(stages: Sequence[FinishedStage]) -> dict[str, Any]:
    """Of a stage and its ancestors without the corpus, which all arms share. A resumed stage counts its last attempt.

    ``tokens`` were read in training or written; ``money`` in dollars where a model behind an endpoint was paid.
    """
    provenance = {stage.id: stage.read("provenance.json") for stage in stages}
    metrics = {stage.id: stage.read("metrics.json") for stage in stages}
    paid = [stage.id for stage in stages if is_remote(str(stage.parameters.get("model")))]
    return {
        "seconds": round(sum(record["seconds"] for record in provenance.values()), 1),
        "tokens": sum(values.get("tokens", 0) for values in metrics.values()),
        "peak_memory_mb": max(record["peak_memory_mb"] for record in provenance.values()),
        "money": sum(metrics[stage].get("cost", 0.0) for stage in paid) if paid else None,
        "by_stage": {stage: record["seconds"] for stage, record in provenance.items()},
        "machines": sorted({_machine(record["machine"]) for record in provenance.values()}),
    }


def _machine(machine: Mapping[str, Any]) -> str:
    cards = [card["name"] for card in machine.get("gpus", ())]
    accelerators = f", {len(cards)} x {cards[0]}" if cards else ""
    return f"{machine['cpu']}, {machine['cores']} cores{accelerators}"


def _audit(statement: Mapping, audit: Audited | None) -> dict[str, Any]:
    """The verdict, and of the arm's accesses the one whose bound is the largest share of its claim."""
    arm = statement["stage"]
    if statement["unit"] == NO_UNIT:
        return {"because": neighbours(NO_UNIT)}
    if audit is None:
        return {"because": f"no stage of {AUDIT} among the inputs"}
    if arm not in audit.verdicts:
        return {"because": f"{audit.stage} did not audit it: it is no input, or claims nothing"}
    rows = [row for row in audit.findings if row["arm"] == arm]
    best = max(rows, key=lambda row: (row["bound"] / row["claim"], row["ceiling"]))
    kept = ("bound", "ceiling", "claim", "access", "canaries")
    return {"verdict": audit.verdicts[arm]} | {key: best[key] for key in kept}


def _copies(arm: FinishedStage, audit: Audited | None) -> dict[str, Any]:
    """Near-duplicates and longest shared runs beside those of held-out records; verbatim sentences the arm counted."""
    metrics = arm.read("metrics.json")
    verbatim = {side: metrics.get(f"verbatim_{key}") for key, side in SIDES.items()}
    rows = {row["against"]: row for row in audit.copying if row["arm"] == arm.id} if audit else {}
    if not rows:
        return {"because": "no audit looked for copies", "verbatim": verbatim}
    kept = ("near_duplicates", "longest_p99", "longest_max")
    return {
        **{key: {SIDES[side]: row[key] for side, row in rows.items()} for key in kept},
        "texts": rows["train"]["texts"],
        "records": rows["train"]["records"],
        "verbatim": verbatim,
    }
