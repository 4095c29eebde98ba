"""What is known of one arm: method, model, privacy spent, audit, copies, and what it cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from lib.generation.engines.names import is_remote
from lib.methods.registry import _method
from lib.stage.finished import FinishedStage, Run

SIDES = {"train": "train", "test": "held_out"}  # as 20_canary_privacy names them, and as the scorecard does


def describe(name: str, run: Run, id: str, *, corpus: str, audit: FinishedStage | None) -> dict[str, Any]:
    """An arm's entry in the scorecard, its metrics aside. ``name`` is local, ``id`` and ``corpus`` are stages."""
    stage, statement = run.stage(id), run.stage(id).read("privacy.json")
    method, model = _method(run, stage)
    kept = ("epsilon", "target_epsilon", "delta", "unit", "not_for_release")
    return {
        "name": name,
        "stage": id,
        "method": method,
        "model": model,
        "seed": stage.parameters.get("seed"),
        "recipe": run.recipe(id),
        "records": stage.read("metrics.json").get("records"),
        "privacy": {key: statement[key] for key in kept}
        | {"audit": _audit(audit, id), "copies": _copies(audit, stage)},
        "cost": _cost(run.lineage(id, without=corpus)),
    }


def local_name(measure: FinishedStage, id: str) -> str | None:
    """What a measuring stage calls the arm of a stage id, or None."""
    return next((name for name, other in measure.inputs.items() if other == id), None)


def _cost(stages: Sequence[FinishedStage]) -> dict[str, Any]:
    """Of a stage and its ancestors without the corpus, which all arms share. A resumed stage counts its last attempt.

    ``tokens`` were read in training or written; ``money`` in dollars where a model behind an endpoint was paid.
    """
    provenance = {stage.id: stage.read("provenance.json") for stage in stages}
    metrics = {stage.id: stage.read("metrics.json") for stage in stages}
    paid = [stage.id for stage in stages if is_remote(str(stage.parameters.get("model")))]
    machines = {f"{one['machine']['cpu']}, {one['machine']['cores']} cores{_cards(one)}" for one in provenance.values()}
    return {
        "seconds": round(sum(one["seconds"] for one in provenance.values()), 1),
        "tokens": sum(one.get("tokens", 0) for one in metrics.values()),
        "peak_memory_mb": max(one["peak_memory_mb"] for one in provenance.values()),
        "money": sum(metrics[id].get("cost", 0.0) for id in paid) if paid else None,
        "by_stage": {id: one["seconds"] for id, one in provenance.items()},
        "machines": sorted(machines),
    }


def _cards(provenance: Mapping) -> str:
    cards = [card["name"] for card in provenance["machine"].get("gpus", ())]
    return f", {len(cards)} x {cards[0]}" if cards else ""


def _audit(audit: FinishedStage | None, id: str) -> dict[str, Any]:
    """Verdict and the largest bound with its ceiling, of equal ones the largest: all bounds of an arm hold at once."""
    if audit is None:
        return {"because": "no stage of 20_canary_privacy among the inputs"}
    name, found = local_name(audit, id), audit.read("findings.json")
    if name not in found["verdicts"]:
        return {"because": f"{audit.id} did not audit it"}
    mine = [one for one in found["findings"] if one["arm"] == name]
    best = max(mine, key=lambda one: (one["bound"], one["ceiling"]))
    return {"verdict": found["verdicts"][name]} | {
        key: best[key] for key in ("bound", "ceiling", "claim", "score", "estimator")
    }


def _copies(audit: FinishedStage | None, stage: FinishedStage) -> dict[str, Any]:
    """Near-duplicates and longest shared runs beside those of held-out records; verbatim sentences the arm counted."""
    metrics = stage.read("metrics.json")
    verbatim = {side: metrics.get(f"verbatim_{key}") for key, side in SIDES.items()}
    name = local_name(audit, stage.id) if audit else None
    rows = {row["against"]: row for row in audit.read("findings.json")["copying"] if row["arm"] == name} if name else {}
    if not rows:
        return {"because": "no audit looked for copies", "verbatim": verbatim}
    return {
        **{
            key: {SIDES[side]: row[key] for side, row in rows.items()}
            for key in ("near_duplicates", "longest_p99", "longest_max")
        },
        "texts": rows["train"]["texts"],
        "records": rows["train"]["records"],
        "verbatim": verbatim,
    }
