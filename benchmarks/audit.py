"""What an ideal attack on a Gaussian mechanism can show in one run: bounds on epsilon beside reference values.

Scores of canaries that were in and out are N(mu / 2, 1) and N(-mu / 2, 1), mu from the true epsilon at delta 1e-5;
bounds at 95%, corrected for the choice of the number of guesses. Printed: mean and range over repetitions, the
reference, and the reach (the bound with every guess right). The last line is one JSON object, mean over reference,
of the cases whose reference is well above 0.

    python benchmarks/audit.py [--repetitions 8] [--seed 0]
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.privacy.audit import ideal_attack
from lib.privacy.one_run import ESTIMATORS, lower_bound, reach

DELTA = 1e-5
# (canaries, true epsilon) -> bounds in the order of ESTIMATORS, computed elsewhere with another choice of guesses
REFERENCE = {
    (200, 1): (0.01, 0.03),
    (200, 4): (0.80, 1.49),
    (200, 8): (1.54, 2.08),
    (1000, 1): (0.08, 0.03),
    (1000, 4): (1.23, 1.78),
    (1000, 8): (2.15, 2.95),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--repetitions", type=int, default=8)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    print(f"delta {DELTA:g}, 95%, {options.repetitions} repetitions, seed {options.seed}\n")
    print(f"{'m':>5}{'epsilon':>9}  {'estimator':<15}{'mean':>7}{'min':>7}{'max':>7}{'reference':>11}{'reach':>8}")
    ratios, start = {}, time.perf_counter()
    for (canaries, epsilon), references in REFERENCE.items():
        for estimator, reference in zip(ESTIMATORS, references, strict=True):
            bounds = simulate(epsilon, canaries, estimator, options)
            most = reach(canaries, estimator=estimator, delta=DELTA)
            figures = f"{np.mean(bounds):>7.2f}{min(bounds):>7.2f}{max(bounds):>7.2f}{reference:>11.2f}{most:>8.2f}"
            print(f"{canaries:>5}{epsilon:>9}  {estimator:<15}{figures}")
            if reference >= 0.5:
                ratios[f"audit_{estimator.split()[0]}_m{canaries}_eps{epsilon}"] = np.mean(bounds) / reference
    print(f"\n{time.perf_counter() - start:.1f} s")
    print(json.dumps(ratios))


def simulate(epsilon: float, canaries: int, estimator: str, options: argparse.Namespace) -> list[float]:
    """The bound of each repetition; both estimators see the same scores."""
    bounds = []
    for repetition in range(options.repetitions):
        rng = np.random.default_rng([options.seed, canaries, epsilon, repetition])
        scores, included = ideal_attack(epsilon, canaries, delta=DELTA, rng=rng)
        bounds.append(lower_bound(scores, included, estimator=estimator, delta=DELTA, rng=rng).epsilon)
    return bounds


if __name__ == "__main__":
    main()
