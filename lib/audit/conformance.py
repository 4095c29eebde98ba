"""Whether a mechanism that ran is the one that was accounted for: noise, clipping, sampler and seeds, measured.

A correct mechanism is refused by a check with chance at most `FALSE_ALARM`. No check reads a private record: canaries
and noise alone are looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest, chi2

from lib.common.formatting import number

if TYPE_CHECKING:
    from lib.privacy.mechanisms import SamplerCheck

FALSE_ALARM = 1e-6  # chance that a check refuses a correct mechanism
CLIPPING_SLACK = 1e-9  # relative; what measuring a norm in float64 may add
MARK = 16  # values of a release by which it is told from others


@dataclass(frozen=True)
class Check:
    """One property of a mechanism that ran.

    Attributes:
        what: the property, in words.
        measured: what was found, in words.
        claimed: what the accountant assumes, in words.
        passed: whether both fit.
    """

    what: str
    measured: str
    claimed: str
    passed: bool


def noise(values: np.ndarray, noise_multiplier: float) -> Check:
    """The standard deviation of the noise; both tails of the chi-square distribution of its mean square.

    Args:
        values: releases about units that are not there, or with what units add taken off, in units of the sensitivity;
            any shape.
        noise_multiplier: the claimed standard deviation, in the same units, above 0.
    """
    count = values.size
    measured = math.sqrt(float(np.square(values, dtype=np.float64).mean()))
    squares = count * (measured / noise_multiplier) ** 2
    tail = min(chi2.cdf(squares, count), chi2.sf(squares, count))
    error = 1.96 / math.sqrt(2 * count)
    return Check(
        "standard deviation of the noise",
        f"{measured:.6g}, from {number(count)} values (to {error:.2%})",
        f"{noise_multiplier:.6g}",
        bool(tail >= FALSE_ALARM / 2),
    )


def chance(count: int, of: int, claimed: float, what: str) -> Check:
    """How often something happens that must happen with a known chance; both tails of the binomial distribution.

    Args:
        count: how often it happened.
        of: independent trials, at least 1.
        claimed: the chance, in (0, 1).
        what: the property that this tests, in words.
    """
    passed = binomtest(count, of, claimed).pvalue >= FALSE_ALARM
    return Check(what, f"{count / of:.4%} of {number(of)} draws", f"{claimed:.4%}", bool(passed))


def sensitivity(norms: np.ndarray) -> Check:
    """The most that one unit changes a release.

    Args:
        norms: of what single units changed, over the claimed sensitivity; shape (n,), n at least 1.
    """
    largest = float(norms.max())
    return Check(
        "the most that one unit changes",
        f"{largest:.7f}, of {number(len(norms))} units that try to change more",
        "at most 1",
        largest <= 1 + CLIPPING_SLACK,
    )


def sampler(check: "SamplerCheck") -> Check:
    """Whether the batches are Poisson samples.

    Args:
        check: of `lib.privacy.mechanisms.check_sampler`, over all runs.
    """
    measured = f"mean {check.mean_batch:.1f}" + "".join(f"; {reason}" for reason in check.reasons)
    return Check("the batches", measured, f"Poisson samples, mean {check.expected_batch:.1f}", check.passed)


def seeds(marks: Sequence[np.ndarray]) -> Check:
    """Whether any two releases have the same noise, as they do when a seed is used twice.

    Args:
        marks: for each release, its noise at the same few places, shape (`MARK`,).
    """
    different = len({mark.tobytes() for mark in marks})
    return Check(
        "releases whose noise no other has",
        f"{number(different)} of {number(len(marks))}",
        "all",
        different == len(marks),
    )
