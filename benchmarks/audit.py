"""What canaries show about an epsilon: bounds of the real mechanisms by number of canaries, planted faults, coverage.

1. Canaries go through mechanisms of the size of quick's (DP-SGD with q = 144 / 3,114 and 6 steps; 3 votes; both near
   epsilon 8). Printed: the bound by the mechanism's own trade-off curve, its ceiling (an ideal attack), what holds for
   any mechanism (Steinke et al. 2023), the claim, and the time.
2. The same with a fault planted: each must read violated.
3. Coverage: canaries of two small mechanisms are split into 200 audits. A bound may be above the true epsilon in 5% of
   them.
4. What an ideal attack shows on a Gaussian mechanism by the two bounds from one run, beside reference values.

The last line is one JSON object: bound over claim, the share of wrong bounds, and one-run bounds over their references.

    python benchmarks/audit.py [--canaries 200 1000 10000 100000] [--repetitions 8] [--seed 0]
"""

import argparse
import json
import sys
import time
from pathlib import Path
from statistics import mean

import numpy as np
from dp_accounting import get_sigma_gaussian

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.audit import finding, ideal_attack, one_run
from lib.audit.canary_run import Access, Fault
from lib.audit.trade_off import lower_bound
from lib.audit.verdict import Verdict
from lib.methods.dp_lora import canaries as gradients
from lib.methods.private_evolution import canaries as ballots
from lib.privacy.accounting import Gaussian

DELTA, AUDITS, EACH, PLANTED = 3.9923e-5, 200, 400, 10_000
DP_SGD = Access("10", "DP-SGD", Gaussian(0.453685, 144 / 3114, 6), {"max_grad_norm": 1.0}, "record", DELTA)
VOTES = Access("12", "votes", Gaussian(1.00189, 1.0, 3), {"k_nn": 1}, "record", DELTA)
SMALL = (
    (gradients.send, Access("10", "small DP-SGD", Gaussian(0.6, 0.5, 2), {"max_grad_norm": 1.0}, "record", 1e-5)),
    (ballots.send, Access("12", "small vote", Gaussian(1.0), {"k_nn": 2}, "user", 1e-5)),
)
# (canaries, true epsilon) -> one-run bounds in the order of ESTIMATORS, computed elsewhere at delta 1e-5
REFERENCE = {(200, 4): (0.80, 1.49), (200, 8): (1.54, 2.08), (1000, 4): (1.23, 1.78), (1000, 8): (2.15, 2.95)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--canaries", type=int, nargs="+", default=[200, 1_000, 10_000, 100_000])
    arguments.add_argument("--repetitions", type=int, default=8)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    rng = np.random.default_rng(options.seed)
    ratios = bounds(options.canaries, rng) | planted(rng) | coverage(rng) | ideal(options.repetitions, rng)
    print(json.dumps(ratios))


def bounds(numbers: list[int], rng: np.random.Generator) -> dict[str, float]:
    """1: the bounds of the real mechanisms."""
    print(f"{'mechanism':<10}{'canaries':>10}{'bound':>8}{'ceiling':>9}{'any':>7}{'claim':>7}{'seconds':>9}  verdict")
    ratios = {}
    for send, access in ((gradients.send, DP_SGD), (ballots.send, VOTES)):
        for number in numbers:
            start = time.perf_counter()
            run = send(access, number, rng=rng)
            seconds, found = time.perf_counter() - start, finding.judge(access, run)
            any_kind = one_run.lower_bound(run.scores, run.included, estimator="steinke", delta=DELTA, rng=rng).epsilon
            figures = f"{found.bound.epsilon:>8.2f}{found.ceiling:>9.2f}{any_kind:>7.2f}{found.claim:>7.2f}"
            print(f"{access.what:<10}{number:>10,}{figures}{seconds:>9.1f}  {found.verdict}")
            ratios[f"audit_{access.what}_m{number}"] = found.bound.epsilon / found.claim
    return ratios


def planted(rng: np.random.Generator) -> dict[str, float]:
    """2: the planted faults; the share that reads violated."""
    caught = []
    print(
        f"\n{'mechanism':<10}{'fault, ' + format(PLANTED, ',') + ' canaries':<36}{'bound':>8}  verdict; refused checks"
    )
    for send, access in ((gradients.send, DP_SGD), (ballots.send, VOTES)):
        for fault in (fault for fault in Fault if fault.applies_to(access.mechanism)):
            found = finding.judge(access, send(access, PLANTED, rng=rng, fault=fault))
            refused = ", ".join(check.what for check in found.checks if not check.passed)
            print(f"{access.what:<10}{fault:<36}{found.bound.epsilon:>8.2f}  {found.verdict}; {refused}")
            caught.append(found.verdict is Verdict.VIOLATED)
    return {"audit_faults_caught": mean(caught)}


def coverage(rng: np.random.Generator) -> dict[str, float]:
    """3: the share of small audits whose bound is above the true epsilon; canaries are independent of each other."""
    wrong = {}
    print(f"\n{AUDITS} audits of {EACH} canaries each")
    for send, access in SMALL:
        run, truth = send(access, AUDITS * EACH, rng=rng), access.mechanism.epsilon_at_least(access.delta)
        given = {"thresholds": ideal_attack.plan(access.mechanism).thresholds, "mechanism": access.mechanism}
        shown = [
            lower_bound(scores, included, **given, delta=access.delta).epsilon
            for scores, included in zip(np.split(run.scores, AUDITS), np.split(run.included, AUDITS), strict=True)
        ]
        above = sum(bound > truth for bound in shown)
        print(
            f"{access.what}: epsilon {truth:.2f}, mean bound {mean(shown):.2f}, above the truth in {above} of {AUDITS}"
        )
        wrong[f"audit_wrong_{access.what.replace(' ', '_')}"] = above / AUDITS
    return wrong


def ideal(repetitions: int, rng: np.random.Generator) -> dict[str, float]:
    """4: one-run bounds of an ideal attack on a Gaussian mechanism, as means, beside their references."""
    ratios = {}
    print(f"\n{'canaries':>8}{'epsilon':>9}  {'one run':<15}{'mean':>7}{'reference':>11}")
    for (number, epsilon), references in REFERENCE.items():
        mechanism, inside = Gaussian(get_sigma_gaussian(epsilon, 1e-5)), np.arange(number) < number // 2
        seen = [mechanism.ideal_scores(inside, rng) for _ in range(repetitions)]
        for name, reference in zip(one_run.ESTIMATORS, references, strict=True):
            given = {"estimator": name, "delta": 1e-5, "rng": rng}
            shown = mean(one_run.lower_bound(scores, inside, **given).epsilon for scores in seen)
            print(f"{number:>8}{epsilon:>9}  {name:<15}{shown:>7.2f}{reference:>11.2f}")
            ratios[f"audit_{name.split()[0]}_m{number}_eps{epsilon}"] = shown / reference
    return ratios


if __name__ == "__main__":
    main()
