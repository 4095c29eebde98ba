"""The noisy count of private units that an arm copies, as a mechanism. Light: `verify` imports it.

Before an arm is released, somebody has to ask whether it repeats private text. An exact answer would decide about the
release from private records, and that decision is not differentially private: a text that is refused only if it stands
in the corpus tells, by being released, that it does not. So the question is asked with noise, and is in the ledger.
"""

import math
from collections.abc import Mapping

from lib.privacy.accounting import DiscreteGaussian

WHAT = "count of copied units"  # as ledgers call the event
FILE = "copy_count.json"  # of an arm: what came out
DEVIATIONS = 3  # of the noise: an arm that copies nobody is refused once in 740 times


def mechanism(parameters: Mapping[str, object], delta: float) -> DiscreteGaussian | None:
    """What an arm draws after its texts are written: one count of copied units, with discrete Gaussian noise.

    Unit and neighbours: add or remove one record, or one user. Given the texts, a unit adds at most 1 to the count
    (`lib.audit.verbatim.copied_units`; of pictures and rows `lib.audit.copied_records`): the sensitivity is 1. Sampler:
    none, every unit is looked at.

    The noise follows from the settings alone. By the zCDP bound epsilon = rho + 2 sqrt(rho ln(1/delta)) with
    rho = 1 / (2 sigma^2) (Bun & Steinke 2016; Canonne, Kamath & Steinke 2020), the count by itself spends at most
    ``copy_share`` of the target. What it adds to the arm is less, as the ledger composes both exactly.

    Args:
        parameters: of the stage that draws the arm's noise, or the settings that a certificate has of it:
            ``target_epsilon``, > 0 or None; ``copy_share`` in [0, 1), absent before there was a count.
        delta: of the arm, in (0, 1).

    Returns:
        None for an arm without a target, and where ``copy_share`` is 0.
    """
    share, target = parameters.get("copy_share"), parameters.get("target_epsilon")
    if not share or target is None:
        return None
    log = math.log(1 / delta)
    root = math.sqrt(log + share * target) - math.sqrt(log)  # of rho
    return DiscreteGaussian(float(f"{1 / math.sqrt(2) / root * 1.0005:.4g}"))  # the factor: never rounded down


def limit(scale: float) -> int:
    """The noisy count above which an arm is not released.

    Args:
        scale: sigma of the noise, > 0.

    Returns:
        `DEVIATIONS` of it, rounded up: an arm whose texts copy nobody passes but once in 740 times; one that copies
        twice as many units as this is refused as surely.
    """
    return math.ceil(DEVIATIONS * scale)
