"""Two figures beside the epsilon of an arm: for a unit that is replaced, and for the best of several arms.

The arms are those of preset quick, DP-SGD and votes, calibrated anew to each target with the corpus' label counts and
the count of copies: `--units` units, delta 1/(n ln n).

Replacing: `lib.privacy.accounting.epsilon_replacing`, and how large the factor e^epsilon is.

Choosing, for 2 to 64 tries. A try is an arm and a score, a noisy count with the noise of the count of copies. `all`:
as many tries, composed, which is what a pack states that was chosen among them. The others have a random number of
tries, so many on average. `best`: a try is the last with a fixed chance (`lib.privacy.private_selection`); `Renyi`:
the same number of tries by the Renyi divergences of Papernot & Steinke (2022), from dp-accounting; `3 eps`: the bound
of Liu & Talwar (2019) without a delta, put at delta / tries. `top`: how probably the best is one of the best tenth
that tries can give, for a fixed number of tries and for the random one. The last line is one JSON object: `all` and
`best` by arm.

    python benchmarks/guarantee.py [--units 15570] [--targets 1 2 4 8]
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.dp_event import ComposedDpEvent, DpEvent, RepeatAndSelectDpEvent
from dp_accounting.rdp import RdpAccountant

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.methods import registry
from lib.pipeline.preflight import preflight
from lib.privacy import copy_count, label_histogram
from lib.privacy.accounting import SEARCH_DISCRETIZATION, Mechanism, default_delta, epsilon, epsilon_replacing
from lib.privacy.private_selection import epsilon_of_best

ARMS = {"DP-SGD": "10_finetune_dp_lora.eps8", "votes": "12_aug_pe.eps8"}  # of quick
TRIES = (2, 4, 8, 16, 64)
TOP = 0.1


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--units", type=int, default=15570)
    arguments.add_argument("--targets", type=float, nargs="+", default=[1, 2, 4, 8])
    options = arguments.parse_args()
    logging.getLogger("absl").setLevel(logging.ERROR)  # Renyi orders that are left out, of many
    delta = default_delta(options.units)
    stages = {id: node.parameters for id, node in preflight("quick", "quick").nodes.items()}
    counted = label_histogram.mechanism(stages["00_process_data"])
    once = [] if counted is None else [counted]
    made = {
        (name, target): drawn(stages[id] | {"target_epsilon": target}, id, options.units, delta, once)
        for target in options.targets
        for name, id in ARMS.items()
    }
    print(
        f"{options.units:,} units, delta {delta:.3g}\n\n{'arm':<10}{'target':>7}{'one in or out':>15}{'replaced':>10}"
    )
    for (name, target), arm in made.items():
        spent, replaced = epsilon([*once, *arm], delta=delta), epsilon_replacing((*once, *arm), delta)
        print(f"{name:<10}{target:>7g}{spent:>15.3f}{replaced:>10.2f}", flush=True)
    print(f"\n{'arm':<10}{'target':>7}{'tries':>7}{'all':>9}{'best':>9}{'Renyi':>9}{'3 eps':>9}{'top':>12}")
    figures: dict[str, dict[str, float]] = {}
    for (name, target), arm in made.items():
        for tries in TRIES:
            composed, picked, renyi, pure = prices([*arm, arm[-1]], once, tries, delta)
            top = f"{1 - (1 - TOP) ** tries:.2f} {best_in_top(tries):.2f}"
            row = "".join(f"{price:>9.2f}" for price in (composed, picked, renyi, pure))
            print(f"{name:<10}{target:>7g}{tries:>7}{row}{top:>12}", flush=True)
            figures[f"{name}_eps{target:g}_tries{tries}"] = {"all": round(composed, 2), "best": round(picked, 2)}
    print(json.dumps(figures))


def drawn(parameters: dict, id: str, units: int, delta: float, once: Sequence[Mechanism]) -> list[Mechanism]:
    """What an arm draws: its own noise, and last its count of copies."""
    method = registry.spending(id.partition(".")[0])
    own = method.mechanism(parameters, units=units, delta=delta, others=once)
    return [own, copy_count.mechanism(parameters, delta)]


def prices(one: Sequence[Mechanism], once: Sequence[Mechanism], tries: int, delta: float) -> tuple[float, ...]:
    """Epsilon of choosing among tries: all composed, and three bounds for a random number of them."""
    every = [replace(mechanism, count=mechanism.count * tries) for mechanism in one]
    composed = epsilon([*once, *every], delta=delta, discretization=SEARCH_DISCRETIZATION)
    picked = epsilon_of_best([one], tries=tries, delta=delta, others=once)
    selected = RepeatAndSelectDpEvent(ComposedDpEvent([*map(event, one)]), tries, 1)
    renyi = RdpAccountant().compose(ComposedDpEvent([selected, *map(event, once)])).get_epsilon(delta)
    alone = epsilon([*once, *one], delta=delta / tries, discretization=SEARCH_DISCRETIZATION)
    return composed, picked, renyi, 3 * alone


def event(mechanism: Mechanism) -> DpEvent:
    """The mechanism for dp-accounting; noise on integers is no worse than that of a continuous Gaussian."""
    release, sampled = GaussianDpEvent(mechanism.noise), getattr(mechanism, "sampling_probability", 1)
    return SelfComposedDpEvent(PoissonSampledDpEvent(sampled, release) if sampled < 1 else release, mechanism.count)


def best_in_top(tries: float) -> float:
    """The chance that the best of a geometric number of tries is in the best `TOP` of what tries can give."""
    others = 1 - TOP
    return 1 - others / tries / (1 - (1 - 1 / tries) * others)


if __name__ == "__main__":
    main()
