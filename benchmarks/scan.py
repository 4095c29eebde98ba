"""Near-duplicates and longest shared runs of 10,000 texts in 10,000 others, against a scan of all pairs.

The corpus: sentences of film reviews (movie-snippets). The texts: half are sentences of the corpus with one word of
eight replaced, half are words of the corpus at random, as long as its sentences. Each side says which texts are near
a sentence of the corpus:

    ours          `lib.data.near_duplicates`: an exact join of word triples at Jaccard similarity 0.4
    shared runs   `lib.audit.memorisation.longest_shared`: at least 8 words in a row
    rapidfuzz     edit ratio of all pairs at 80 of 100, in chunks, on all cores
    fuzzywuzzy    the same score, timed on a few pairs and multiplied out

Found: the share of the changed copies, and of the random texts. Memory is the peak of the process so far, its start
included. The last line is one JSON object: seconds of each peer over ours, our seconds, and the peak in GB after ours.

    python benchmarks/scan.py [--texts 10000] [--seed 0]
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.audit.leaks import CHUNK_BYTES, fuzzywuzzy
from lib.audit.memorisation import longest_shared
from lib.data import sources
from lib.data.near_duplicates import with_near_duplicate

FEW = 300  # pairs that fuzzywuzzy is timed on


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--texts", type=int, default=10_000)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    corpus = [record.text.reveal() for record in sources.load("movie-snippets", seed=options.seed).records]
    corpus = corpus[: options.texts]
    copies, others = made(corpus, options.texts, np.random.default_rng(options.seed))
    texts = copies + others
    print(f"{len(texts):,} texts, {len(corpus):,} sentences; peak memory at the start {peak():.2f} GB\n")
    print(f"{'scan':<14}{'seconds':>9}{'peak GB':>9}{'copies found':>14}{'random found':>14}")
    sides: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: with_near_duplicate(texts, corpus, 0.4),
        "shared runs": lambda: longest_shared(texts, corpus) >= 8,
        "rapidfuzz": lambda: all_pairs(texts, corpus),
    }
    seconds, memory = {}, {}
    for name, scan in sides.items():
        start = time.perf_counter()
        found = scan()
        seconds[name], memory[name] = time.perf_counter() - start, peak()
        rates = found[: len(copies)].mean(), found[len(copies) :].mean()
        print(f"{name:<14}{seconds[name]:>9.2f}{memory[name]:>9.2f}{rates[0]:>14.1%}{rates[1]:>14.1%}")
    start = time.perf_counter()
    for i in range(FEW):
        fuzzywuzzy.ratio(texts[i], corpus[-i - 1])
    seconds["fuzzywuzzy"] = (time.perf_counter() - start) / FEW * len(texts) * len(corpus)
    print(f"{'fuzzywuzzy':<14}{seconds['fuzzywuzzy']:>9.0f}   (from {FEW} pairs)\n")
    ratios = {f"scan_{name}_over_ours": seconds[name] / seconds["ours"] for name in ("rapidfuzz", "fuzzywuzzy")}
    ours = {"scan_seconds": seconds["ours"] + seconds["shared runs"], "scan_peak_gb": memory["shared runs"]}
    print(json.dumps(ratios | ours))


def made(corpus: list[str], count: int, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Changed copies of sentences, and texts of random words; half of ``count`` each."""
    words = [word for text in corpus for word in text.split()]
    copies, others = [], []
    for i in range(count // 2):
        copy = corpus[i].split()
        for place in rng.choice(len(copy), size=len(copy) // 8, replace=False):
            copy[place] = words[rng.integers(len(words))]
        copies.append(" ".join(copy))
        others.append(" ".join(words[j] for j in rng.integers(len(words), size=len(copy))))
    return copies, others


def all_pairs(texts: list[str], corpus: list[str]) -> np.ndarray:
    """Whether some sentence of the corpus has an edit ratio of 80 or more with each text."""
    step = max(1, CHUNK_BYTES // len(corpus))
    near = [
        process.cdist(
            texts[start : start + step], corpus, scorer=fuzz.ratio, score_cutoff=80, dtype=np.uint8, workers=-1
        ).any(axis=1)
        for start in range(0, len(texts), step)
    ]
    return np.concatenate(near)


def peak() -> float:
    """GB that this process held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
