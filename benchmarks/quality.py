"""Texts of any files beside each other: MAUVE, Frechet distance and macro-F1, without a run.

    python benchmarks/quality.py CORPUS NAME=FILE [NAME=FILE ...] [--records N] [--label LABEL]

CORPUS is the folder of a finished 00_process_data, FILE a synthetic.jsonl of any stage, or of another tool in the same
form. A quick look while trying things out; 21_fidelity and 22_utility measure with more views, seeds and tests, in the
same spaces and with the same classifiers. Evaluation only: real text enters.

The last line is one JSON object: metric -> set -> value and the ends of its 95% interval. ``ceiling`` is real text.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.data import records
from lib.evaluation import comparison_sets
from lib.evaluation.fidelity import measure
from lib.evaluation.utility import linear_classifiers, tstr
from lib.models import encoders

CLASSIFIED = "bundled:all-minilm-l6-v2"
DRAWS, SEEDS = 12, 3


def shown(found: object) -> list[float] | str:
    """The value of a metric and the ends of its interval, or why there is none."""
    if not hasattr(found, "value"):
        return str(found)
    return [round(float(x), 4) for x in (found.value, *(found.interval or ()))]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("corpus", type=Path, help="folder of a finished 00_process_data")
    arguments.add_argument("files", nargs="+", metavar="NAME=FILE")
    arguments.add_argument("--records", type=int, default=300, help="of each set, at most")
    arguments.add_argument("--held-out", type=int, default=1500, help="records that judge, at most")
    arguments.add_argument(
        "--space", default="hidden:bundled:smollm2-135m-instruct", help="an encoder, as in 21_fidelity"
    )
    arguments.add_argument("--label", help="to be predicted (default: the first)")
    options = arguments.parse_args()

    arms = {name: records.read(Path(file)) for name, file in (one.split("=", 1) for one in options.files)}
    train, test = (records.read(options.corpus / f"{side}.jsonl") for side in ("train", "test"))
    label = options.label or next(iter(train[0].labels))
    sides = comparison_sets.matched_sides(arms, train, test, most=options.records, seed=0)
    vectors, rows = sides.embedded(encoders.open_encoder(options.space)), sides.rows(seed=0)
    by_arm = measure.embeddings(sides, vectors, rows, seed=0, draws=DRAWS, metrics=("mauve", "frechet"))
    result = {metric: {arm: shown(of[metric]) for arm, of in by_arm.items()} for metric in ("mauve", "frechet")}
    sets = comparison_sets.matched_sets(
        arms, train, test, most=options.records, evaluate=min(options.held_out, len(test)), seed=0
    )
    embedded = sets.embedded(encoders.open_encoder(CLASSIFIED))
    for name, fit in (
        ("tfidf", linear_classifiers.tfidf(sets.texts)),
        ("embeddings", linear_classifiers.embedded(embedded)),
    ):
        found = tstr.transfer(sets, label, fit, seeds=SEEDS, draws=DRAWS, seed=0, reverse=False)["macro_f1"]
        result[f"macro_f1_{name}"] = {arm: shown(one) for arm, one in found.items()}
    for metric, of in result.items():
        print(metric)
        for arm, value in of.items():
            print(f"  {arm:<16} {value}")
    print(json.dumps({"records": sides.n, **result}))


if __name__ == "__main__":
    main()
