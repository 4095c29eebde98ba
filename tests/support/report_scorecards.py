"""A run as the report reads it: finished stages, and the scorecard of four arms of which each lacks something."""

import json
import math
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np

from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.ledger import Event, Ledger
from lib.scorecard import conclusions, pairwise, scorecard
from lib.stage.finished import Run

UNITS = 2918
MADE = "2025-11-24T22:10:00+00:00"
ARMS = {  # name: stage, method, epsilon spent and its target, seconds, place between floor (0) and ceiling (1)
    "base": ("11_generate.base", "prompt only", 0.301048, None, 21.0, 0.0),
    "eps8": ("11_generate.eps8", "DP-LoRA", 7.999993, 8.0, 431.0, 0.46),
    "aug_pe": ("12_aug_pe.eps8", "Aug-PE", 7.999911, 8.0, 265.0, 0.27),
    "nonprivate": ("11_generate.nonprivate", "fine-tuned without privacy", None, None, 402.0, 0.93),
}
STAGES = {name: stage for name, (stage, *_) in ARMS.items()}
METRICS = [  # group, task, metric, direction, floor, ceiling, headline, of real text
    ("fidelity", "all-minilm-l6-v2", "frechet", "lower", 71.3, 28.9, True, True),
    ("fidelity", "all-minilm-l6-v2", "mauve", "higher", 0.041, 0.961, True, True),
    ("fidelity", "all-minilm-l6-v2", "precision", "higher", 0.61, 0.74, False, True),
    ("fidelity", "all-minilm-l6-v2", "density", "match", 0.52, 0.98, False, True),
    ("fidelity", "texts", "record_length_w1", "lower", 6.2, 0.8, False, True),
    ("fidelity", "texts", "distinct_2", "match", 0.71, 0.88, False, False),
    ("fidelity", "texts", "abrupt", "match", 0.11, 0.09, False, False),
    ("utility", "sentiment by embeddings", "macro_f1", "higher", 0.48, 0.66, True, True),
    ("utility", "sentiment by TF-IDF", "macro_f1", "higher", 0.41, 0.55, False, True),
    ("utility", "next token", "perplexity", "lower", 61.2, 38.4, True, True),
    ("utility", "sentiment, words", "importance_top20_jaccard", "higher", 0.08, 0.09, False, True),
]


def whole() -> dict:
    """Four arms, of which each lacks something: no audit, no copies, metrics without a value or without a position."""
    rng = np.random.default_rng(0)
    arms, comparisons = [_arm(name, rng) for name in ARMS], _comparisons()
    card = {
        "format": scorecard.FORMAT,
        "run": "quick",
        "made": MADE,
        "corpus": {
            "stage": "00_process_data", "digest": "5f0c" * 16, "source": "amazon-snippets", "unit": "record",
            "units": UNITS, "delta": 4.295e-05, "neighbours": "add or remove one record (one line of train.jsonl)",
        },
        "names": {stage: name for name, (stage, *_) in ARMS.items()},
        "floor": STAGES["base"],
        "arms": arms,
        "together": {
            "arms": [STAGES[name] for name in ("base", "eps8", "aug_pe")], "epsilon": 11.296, "delta": 4.295e-05,
            "unit": "record",
        },
        "by_size": [_by_size(STAGES[name], 300, 0.5) for name in ARMS]
        + [_by_size(None, 300, 0.6), _by_size(None, 3184, 0.8)],
        "comparisons": comparisons,
        "pairs": pairwise.verdicts(comparisons),
        "missing": [
            {"arm": STAGES["base"], "what": "audit", "because": "it was not among the arms of 20_canary_privacy"},
            {"arm": None, "what": "ratings by people", "because": "no filled sheet was named"},
        ],
    }  # fmt: skip
    return card | {"answers": conclusions.answers(card, pairwise.entrants(arms))}


def public() -> dict:
    """The same as the public page gets it: nothing of real text outside the budget."""
    card = whole()
    for arm in card["arms"]:
        arm["privacy"] = {k: v for k, v in arm["privacy"].items() if k not in ("audit", "copies")}
        arm["metrics"] = [
            row | dict.fromkeys(("floor", "ceiling", "position", "position_low", "position_high", "at_ceiling"))
            for row in arm["metrics"]
            if not row["real_text"]
        ]
        cost = arm["cost"]
        cost["by_stage"] = {stage: 60 * math.ceil(seconds / 60) for stage, seconds in cost["by_stage"].items()}
        cost |= {"seconds": 60 * math.ceil(cost["seconds"] / 60), "peak_memory_mb": 2000}
    return card | {"by_size": [], "comparisons": [], "pairs": [], "answers": conclusions.guarantees(card)}


def finished_run(root: Path) -> Run:
    """``results/quick`` with the stages of `ARMS` done, one not done, and 30_compare running."""
    folder = root / "results" / "quick"
    ledger = Ledger("record", UNITS, events=[Event("00_process_data", "label histogram", DiscreteGaussian(10.0))])
    _stage(folder, "00_process_data", ledger, {"records_read": 3708, "train_records": UNITS, "mean_words": 17.1754})
    for stage, _, epsilon, target, *_ in ARMS.values():
        own = Ledger("record", UNITS, events=list(ledger.events), ancestors={"00_process_data": "0" * 64})
        if target:
            own.events.append(Event(stage, "DP-SGD", Gaussian(0.6, 0.0877, 15), None, True))
        elif epsilon is None:
            own.events.append(Event(stage, "training without noise", NonPrivate()))
        _stage(folder, stage, own, {"records": 300, "held_out_loss": 3.911})
    for unfinished in ("22_utility", "30_compare"):  # not yet made, and being made as the report is written
        (folder / unfinished).mkdir()
        (folder / unfinished / "params.yaml").write_text("run: quick\n")
    return Run(folder)


def picture(path: Path, size: tuple[float, float] = (6, 2.6)) -> Path:
    """A plot as the notebooks draw them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=size)
    axes.errorbar([1, 2, 8], [0.2, 0.4, 0.5], yerr=0.1, marker="o", color="#1f6f8b")
    axes.set(xlabel="epsilon", ylabel="MAUVE")
    figure.savefig(path, dpi=100, bbox_inches="tight")
    plt.close(figure)
    return path


def _arm(name: str, rng: np.random.Generator) -> dict:
    stage, method, epsilon, target, seconds, good = ARMS[name]
    against = [] if epsilon else [f"{stage}: training without noise is not private"]
    privacy = {
        "epsilon": epsilon,
        "target_epsilon": target,
        "delta": 4.295e-05,
        "unit": "record",
        "not_for_release": against,
    }
    if target:
        privacy["audit"] = {
            "verdict": "consistent", "bound": 1.13 + good, "ceiling": 2.61, "claim": epsilon,
            "access": "votes for candidates", "canaries": 100000,
        }  # fmt: skip
    else:
        privacy["audit"] = {"because": "not attacked: there is no claim to refute"}
    privacy["copies"] = {
        "near_duplicates": {"train": int(40 * good**3), "held_out": 3}, "verbatim": {"train": 1, "held_out": 0},
        "longest_p99": {"train": 7.0 + good, "held_out": 6.5}, "longest_max": {"train": 11, "held_out": 9},
        "texts": 300, "records": 324,
    }  # fmt: skip
    if name == "aug_pe":
        privacy["copies"] = {"because": "held-out records are too few"}
    cost = {"seconds": seconds, "tokens": None if name == "base" else 9120, "peak_memory_mb": 1890.0, "money": None}
    trained = stage.startswith("11_") and target
    cost["by_stage"] = {stage: 30.0, "10_finetune_dp_lora": seconds - 30} if trained else {stage: seconds}
    cost["machines"] = ["AMD EPYC, 2 cores"]
    metrics = [{"arm": stage} | _row(metric, good, rng) for metric in METRICS]
    if name == "aug_pe":
        metrics[-1] |= dict.fromkeys(("value", "value_low", "value_high", "position", "position_low", "position_high"))
        metrics[-1] |= {"because": "1 value of label 'sentiment' in a training; it needs 2"}
    return {
        "stage": stage, "method": method, "recipe": f"recipe of {name}", "model": "bundled:smollm2-135m-instruct",
        "seed": 0, "records": 300, "privacy": privacy, "cost": cost, "metrics": metrics,
    }  # fmt: skip


def _row(metric: tuple, good: float, rng: np.random.Generator) -> dict:
    group, task, name, direction, floor, ceiling, headline, real_text = metric
    place = good + rng.normal(0, 0.06) if good else 0.0
    value, spread = floor + place * (ceiling - floor), 0.09 * abs(ceiling - floor)
    placed = abs(ceiling - floor) > 0.05
    return {
        "group": group, "task": task, "metric": name, "value": value, "value_low": value - spread,
        "value_high": value + spread, "floor": floor, "ceiling": ceiling, "position": place if placed else None,
        "position_low": place - 0.12 if placed else None, "position_high": place + 0.13 if placed else None,
        "at_ceiling": place > 0.9, "direction": direction, "n": 300, "of": 300, "real_text": real_text,
        "because": None if placed else "floor and ceiling do not differ at n = 300; compare more records",
        "headline": headline,
    }  # fmt: skip


def _by_size(arm: str | None, records: int, value: float) -> dict:
    about = {"group": "utility", "task": "sentiment by embeddings", "metric": "macro_f1", "arm": arm}
    return about | {"records": records, "value": value, "value_low": value - 0.05, "value_high": value + 0.05}


def _comparisons() -> list[dict]:
    view = {"kind": "encoder", "name": "all-minilm-l6-v2", "gain": 0.175, "low": 0.09, "high": 0.26}
    views = [view, view | {"kind": "size", "name": "150 records", "gain": 0.151, "low": 0.04, "high": 0.27}]
    eps8, aug_pe = STAGES["eps8"], STAGES["aug_pe"]
    mauve = {"group": "fidelity", "task": "all-minilm-l6-v2", "metric": "mauve", "arms": [eps8, aug_pe], "better": eps8}
    f1 = {"group": "utility", "task": "sentiment by embeddings", "metric": "macro_f1", "arms": [eps8, aug_pe]}
    unsure = {"better": None, "gain": 0.02, "low": -0.03, "high": 0.07, "because": "the interval includes 0"}
    undefined = {"better": None, "gain": None, "low": None, "high": None, "because": f"not defined for {aug_pe}"}
    to_floor = {"arms": [STAGES["base"], eps8], "gain": -0.423, "low": -0.53, "high": -0.31}
    return [
        mauve | {"gain": 0.175, "low": 0.09, "high": 0.26, "views": views, "because": None},
        mauve | to_floor | {"views": [view | {"gain": -0.423, "low": -0.53, "high": -0.31}], "because": None},
        f1
        | unsure
        | {
            "views": [
                views[1] | {"gain": 0.02, "low": -0.03, "high": 0.07},
                view | {"gain": -0.01, "low": -0.06, "high": 0.04},
            ]
        },
        f1 | undefined | {"metric": "importance_top20_jaccard", "views": []},
    ]


def _stage(folder: Path, stage: str, ledger: Ledger, metrics: dict) -> None:
    own = folder / stage
    picture(own / "figures" / "kept.png")
    facts = {"commit": "e057a83" + "0" * 33, "dirty": False, "seconds": 215.4, "peak_memory_mb": 1890.2}
    files = {
        "privacy": ledger.statement(stage), "metrics": metrics | {"task/metric/arm": 1.0}, "provenance": facts,
        "done": {"stage": stage, "made_from": {"inputs": {}}, "outputs": {}, "digest": "0" * 64},
    }  # fmt: skip
    for name, content in files.items():
        (own / f"{name}.json").write_text(json.dumps(content))
    (own / "params.yaml").write_text("run: quick\n")
    nbformat.write(_notebook(stage), own / "notebook.ipynb")


def _notebook(stage: str) -> nbformat.NotebookNode:
    """As papermill leaves it: a table, a stream with colours, a widget's view, a script, and a picture."""
    v4 = nbformat.v4
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "VBox(children=())"}
    table = "<style scoped>td { color: inherit }</style><table><thead><tr><th></th><th>value</th></tr></thead>"
    table += "<tbody><tr><th>records</th><td>300</td></tr></tbody></table>"
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    outputs = [
        v4.new_output("stream", text="\x1b[32mdone\x1b[0m in 3 s <b>\n"),
        v4.new_output("execute_result", {"text/html": table, "text/plain": "records 300"}),
        v4.new_output("display_data", widget),
        v4.new_output("display_data", {"application/javascript": "alert(1)", "text/plain": "no script"}),
        v4.new_output(
            "display_data", {"text/html": "<script>fetch('https://example.org')</script>", "text/plain": "plain"}
        ),
        v4.new_output("display_data", {"image/png": pixel, "text/plain": "<Figure>"}),
    ]
    wide = "| in | out |\n|---|---|\n| a | `a_name_that_is_long_and_cannot_be_broken_anywhere` |"
    cells = [
        v4.new_markdown_cell(f"# {stage}\n\nAsks a question, in `code` and words.\n\n{wide}"),
        v4.new_markdown_cell("## Clean, deduplicate, bound, split"),
        v4.new_code_cell("from lib.plots import data"),
        v4.new_code_cell('_ = stage.figure("kept", data.kept(processed.steps))', outputs=outputs),
        v4.new_markdown_cell("**How to read it.** Each bar is what *one rule* let through."),
    ]
    return v4.new_notebook(cells=cells)
