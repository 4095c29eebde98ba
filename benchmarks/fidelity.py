"""Seconds and memory of every embedding metric on 10,000 x 10,000 vectors of 384, and MAUVE against `mauve-text`.

The vectors lie on the unit sphere around 50 topics, their variances falling as those of sentence embeddings do; the
synthetic side is shifted. `mauve-text` is the authors' package; it is compared where it is installed
(`pip install -e .[benchmarks]`): time, in interleaved repetitions with one seed each, and value, with its noise over
these seeds. The last line is one JSON object: seconds and GiB of all metrics together (no bootstrap), and MAUVE's time
over the reference's.

    python benchmarks/fidelity.py [--records 10000] [--dimensions 384] [--repeats 5]
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.evaluation.fidelity.clusters import joint_clusters, kl_divergence, total_variation
from lib.evaluation.fidelity.diversity import vendi_score
from lib.evaluation.fidelity.frechet_mmd import frechet_distance, frechet_infinity, mmd
from lib.evaluation.fidelity.mauve import frontier_area, mauve
from lib.evaluation.fidelity.precision_recall import manifold
from lib.evaluation.fidelity.sinkhorn import sinkhorn_divergence
from lib.evaluation.fidelity.two_sample_test import two_sample_accuracy


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--records", type=int, default=10_000)
    arguments.add_argument("--dimensions", type=int, default=384)
    arguments.add_argument("--repeats", type=int, default=5, help="of MAUVE, on either side")
    options = arguments.parse_args()

    real, synthetic = vectors(options.records, options.dimensions)
    print(f"{len(real):,} x {len(synthetic):,} vectors of {real.shape[1]}\n")
    ratios = all_metrics(real, synthetic)
    if find_spec("mauve") is None:
        print("\nmauve-text is not installed: no comparison")
    else:
        ratios["mauve_time"] = compare_mauve(real, synthetic, options.repeats)
    print(json.dumps(ratios))


def vectors(records: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of unit vectors, (records, dimensions) in float32, of like but not equal distributions."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    axes = turn * (1.0 + np.arange(dimensions))[:, None] ** -0.6
    topics = rng.normal(size=(50, dimensions)) @ axes

    def draw(shift: float) -> np.ndarray:
        rows = topics[rng.integers(len(topics), size=records)] + rng.normal(size=(records, dimensions)) @ axes + shift
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    return draw(0.0), draw(0.01)


def all_metrics(real: np.ndarray, synthetic: np.ndarray) -> dict[str, float]:
    """Compute each metric once, in turn, and show value and seconds; all seconds and the peak memory in GiB."""

    def histograms() -> str:
        p, q = joint_clusters(real, synthetic, seed=0).histograms()
        return f"{frontier_area(p, q):.4f}, {kl_divergence(p, q):.4f}, {total_variation(p, q):.4f}"

    rng = np.random.default_rng(0)
    metrics: dict[str, Callable[[], object]] = {
        "frechet": lambda: frechet_distance(real, synthetic),
        "frechet at infinity": lambda: frechet_infinity(real, synthetic, rng),
        "MMD, 200 permutations": lambda: mmd(real, synthetic, rng).value,
        "sinkhorn": lambda: sinkhorn_divergence(real, synthetic),
        "precision, recall, density, coverage": lambda: ", ".join(
            f"{one:.4f}" for one in vars(manifold(real, synthetic)).values()
        ),
        "MAUVE, KL, TV": histograms,
        "two-sample accuracy": lambda: two_sample_accuracy(real, synthetic, seed=0),
        "vendi": lambda: vendi_score(synthetic),
    }
    total = 0.0
    for name, compute in metrics.items():
        seconds, value = timed(compute)
        total += seconds
        shown = value if isinstance(value, str) else f"{value:.6f}"
        print(f"{name:<38}{seconds:>7.2f} s   {shown}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'all':<38}{total:>7.2f} s   peak {peak:.2f} GiB")
    return {"fidelity_seconds": round(total, 2), "fidelity_peak_gib": round(peak, 3)}


def compare_mauve(real: np.ndarray, synthetic: np.ndarray, repeats: int) -> float:
    """Median time of ours over that of the reference, and both values over the same seeds, shown."""
    from mauve import compute_mauve

    sides = {
        "ours": lambda seed: mauve(real, synthetic, seed=seed),
        "mauve-text": lambda seed: compute_mauve(real, synthetic, seed=seed).mauve,
    }
    runs: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}  # seconds, value
    for seed in range(repeats):
        for side, run in sides.items():
            runs[side].append(timed(lambda run=run, seed=seed: run(seed)))
    print(f"\n{'MAUVE':<14}{'median s':>10}{'mean':>10}{'sd over seeds':>16}")
    for side, one in runs.items():
        seconds, values = zip(*one, strict=True)
        spread = statistics.stdev(values) if repeats > 1 else float("nan")
        print(f"{side:<14}{statistics.median(seconds):>10.2f}{statistics.mean(values):>10.4f}{spread:>16.4f}")
    ours, theirs = (statistics.median(seconds for seconds, _ in one) for one in runs.values())
    return round(ours / theirs, 3)


def timed(compute: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    value = compute()
    return time.perf_counter() - start, value


if __name__ == "__main__":
    main()
