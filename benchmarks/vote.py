"""Votes for the nearest candidate: Doppel's search against faiss's flat index, in one process, round by round.

Both find, for each of `--private` made unit vectors, the exact nearest of `--candidates`, with all cores; faiss in
float32 (IndexFlatL2), ours by float64's distances. A round runs each side once, in turn; the ratio is the median of
the rounds'. Memory is the largest that a fresh process holds during our side alone, beyond what it held with its
vectors loaded. Where the sides disagree, it is counted who is right in float64. The last line is one JSON object:
seconds of ours over faiss's, and our megabytes.

    python benchmarks/vote.py [--private 200000] [--candidates 2000] [--width 384] [--k 1] [--rounds 5]

The big case, ours alone, on vectors that lie in a file and are mapped (6 GB, made in the folder of `--scratch`):

    python benchmarks/vote.py --big [--private 2000000] [--candidates 5000] [--width 768] [--rows 200000]

`--rows` searches for that many of them, spread over the whole file.

Needs `pip install -e .[benchmarks]` for faiss.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rounds import in_turn, ratio

from lib.methods.private_evolution.voting import nearest

MB = 1e6


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--big", action="store_true", help="2,000,000 x 768 on the disk against 5,000, ours alone")
    arguments.add_argument("--private", type=int)
    arguments.add_argument("--candidates", type=int)
    arguments.add_argument("--width", type=int)
    arguments.add_argument("--rows", type=int, default=200_000, help="with --big: vectors to search for")
    arguments.add_argument("--k", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--scratch", help="with --big: folder of the file")
    options = arguments.parse_args()
    sizes = (2_000_000, 5_000, 768) if options.big else (200_000, 2_000, 384)
    for name, size in zip(("private", "candidates", "width"), sizes, strict=True):
        setattr(options, name, getattr(options, name) or size)
    print(f"{options.private:,} x {options.width} against {options.candidates:,}, k = {options.k}, ", end="")
    print(f"{torch.get_num_threads()} threads\n", flush=True)
    print(json.dumps(big(options) if options.big else compare(options)))


def compare(options: argparse.Namespace) -> dict[str, float]:
    """Both sides by turns; agreement; memory of ours."""
    import faiss

    private, candidates = made(options.private, options.width, 0), made(options.candidates, options.width, 1)

    def flat() -> np.ndarray:
        index = faiss.IndexFlatL2(options.width)
        index.add(candidates)
        return index.search(private, options.k)[1]

    sides: dict[str, Callable[[], np.ndarray]] = {
        "faiss IndexFlatL2": flat,
        "ours": lambda: nearest(private, candidates, options.k, device="cpu"),
    }
    found = {side: run() for side, run in sides.items()}  # and a warm start for both
    seconds = in_turn(sides, options.rounds)
    theirs, ours = seconds.values()
    over = ratio(ours, theirs)
    print(f"{'side':<20}{'least s':>10}{'median s':>10}{'ratio':>8}")
    for side, one in seconds.items():
        relative = 1.0 if one is theirs else over
        print(f"{side:<20}{min(one):>10.3f}{statistics.median(one):>10.3f}{relative:>8.2f}")
    judge(private, candidates, *found.values())
    with multiprocessing.get_context("spawn").Pool(1) as fresh:
        memory = fresh.apply(memory_of_ours, (options.private, options.candidates, options.width, options.k))
    print(f"largest memory of ours beyond the vectors: {memory:.0f} MB\n")
    return {"vote_time": over, "vote_memory_mb": memory}


def judge(private: np.ndarray, candidates: np.ndarray, theirs: np.ndarray, ours: np.ndarray) -> None:
    """How often the sides name the same candidate, and whose is nearer where not."""
    rows, places = np.nonzero(theirs != ours)
    x = private[rows].astype(np.float64)
    a, b = (((x - candidates[found[rows, places]]) ** 2).sum(1) for found in (theirs, ours))
    print(f"\nagree on {ours.size - len(rows):,} of {ours.size:,}; elsewhere ours is nearer in float64 ", end="")
    print(f"{(b < a).sum()} times, faiss's {(a < b).sum()} times")


def memory_of_ours(private: int, candidates: int, width: int, k: int) -> float:
    """MB of our search in this process beyond its vectors, libraries loaded and used once before."""
    vectors, others = made(private, width, 0), made(candidates, width, 1)
    nearest(vectors[:64], others[:64], k, device="cpu")
    with Peak() as peak:
        nearest(vectors, others, k, device="cpu")
    return peak.bytes / MB


def big(options: argparse.Namespace) -> dict[str, float]:
    """Ours on a memory map; its pages in memory are the vectors', so they are told apart from the rest."""
    candidates = made(options.candidates, options.width, 1)
    nearest(candidates[:64], candidates[:64], options.k)
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        path = Path(scratch) / "vectors.npy"
        shape = (options.private, options.width)
        file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        for start in range(0, options.private, 10_000):
            file[start : start + 10_000] = made(min(10_000, options.private - start), options.width, start + 2)
        file.flush()
        del file
        vectors = np.load(path, mmap_mode="r")
        step = max(1, options.private // options.rows)
        rows = np.arange(0, options.private, step)
        with Peak() as peak:
            start = time.perf_counter()
            nearest(vectors, candidates, options.k, rows=rows)
            seconds = time.perf_counter() - start
    print(f"{len(rows):,} of {options.private:,} vectors in {seconds:.1f} s, ", end="")
    print(f"all would take {seconds * options.private / len(rows):.0f} s")
    print(f"largest memory beyond the mapped vectors: {peak.bytes / MB:.0f} MB\n")
    return {"big_seconds": seconds * options.private / len(rows), "big_memory_mb": peak.bytes / MB}


def made(count: int, width: int, seed: int) -> np.ndarray:
    """Random unit vectors, float32."""
    vectors = np.random.default_rng(seed).standard_normal((count, width), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Peak:
    """The largest private memory (resident, less the pages of mapped files) above the start's, looked at every 5 ms."""

    def __enter__(self) -> "Peak":
        self._start, self.bytes, self._ended = self._now(), 0, threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ended.wait(0.005):
            self.bytes = max(self.bytes, self._now() - self._start)

    def _now(self) -> int:
        memory = psutil.Process().memory_info()
        return memory.rss - memory.shared


if __name__ == "__main__":
    main()
