"""The random draws that privacy rests on: generators, Poisson samples, noisy counts, and the check of the sampler."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from opendp.domains import atom_domain, vector_domain  # opendp.prelude would import scikit-learn as well
from opendp.measurements import make_gaussian
from opendp.metrics import l2_distance
from opendp.mod import enable_features
from scipy.stats import binom

from lib.common.errors import DoppelError

_STATE, _WORDS = 3, 624  # where torch's CPU generator keeps its Mersenne words, in 64-bit units
_PROBE = 0x5EED  # the first word after manual_seed is the seed itself, which shows that _STATE is right
FALSE_ALARM = 1e-6  # chance that a correct Poisson sampler is refused


def noise_generator(privacy_seed: int | None, *stream: int, device: str | torch.device = "cpu") -> torch.Generator:
    """A generator for noise and Poisson draws; ``stream`` (step, purpose) names an independent one.

    With ``privacy_seed=None`` the operating system seeds it and nothing is kept, so nobody can
    redraw the noise. An integer makes it reproducible, and the result not fit for release. On a CPU
    the whole Mersenne state is filled: ``manual_seed`` would use 32 bits of its argument, few
    enough to try them all. CUDA's Philox takes a 64-bit key.
    """
    sequence = np.random.SeedSequence(
        secrets.randbits(256) if privacy_seed is None else [privacy_seed & (2**64 - 1), *stream]
    )
    generator = torch.Generator(device=device)
    if generator.device.type != "cpu":
        return generator.manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))
    state = generator.manual_seed(_PROBE).get_state()
    words = state.numpy().view(np.uint64)
    if int(words[_STATE]) != _PROBE:
        raise RuntimeError("this torch lays out its generator's state differently; revise noise_generator")
    words[_STATE : _STATE + _WORDS] = sequence.generate_state(_WORDS)
    return generator.set_state(state)


def poisson_sample(units: int, sampling_probability: float, generator: torch.Generator) -> torch.Tensor:
    """Indices of a Poisson sample: each of ``units`` joins independently with ``sampling_probability``; may be empty.

    Returns a sorted int64 tensor. Draws are in float64: float32 would round the probability to 2^-24.
    """
    draws = torch.rand(units, generator=generator, dtype=torch.float64, device=generator.device)
    return (draws < sampling_probability).nonzero().flatten().cpu()


def noisy_counts(clean: Sequence[int], scale: float, privacy_seed: int | None, *stream: int) -> list[int]:
    """Counts plus independent discrete Gaussian noise of parameter ``scale`` (Canonne, Kamath & Steinke 2020).

    Unit: one record or one user, who adds at most 1 to one count (L2 sensitivity 1); neighbours:
    add or remove one unit. The draw is OpenDP's exact sampler, seeded by the operating system; an
    integer ``privacy_seed`` (never for release) rounds a seeded normal draw instead, an independent one
    for each ``stream``. Noisy counts can be negative.
    """
    if not scale > 0:
        raise DoppelError(f"the scale of a noisy count is {scale}, it must be positive")
    if privacy_seed is None:
        enable_features("contrib")
        domain = vector_domain(
            atom_domain(T="i64")
        )  # int would be 32 bits: 2,048 votes of `lib.methods.private_evolution.voting`
        return list(make_gaussian(domain, l2_distance(T="f64"), scale=scale)([int(c) for c in clean]))
    noise = np.random.default_rng([privacy_seed, *(stream or (1,))]).normal(0, scale, len(clean))
    return [int(count) + round(draw) for count, draw in zip(clean, noise, strict=True)]


@dataclass(frozen=True)
class SamplerCheck:
    """Do the realised batches look like Poisson samples? ``reasons`` is empty when they do."""

    expected_batch: float
    mean_batch: float
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.reasons

    def require(self) -> None:
        """Raises DoppelError unless the check passed: no epsilon is stated for batches that do not fit."""
        if self.reasons:
            raise DoppelError(f"the batches are no Poisson samples ({'; '.join(self.reasons)}); no epsilon is stated")


def check_sampler(
    sizes: Sequence[int], overlaps: Sequence[int], *, units: int, sampling_probability: float
) -> SamplerCheck:
    """Test realised batches against the Poisson sampler that the accountant assumes.

    Three two-sided tests, exact or with a proven tail, that together refuse a true Poisson sampler in at
    most `FALSE_ALARM` of the runs: the total of the sizes is Binomial(units x steps, q); their largest
    deviation from units x q is that of independent binomials, which a fixed batch size misses; and
    successive batches share units at rate q^2, which a shuffled pass over the data (no sharing) misses.

    Args:
        sizes: realised logical batch sizes, empty batches included, one a step.
        overlaps: units shared by successive batches, at most steps-1 of them: a resumed run has forgotten
            the batch before its checkpoint.
        units: n, the number of units.
        sampling_probability: q in (0, 1].
    """
    steps, q, expected = len(sizes), sampling_probability, units * sampling_probability
    if steps == 0 or len(overlaps) >= steps:
        raise DoppelError(f"{steps} batch sizes and {len(overlaps)} overlaps; one size a step, one overlap between two")
    total = sum(sizes)
    tails = binom.cdf(total, units * steps, q), binom.sf(total - 1, units * steps, q)
    reasons = [f"mean batch {total / steps:.1f}, expected {expected:.1f}"] if min(tails) < _LEVEL / 2 else []

    largest = max(abs(size - expected) for size in sizes)
    within = float(
        binom.cdf(math.floor(expected + largest), units, q) - binom.cdf(math.ceil(expected - largest) - 1, units, q)
    )
    outside = float(
        binom.sf(math.ceil(expected + largest) - 1, units, q) + binom.cdf(math.floor(expected - largest), units, q)
    )
    if within**steps < _LEVEL / 2 or outside * steps < _LEVEL / 2:
        reasons.append(f"batch sizes deviate by at most {largest:.1f} of {expected:.1f}; Poisson batches would not")

    if overlaps and _overlap_tail(sum(overlaps), units, q, len(overlaps)) < _LEVEL:
        shared = sum(overlaps) / len(overlaps)
        reasons.append(f"successive batches share {shared:.1f} units, expected {units * q * q:.1f}")
    return SamplerCheck(expected, total / steps, tuple(reasons))


_LEVEL = FALSE_ALARM / 3


def _overlap_tail(total: int, units: int, q: float, pairs: int) -> float:
    """Bound on the chance that ``units`` independent units are shared ``total`` times or further from the mean.

    A unit's sum over ``pairs`` of X_t X_{t+1} has mean pairs q^2 and variance
    pairs q^2 (1 - q^2) + 2 (pairs - 1) (q^3 - q^4). The sums are non-negative (lower tail, Maurer 2003)
    and at most ``pairs`` (upper tail, Bernstein).
    """
    mean = pairs * q**2
    variance = pairs * q**2 * (1 - q**2) + 2 * (pairs - 1) * (q**3 - q**4)
    away = total - units * mean
    if away <= 0:
        return 2 * math.exp(-(away**2) / (2 * units * (variance + mean**2)))
    return 2 * math.exp(-(away**2) / (2 * (units * variance + away * pairs / 3)))
