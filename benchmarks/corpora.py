"""Which bundled corpus and task can tell arms apart: macro-F1 of classifiers trained on real records, and on the floor.

The two cheap classifiers of 22_utility learn from 100, 300, 1,000, 3,000 and all training records of each task, and
every held-out record judges them. A cell is the mean over trainings on different random records and, after ±, half of
its 95% interval over trainings and judges (of all records there is one training, so over judges alone). The floor is
what they learn from texts that the bundled model writes when it is only prompted. Ceiling minus floor is the range in
which an arm can be placed: it should be wide beside the intervals.

The last line is one JSON object: by task, macro-F1 of the embeddings, all real records minus the floor.

    python benchmarks/corpora.py [TASK ...] [--floor 300] [--seeds 5] [--show 0]
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.data import labels, processing, sources
from lib.data.records import Record
from lib.evaluation.estimate import Estimate
from lib.evaluation.utility import linear_classifiers
from lib.evaluation.utility.training_resamples import over_trainings
from lib.evaluation.utility.tstr import macro_f1
from lib.generation import generate
from lib.models import encoders
from lib.models.prompt import Prompt

SIZES = (100, 300, 1000, 3000)
MODEL, ENCODER, DRAWS = "bundled:smollm2-135m-instruct", "bundled:all-minilm-l6-v2", 90


@dataclass(frozen=True)
class Task:
    """A corpus and the label to predict.

    Attributes:
        source: as a parameter writes it.
        label: name of the label.
        values: its values, as the source gives them.
        prompt: the request that the floor answers.
        merged: value -> the value that takes its place, where the task has fewer.
    """

    source: str
    label: str
    values: Sequence[str]
    prompt: str
    merged: Mapping[str, str] = field(default_factory=dict)


FILM = "Write one sentence from a {kind} of a film."
KINDS = ("positive review", "negative review", "plot summary")
TASKS = {
    "amazon": Task(
        "amazon-snippets",
        "sentiment",
        ("negative", "neutral", "positive"),
        "Write one {sentiment} sentence from a customer's review of an electronic product.",
    ),
    "films": Task("rotten-tomatoes", "kind", KINDS, FILM),
    "verdicts": Task("rotten-tomatoes:reviews", "kind", KINDS[:2], FILM),
    "plots": Task("rotten-tomatoes", "kind", KINDS, FILM, dict.fromkeys(KINDS[:2], "review")),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TASKS)}; all by default")
    arguments.add_argument("--floor", type=int, default=300, help="texts that the floor writes; 0 leaves it out")
    arguments.add_argument("--prompt", help="for the floor, in place of the task's own")
    arguments.add_argument("--seeds", type=int, default=5, help="trainings at each size")
    arguments.add_argument("--show", type=int, default=0, help="texts of the floor to show")
    options = arguments.parse_args()
    ranges = {}
    for name in options.tasks or TASKS:
        task = TASKS[name]
        found = measure(name, task if options.prompt is None else replace(task, prompt=options.prompt), options)
        if options.floor:
            ranges[name] = round(found["all"].value - found["floor"].value, 3)
    print(json.dumps(ranges))


def measure(name: str, task: Task, options: argparse.Namespace) -> dict[str, Estimate]:
    """Print the table of a task; macro-F1 of the embeddings by training set (a size, ``all``, ``floor``)."""
    domain = {task.label: list(task.values)}
    sides = processing.process(sources.load(task.source), label_domain=domain)
    floor = written(task, sides.train, options) if options.floor else []
    records = [*sides.train, *sides.test, *floor]
    texts = [record.text.reveal() for record in records]
    train, test, made = np.split(np.arange(len(records)), np.cumsum([len(sides.train), len(sides.test)]))
    truth = np.array([task.merged.get(value, value) for value in (record.labels[task.label] for record in records)])
    codes = np.unique(truth, return_inverse=True)[1]
    encoder = encoders.open_encoder(ENCODER)
    real = encoders.embed_private(encoder, [record.text for record in (*sides.train, *sides.test)])  # kept on disk
    vectors = np.concatenate([real, encoder.encode([record.text for record in floor])])
    kinds = {"embeddings": linear_classifiers.embedded(vectors), "TF-IDF": linear_classifiers.tfidf(texts)}

    sizes = [size for size in SIZES if size < len(train)]
    rng = np.random.default_rng(0)
    sets = {str(size): [rng.permutation(train)[:size] for _ in range(options.seeds)] for size in sizes}
    sets |= {"all": [train]} | ({"floor": [made]} if options.floor else {})
    shares = ", ".join(f"{value} {share:.0%}" for value, share in shared(truth[test]).items())
    print(f"\n{name}: {task.source}, {len(train):,} training and {len(test):,} held-out records ({shares})")
    print(" " * 12 + "".join(f"{title:>14}" for title in sets))
    found = {}
    for kind, fit in kinds.items():
        found[kind] = {title: scored(fit, rows, codes, test) for title, rows in sets.items()}
        print(f"{kind:<12}" + "".join(f"{shown(one):>14}" for one in found[kind].values()), flush=True)
    return found["embeddings"]


def written(task: Task, train: Sequence[Record], options: argparse.Namespace) -> list[Record]:
    """The floor: texts by the prompted model, their labels drawn as those of the training records."""
    table = labels.cells({task.label: list(task.values)})
    counts = labels.clean_counts(train, {task.label: list(task.values)}, unit="record")
    wanted = labels.draw({"cells": table, "noisy_counts": counts}, [], options.floor, np.random.default_rng(0))
    sampling = generate.Sampling(max_new_tokens=64)
    prompt = Prompt(task.prompt, chat=True)
    records, draws = generate.generate_records(generate.open_engine(MODEL), prompt, wanted, sampling)
    print(f"\nfloor, {task.prompt!r}: {draws}")
    for record in records[: options.show]:
        print(f"  {record.labels[task.label]} | {record.text.reveal()}")
    return records


def scored(fit: Callable, sets: Sequence[np.ndarray], codes: np.ndarray, test: np.ndarray) -> Estimate:
    """Macro-F1 of classifiers trained on each of the ``sets`` of rows, judged by the rows ``test``."""
    predicted = np.stack([fit(rows, codes[rows], test, 0) for rows in sets])
    truth = codes[test]
    return over_trainings(lambda one, rows: macro_f1(one[rows], truth[rows]), predicted, draws=DRAWS, seed=0)


def shared(values: np.ndarray) -> dict[str, float]:
    """The share of each of the ``values``."""
    names, counts = np.unique(values, return_counts=True)
    return dict(zip(names.tolist(), (counts / len(values)).tolist(), strict=True))


def shown(one: Estimate) -> str:
    return f"{one.value:.3f} ± {one.interval[1] - one.value:.3f}"


if __name__ == "__main__":
    main()
