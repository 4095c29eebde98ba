"""Millions of voters: an exact vote whose private vectors lie on the disk, beside faiss' flat index on a tenth of them.

Made-up unit vectors, 2,000,000 x 768 (6.1 GB), are written to a file of the folder `--scratch`, which is removed at the
end; they are mapped, and each votes for the nearest of 5,000 candidates of its own label cell. The time is that of one
whole vote (`lib.methods.private_evolution.voting.vote`). Memory is the largest private memory beyond what the process
held before the vote: pages of the map count as the file's. For `--check` of the voters, spread over the file, a vote is
counted again by float64 distances to all candidates of the cell, and must be equal. faiss (IndexFlatL2, float32, all
cores) searches for a tenth of the vectors, in memory, among all candidates; ours does the same beside it. The last line
is one JSON object: seconds of a vote, megabytes, voters that were checked and voted otherwise, our seconds over faiss'.

    python benchmarks/voters.py [--private 2000000] [--candidates 5000] [--width 768] [--cells 1] [--check 500]

Needs `pip install -e .[benchmarks]` for faiss; without it, its part is left out.
"""

import argparse
import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peak import MB, Peak
from vote import judge, made

from lib.methods.private_evolution.voting import VOTE, nearest, vote

BLOCK = 10_000  # vectors that are made at a time


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--private", type=int, default=2_000_000)
    arguments.add_argument("--candidates", type=int, default=5_000)
    arguments.add_argument("--width", type=int, default=768)
    arguments.add_argument("--cells", type=int, default=1)
    arguments.add_argument("--check", type=int, default=500)
    arguments.add_argument("--scratch", help="folder of the file; the system's by default")
    options = arguments.parse_args()
    candidates = made(options.candidates, options.width, 1)
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        vectors = mapped(Path(scratch) / "vectors.npy", options)
        print(f"{options.private:,} x {options.width} in {vectors.nbytes / 1e9:.2f} GB on the disk, ", end="")
        print(
            f"{options.candidates:,} candidates, cells: {options.cells}, threads: {torch.get_num_threads()}", flush=True
        )
        ratios = voted(vectors, candidates, options)
        if find_spec("faiss"):
            ratios |= beside_faiss(np.array(vectors[::10]), candidates)
    print(f"\n{json.dumps(ratios)}")


def mapped(path: Path, options: argparse.Namespace) -> np.ndarray:
    """Made-up vectors in a file, memory-mapped to read."""
    shape = (options.private, options.width)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for start in range(0, options.private, BLOCK):
        file[start : start + BLOCK] = made(min(BLOCK, options.private - start), options.width, start + 2)
    file.flush()
    return np.load(path, mmap_mode="r")


def voted(vectors: np.ndarray, candidates: np.ndarray, options: argparse.Namespace) -> dict[str, float]:
    """One whole vote: its time, its memory, and voters that float64 would let vote otherwise."""
    cells, of_candidates = np.arange(len(vectors)) % options.cells, np.arange(len(candidates)) % options.cells
    given = {"candidate_cells": of_candidates, "k_nn": 1}
    vote(candidates, candidates, private_cells=of_candidates, **given)  # libraries are loaded
    with Peak() as peak:
        start = time.perf_counter()
        histogram = vote(vectors, candidates, private_cells=cells, **given)
        seconds = time.perf_counter() - start
    assert histogram.sum() == len(vectors) * VOTE, "everybody has one vote"
    rows = np.linspace(0, len(vectors) - 1, options.check).astype(int)
    wrong = 0
    for row in rows:
        alone = vote(vectors[row][None], candidates, private_cells=cells[row][None], **given)
        distances = np.square(vectors[row].astype(np.float64) - candidates.astype(np.float64)).sum(1)
        distances[of_candidates != cells[row]] = np.inf
        wrong += int(np.flatnonzero(alone)[0] != distances.argmin())
    print(f"a vote takes {seconds:.1f} s and {peak.bytes / MB:.0f} MB beyond the map; ", end="")
    print(f"{wrong} of {len(rows)} voters that were checked vote otherwise in float64", flush=True)
    return {"voters_seconds": seconds, "voters_mb": peak.bytes / MB, "voters_wrong": wrong}


def beside_faiss(private: np.ndarray, candidates: np.ndarray) -> dict[str, float]:
    """Both sides on vectors in memory, once each after a warm start."""
    import faiss

    index = faiss.IndexFlatL2(candidates.shape[1])
    index.add(candidates)
    sides = {
        "faiss IndexFlatL2": lambda vectors: index.search(vectors, 1)[1],
        "ours": lambda vectors: nearest(vectors, candidates, 1, device="cpu"),
    }
    seconds, found = {}, {}
    for side, run in sides.items():
        run(private[:1000])
        start = time.perf_counter()
        found[side] = run(private)
        seconds[side] = time.perf_counter() - start
        print(f"{side:<20}{len(private):>12,} vectors, one cell: {seconds[side]:.1f} s", flush=True)
    judge(private, candidates, *found.values())
    theirs, ours = seconds.values()
    return {"voters_over_faiss": ours / theirs}


if __name__ == "__main__":
    main()
