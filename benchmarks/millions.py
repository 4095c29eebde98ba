"""Processing of many reviews: what 00_process_data does to a corpus, in memory that hardly grows with it.

Reviews are made up, their words drawn by Zipf's law; one review in twenty is an earlier one with a word changed, one in
fifty an earlier one again. Each size runs in a process of its own, which reads a JSONL file, cleans, splits, looks for
near-duplicates and writes train and test. Memory is the largest private memory of that process (resident, less the
pages of mapped files) beyond what it held before it read the file.
The last line is one JSON object: seconds for a million reviews, megabytes of the largest size, megabytes that a million
more would take (from the two largest), and gigabytes of 20 million by that line.

    python benchmarks/millions.py [--reviews 500000 1000000 2000000] [--scratch FOLDER]

The sizes of the default take ten minutes. Smaller ones say nothing of the growth: the search for near-duplicates holds
a table of counters that grows up to 268 MB, and stays there. `--reviews 20000000` takes an hour or more, and some 40 GB
in the folder of `--scratch`.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peak import MB, Peak

WORDS = 50_000  # of the made-up language
SAME, ALIKE = 0.02, 0.05  # shares of reviews that are an earlier one, as it was or with a word changed
STARS = ["1", "2", "3", "4", "5"]
WHOLE = 20  # million reviews that the growth is carried on to


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--reviews", type=int, nargs="+", default=[500_000, 1_000_000, 2_000_000])
    arguments.add_argument("--scratch", help="folder of all files; the system's by default")
    options = arguments.parse_args()
    print(f"{'reviews':>12}{'read s':>9}{'process s':>11}{'write s':>9}{'s a million':>13}{'MB':>8}", end="")
    print(f"{'train':>12}{'test':>11}")
    rows = []
    for reviews in options.reviews:
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            write(Path(folder) / "reviews.jsonl", reviews)
            with multiprocessing.get_context("spawn").Pool(1) as fresh:
                seconds, memory, sides = fresh.apply(processed, (Path(folder),))
        rows.append((reviews, sum(seconds) / reviews * 1e6, memory))
        times = f"{seconds[0]:>9.1f}{seconds[1]:>11.1f}{seconds[2]:>9.1f}{rows[-1][1]:>13.0f}"
        print(f"{reviews:>12,}{times}{memory:>8.0f}{sides[0]:>12,}{sides[1]:>11,}", flush=True)
    ratios = {"millions_seconds": rows[-1][1], "millions_mb": rows[-1][2]}
    if len(rows) > 1:
        (less, _, before), (more, _, after) = rows[-2:]
        growth = (after - before) / (more - less) * 1e6
        ratios |= {"millions_mb_a_million": growth, "millions_gb_of_20": (after + growth * (WHOLE - more / 1e6)) / 1e3}
    print(f"\n{json.dumps(ratios)}")


def write(path: Path, reviews: int) -> None:
    """A file of made-up reviews by a quarter as many users."""
    draw = np.random.default_rng(0)
    chances = np.cumsum(1 / np.arange(1, WORDS + 1))
    earlier: list[list[str]] = []
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, reviews, 10_000):
            count = min(10_000, reviews - start)
            lengths = np.clip(draw.lognormal(3.1, 0.6, count), 4, 60).astype(int)
            numbers = np.searchsorted(chances, draw.random(lengths.sum()) * chances[-1])
            made = np.split(numbers, np.cumsum(lengths)[:-1])
            kinds, users = draw.random(count), draw.integers(1 + reviews // 4, size=count)
            for row, words in enumerate(made):
                text = [f"w{number:x}" for number in words]
                if earlier and kinds[row] < SAME + ALIKE:
                    text = list(earlier[int(draw.integers(len(earlier)))])
                    if kinds[row] < ALIKE:
                        text[int(draw.integers(len(text)))] = "other"
                if kinds[row] > 0.9:
                    earlier = [*earlier[-999:], text]
                line = {"text": " ".join(text), "user": f"user{users[row]}", "stars": STARS[int(users[row]) % 5]}
                file.write(json.dumps(line) + "\n")


def processed(folder: Path) -> tuple[list[float], float, tuple[int, int]]:
    """Seconds of reading, processing and writing; the most memory, in MB; and how many records each side has."""
    from lib.data import processing, records, sources, spill

    spill.FOLDER = folder / "spill"
    few = [records.Record(str(i), records.PrivateText(f"a{i} b{i} c{i} d{i}"), {}) for i in range(50)]
    processing.process(sources.Corpus(few, [], "", ""), label_domain={})  # libraries are loaded
    domain, marks = {"stars": STARS}, [time.perf_counter()]
    with Peak() as peak:
        source = f"jsonl:{folder / 'reviews.jsonl'}"
        corpus = sources.load(source, columns={"labels.stars": "stars"}, label_domain=domain)
        marks.append(time.perf_counter())
        done = processing.process(corpus, label_domain=domain)
        marks.append(time.perf_counter())
        records.write(folder / "train.jsonl", done.train)
        records.write(folder / "test.jsonl", done.test)
        marks.append(time.perf_counter())
    return np.diff(marks).tolist(), peak.bytes / MB, (len(done.train), len(done.test))


if __name__ == "__main__":
    main()
