"""What an ideal attack on a Gaussian mechanism can show in one run: bounds on epsilon beside reference values.

Scores of canaries that were in and out are N(mu / 2, 1) and N(-mu / 2, 1), mu from the true epsilon at delta 1e-5;
bounds at 95%, corrected for the choice of the number of guesses. Two attackers guess from the same scores: one both
ways, as the library's `lower_bound`; one only who is in, half as often. Printed for each: the mean over repetitions
and, after it, its standard error; beside them the reference, and the reach (both ways, every guess right).

How near can two such tables come? With --tables 50, fifty of them are drawn and the share of pairs is printed whose
means lie within 0.15 of each other in every cell. The last line is one JSON object, mean over reference, of the cases
whose reference is well above 0.

    python benchmarks/audit.py [--repetitions 8] [--seed 0] [--tables 0]
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.audit.one_run import ESTIMATORS, GUESS_SHARES, guess_counts, lower_bound, reach
from lib.audit.verdict import ideal_attack

DELTA, BETA, NEAR = 1e-5, 0.05, 0.15
# (canaries, true epsilon) -> bounds in the order of ESTIMATORS, computed elsewhere with a choice of guesses not told
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
    arguments.add_argument("--tables", type=int, default=0, help="how many tables to compare with each other")
    options = arguments.parse_args()
    if options.repetitions < 2 or options.tables == 1:
        arguments.error("at least 2 repetitions, and at least 2 tables or none")
    print(f"delta {DELTA:g}, 95%, {options.repetitions} repetitions, seed {options.seed}\n")
    print(f"{'m':>5}{'epsilon':>9}  {'estimator':<15}{'both ways':>14}{'in alone':>14}{'reference':>11}{'reach':>8}")
    ratios, start = {}, time.perf_counter()
    for case, references in REFERENCE.items():
        bounds = simulated(*case, options.repetitions, options.seed)  # (attacker, estimator, repetition)
        means, errors = bounds.mean(axis=-1), bounds.std(axis=-1, ddof=1) / options.repetitions**0.5
        for row, (estimator, reference) in enumerate(zip(ESTIMATORS, references, strict=True)):
            cells = "".join(f"{means[who, row]:>7.2f} ± {errors[who, row]:.2f}" for who in (0, 1))
            most = reach(case[0], estimator=estimator, delta=DELTA)
            print(f"{case[0]:>5}{case[1]:>9}  {estimator:<15}{cells}{reference:>11.2f}{most:>8.2f}")
            if reference >= 0.5:
                ratios[f"audit_{estimator.split()[0]}_m{case[0]}_eps{case[1]}"] = means[0, row] / reference
    if options.tables:
        for name, share in zip(("both ways", "in alone"), agreement(options), strict=True):
            print(f"\n{options.tables} tables, {name}: {share:.1%} of pairs within {NEAR} in every cell")
    print(f"\n{time.perf_counter() - start:.1f} s")
    print(json.dumps(ratios))


def simulated(canaries: int, epsilon: float, repetitions: int, seed: int) -> np.ndarray:
    """Bounds, (2 attackers, estimators, repetitions): both ways, then in alone; all see the same scores."""
    found = np.empty((2, len(ESTIMATORS), repetitions))
    for repetition in range(repetitions):
        rng = np.random.default_rng([seed, canaries, epsilon, repetition])
        scores, included = ideal_attack(epsilon, canaries, delta=DELTA, rng=rng)
        for row, estimator in enumerate(ESTIMATORS):
            both = lower_bound(scores, included, estimator=estimator, delta=DELTA, beta=BETA, rng=rng)
            found[:, row, repetition] = both.epsilon, in_alone(scores, included, estimator)
    return found


def in_alone(scores: np.ndarray, included: np.ndarray, estimator: str) -> float:
    """The bound of an attacker who names the half of `guess_counts` that scores highest, and nobody who is out."""
    highest = included[np.argsort(-scores)]
    counts = [guesses // 2 for guesses in guess_counts(len(scores))]
    given = {"delta": DELTA, "beta": BETA / len(GUESS_SHARES)}
    return max(ESTIMATORS[estimator](int(highest[:r].sum()), r, len(scores), **given) for r in counts)


def agreement(options: argparse.Namespace) -> np.ndarray:
    """Share of pairs of tables, each of ``repetitions``, whose means are `NEAR` each other in all cells, (2,)."""
    one, other = np.triu_indices(options.tables, 1)
    share = np.ones(2)  # by attacker, as in `simulated`
    for case in REFERENCE:  # cases are independent; estimators see the same scores
        bounds = simulated(*case, options.tables * options.repetitions, options.seed + 1)
        means = bounds.reshape(2, len(ESTIMATORS), options.tables, options.repetitions).mean(axis=-1)
        share *= (abs(means[..., one] - means[..., other]) <= NEAR).all(axis=1).mean(axis=-1)
    return share


if __name__ == "__main__":
    main()
