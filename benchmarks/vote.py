"""Votes for the nearest candidate: Doppel's search against faiss's flat index, in one process, round by round.

Both find, for each of `--private` made unit vectors, the exact nearest of `--candidates`, with all cores; faiss in
float32 (IndexFlatL2), ours by float64's distances. A round runs each side once, in turn; the ratio is the median of
the rounds'. Memory is the largest that a fresh process holds during our side alone, beyond what it held with its
vectors loaded. Where the sides disagree, it is counted who is right in float64. The last line is one JSON object:
seconds of ours over faiss's, and our megabytes.

    python benchmarks/vote.py [--private 200000] [--candidates 2000] [--width 384] [--k 1] [--rounds 5]

Needs `pip install -e .[benchmarks]` for faiss.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peak import MB, Peak
from rounds import in_turn, ratio

from lib.methods.private_evolution.voting import nearest


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--private", type=int, default=200_000)
    arguments.add_argument("--candidates", type=int, default=2_000)
    arguments.add_argument("--width", type=int, default=384)
    arguments.add_argument("--k", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    print(f"{options.private:,} x {options.width} against {options.candidates:,}, k = {options.k}, ", end="")
    print(f"{torch.get_num_threads()} threads\n", flush=True)
    print(json.dumps(compare(options)))


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


def made(count: int, width: int, seed: int) -> np.ndarray:
    """Random unit vectors, float32."""
    vectors = np.random.default_rng(seed).standard_normal((count, width), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
