"""A finished run in miniature for the tests of the comparison: the files that stages leave, with made-up figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml

from lib.common.files import write_json
from lib.evaluation import views
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.metric import Metric
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.ledger import Event, Ledger, inherit
from lib.scorecard import scorecard
from lib.stage import fingerprint
from lib.stage.finished import Run

ARMS = {"base": "11_generate.base", "eps8": "11_generate.eps8", "open": "11_generate.open", "evolved": "12_aug_pe.eps8"}
MACHINE = {"system": "Linux", "cpu": "AMD EPYC", "cores": 2, "memory_gb": 8.0, "gpus": []}
VIEWS = (("size", "200 records"), ("size", "100 records"), ("encoder", "other"), ("seed", "seed 0"), ("seed", "seed 1"))
PERFECT = 0.9  # the ceiling of every made-up metric; its floor is what arm base has


def stage(
    run: Path,
    id: str,
    *,
    inputs: Mapping[str, str] | None = None,
    events: Sequence = (),
    seconds: float = 10.0,
    metrics: Mapping[str, float] | None = None,
    target: float | None = None,
    files: Mapping[str, str] | None = None,
    units: int = 1000,
    machine: Mapping = MACHINE,
    privacy_seed: int | None = None,
    **parameters: object,
) -> Path:
    """A stage's folder as `Stage.finish` leaves it; its own events are mechanisms."""
    folder, inputs = run / id, dict(inputs or {})
    folder.mkdir(parents=True, exist_ok=True)
    ledger = inherit([run / source for source in inputs.values()]) if inputs else Ledger("record", units)
    ledger.events += [Event(id, "toy", mechanism, privacy_seed) for mechanism in events]
    named = {"run": run.name, "stage": id} | ({"inputs": inputs} if inputs else {}) | {"seed": 0} | parameters
    (folder / "params.yaml").write_text(yaml.safe_dump(named))
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    write_json(folder / "metrics.json", dict(metrics or {}))
    write_json(folder / "privacy.json", ledger.statement(id, target_epsilon=target))
    write_json(folder / "provenance.json", {"seconds": seconds, "peak_memory_mb": 100 * seconds, "machine": machine})
    close(folder, inputs)
    return folder


def close(folder: Path, inputs: Mapping[str, str] | None = None) -> None:
    """Write done.json anew, after a test changed the folder."""
    inputs = (yaml.safe_load((folder / "params.yaml").read_text()).get("inputs") or {}) if inputs is None else inputs
    digests = {source: fingerprint.read_done(folder.parent / source)["digest"] for source in inputs.values()}
    files = fingerprint.outputs(folder)
    made = {"parameters": {}, "notebook": "", "modules": {}, "inputs": digests, "files": {}}
    done = {"stage": folder.name, "made_from": made, "outputs": files, "digest": fingerprint.digest(files)}
    write_json(folder / fingerprint.DONE, done)


def corpus(run: Path, words: str = "private words", scale: float = 40.0, **more: object) -> Path:
    files = {"train.jsonl": words, "test.jsonl": words, "label_histogram.json": f"noise of {run.name}"}
    return stage(run, "00_process_data", events=[DiscreteGaussian(scale)], files=files, source="toy", **more)


def arms(run: Path, **more: object) -> None:
    """The floor, a private and an open arm of fine-tuning, and one of private evolution."""
    data, text = {"corpus": "00_process_data"}, {"synthetic.jsonl": "{}"}
    step = Gaussian(2.0, 0.1, 10)
    counted = {"records": 300, "tokens": 50, "verbatim_train": 2, "verbatim_test": 1}
    trainings = (("eps8", step, 8.0), ("open", NonPrivate(), None))
    for name, event, target in trainings:
        stage(
            run, f"10_finetune_dp_lora.{name}", inputs=data, events=[event], target=target, seconds=100.0,
            metrics={"tokens": 1000}, model="toy-135m", target_epsilon=target, **more,
        )  # fmt: skip
        fed = data | {"model": f"10_finetune_dp_lora.{name}"}
        stage(run, f"11_generate.{name}", inputs=fed, target=target, metrics=counted, files=text, base_model=None)
    stage(run, "11_generate.base", inputs=data, metrics=counted, files=text, base_model="toy-135m")
    stage(
        run, "12_aug_pe.eps8", inputs=data, events=[Gaussian(2.0, 1.0, 3)], target=8.0, seconds=400.0, files=text,
        metrics=counted | {"cost": 1.25}, model="openai:toy", target_epsilon=8.0,
    )  # fmt: skip


def measured(
    run: Path,
    group: str,
    levels: Mapping[str, float],
    *,
    metrics: Sequence[tuple[str, str]] = (("embeddings", "mauve"), ("embeddings", "coverage")),
    spread: float | Mapping[str, float] = 0.02,
    named: Mapping[str, str] = ARMS,
    against: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Path:
    """A measuring stage: every arm of ``levels`` at its level in every view, but for view ``other``: there ``against``.

    ``named`` are the local names that this stage gives to arms; ``spread`` of the draws, of all metrics or by metric.
    """
    id = {"fidelity": "21_fidelity", "utility": "22_utility"}[group]
    rng, rows, seen = np.random.default_rng(seed), [], []

    def estimate(level: float, metric: str) -> Estimate:
        width = spread if isinstance(spread, float) else spread[metric]
        return Estimate(level, level + rng.normal(0, width, 60))

    for task, metric in metrics:
        for kind, name in VIEWS:
            here = levels | (against or {}) if name == "other" else levels
            estimates = {arm: estimate(level, metric) for arm, level in here.items()}
            estimates |= {views.CEILING: estimate(PERFECT, metric)}
            seen.append(views.View(task, metric, "higher", kind, name, estimates))
        first = seen[-len(VIEWS)].estimates
        for arm in levels:
            floor = first.get("base", Undefined("no floor"))
            row = Metric(metric, "higher", first[arm], floor, first[views.CEILING], 200, 300, True).as_row()
            rows.append({"task": task, "arm": arm, **row, "headline": True})
    alone = Estimate(0.5, 0.5 + rng.normal(0, 0.02, 60))
    row = Metric("distinct_2", "match", alone, alone, alone, 200, 300, False).as_row()
    rows += [{"task": "text", "arm": arm, **row, "headline": False} for arm in levels]
    inputs = {"corpus": "00_process_data"} | {arm: named[arm] for arm in levels}
    folder = stage(run, id, inputs=inputs, events=[NonPrivate()], floor="base")
    about = {"records": 300, "value_low": 0.1, "value_high": 0.9}
    counted = [
        {"task": task, "metric": metric, "arm": arm, "value": level} | about
        for task, metric in metrics[:1]
        for arm, level in {**levels, None: PERFECT}.items()
        if group == "utility"
    ]
    write_json(folder / f"{group}.json", {"rows": rows, "by_size": counted, "private": "real text entered"})
    views.save(folder, seen)
    close(folder, inputs)
    return folder


def audited(
    run: Path,
    verdict: str = "consistent",
    *,
    bounds: tuple[float, float] = (0.5, 1.5),
    ceilings: tuple[float, float] = (3.0, 3.0),
    claim: float = 8.0,
) -> Path:
    """An audit of two arms with two accesses each, the second arm with a violation if so wished."""
    names = ("eps8", "evolved")
    findings = [
        {"arm": name, "access": access, "canaries": 1000, "bound": bound, "ceiling": top, "claim": claim,
         "verdict": verdict}
        for name in names
        for access, bound, top in zip(("DP-SGD", "votes"), bounds, ceilings, strict=True)
    ]  # fmt: skip
    copies = [
        {"arm": name, "against": side, "records": 100, "texts": 300, "near_duplicates": n, "longest_median": 3.0,
         "longest_p99": 7.0 + n, "longest_max": 9 + n}
        for name in names
        for side, n in (("train", 4), ("test", 3))
    ]  # fmt: skip
    inputs = {"corpus": "00_process_data"} | {name: ARMS[name] for name in names}
    folder = stage(run, "20_canary_privacy", inputs=inputs, events=[NonPrivate()])
    verdicts = {"eps8": "consistent", "evolved": verdict}
    tables = {"controls": [], "leaks": [], "copying": copies, "personal": []}
    write_json(folder / "findings.json", {"verdicts": verdicts, "findings": findings} | tables)
    close(folder, inputs)
    return folder


LEVELS = {"base": 0.2, "eps8": 0.5, "open": 0.8, "evolved": 0.35}


def whole(results: Path, name: str = "toy", **levels: Mapping[str, float]) -> dict[str, Path]:
    """A run with everything; its inputs for notebook 30_compare."""
    run = results / name
    corpus(run)
    arms(run)
    measured(run, "fidelity", levels.get("fidelity", LEVELS))
    measured(run, "utility", levels.get("utility", LEVELS), metrics=[("mood by TF-IDF", "accuracy")])
    audited(run)
    ids = {"corpus": "00_process_data", **ARMS} | {
        "fidelity": "21_fidelity", "utility": "22_utility", "audit": "20_canary_privacy",
    }  # fmt: skip
    return {local: run / id for local, id in ids.items()}


def build(inputs: Mapping[str, Path]) -> dict:
    """The scorecard of finished stages, by local name, of one run."""
    return scorecard.build(Run(inputs["corpus"].parent), {name: folder.name for name, folder in inputs.items()})


def arm(card: dict, name: str) -> dict:
    """The entry of an arm by its display name."""
    return next(entry for entry in card["arms"] if card["names"][entry["stage"]] == name)


def metric(card: dict, name: str, wanted: str) -> dict:
    """The row of a metric of an arm."""
    return next(row for row in arm(card, name)["metrics"] if row["metric"] == wanted)
