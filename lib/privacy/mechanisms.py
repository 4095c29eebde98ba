"""The random draws that privacy rests on: their source, Poisson samples, noise, and the check of the sampler.

The mechanisms as the accountant sees them are in `lib.privacy.mechanism_kinds`.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from opendp.domains import atom_domain, vector_domain  # opendp.prelude would import scikit-learn as well
from opendp.measurements import make_gaussian
from opendp.metrics import l2_distance
from opendp.mod import enable_features
from scipy.stats import binom

from lib.common.errors import DoppelError, Reason

FALSE_ALARM = 1e-6  # chance that a correct Poisson sampler is refused

_LEVEL = FALSE_ALARM / 3  # of each of the three tests
_STATE, _WORDS = 3, 624  # where torch's CPU generator keeps its Mersenne words, in 64-bit units
_PROBE = 0x5EED  # the first word after manual_seed is the seed itself, which shows that _STATE is right

Words = Callable[[int], np.ndarray]  # how many -> independent uniform 64-bit words, uint64


def random_words(privacy_seed: int | None, *stream: int) -> Words:
    """The source of noise and Poisson draws.

    Args:
        privacy_seed: None: the words come from the operating system's cryptographic generator, and nothing is kept, so
            nobody can draw them again or tell them from others. An integer >= 0 makes them reproducible, and the result
            not fit for release.
        stream: numbers (purpose, step) that name an independent source of the same integer seed, each >= 0.
    """
    if privacy_seed is None:
        return lambda count: np.frombuffer(os.urandom(8 * count), np.uint64)
    generator = np.random.default_rng([privacy_seed, *stream])
    return lambda count: generator.integers(2**64 - 1, size=count, dtype=np.uint64, endpoint=True)


def mask_generator(privacy_seed: int | None, *stream: int, device: str | torch.device = "cpu") -> torch.Generator:
    """A new generator for what only torch can draw: the masks of dropout.

    It is seeded by the operating system, but is not a cryptographic generator. On a CPU the whole Mersenne state is
    filled: ``manual_seed`` would use 32 bits of its argument, few enough to try them all. CUDA's Philox has a key of
    64 bits, of which 63 are drawn.

    Args:
        privacy_seed: as `random_words` takes it.
        stream: as `random_words` takes it.
        device: where the draws are made.

    Raises:
        RuntimeError: this torch lays out its generator's state in another way.
    """
    words = random_words(privacy_seed, *stream)
    generator = torch.Generator(device=device)
    if generator.device.type != "cpu":
        return generator.manual_seed(int(words(1)[0] >> 1))
    state = generator.manual_seed(_PROBE).get_state()
    mersenne = state.numpy().view(np.uint64)
    if int(mersenne[_STATE]) != _PROBE:
        raise RuntimeError("this torch lays out its generator's state differently; revise mask_generator")
    mersenne[_STATE : _STATE + _WORDS] = words(_WORDS) >> 32
    return generator.set_state(state)


def poisson_sample(units: int, sampling_probability: float, words: Words) -> np.ndarray:
    """A Poisson sample: every unit joins independently of the others.

    Args:
        units: n, the number of units (records or users).
        sampling_probability: q in (0, 1], with which each unit joins; rounded down to a multiple of 2^-64, but not
            to zero.
        words: see `random_words`.

    Returns:
        Sorted indices in [0, n) of the units that joined, int64 (batch,); may be empty.
    """
    return np.flatnonzero(words(units) <= np.uint64(max(int(sampling_probability * 2**64), 1) - 1))


def standard_normal(count: int, words: Words) -> torch.Tensor:
    """Gaussian draws of mean 0 and variance 1, each the normal quantile of one 64-bit word (inversion).

    One bit is the sign and 63 bits are the tail probability, so the draws are symmetric and end at 9.16 standard
    deviations. The probability of a tail is right up to 2^-64 plus the rounding of float64, about 1e-15 of it.

    Args:
        count: how many draws.
        words: see `random_words`.

    Returns:
        float64, shape (count,), on the CPU.
    """
    drawn = words(count)
    tails = torch.from_numpy(((drawn >> 1) + 0.5) * 2.0**-64)  # in (0, 1/2]
    return torch.special.ndtri(tails) * torch.from_numpy(1.0 - 2.0 * (drawn & 1))


def noisy_counts(clean: Sequence[int], scale: float, privacy_seed: int | None, *stream: int) -> list[int]:
    """Counts plus independent discrete Gaussian noise (Canonne, Kamath & Steinke 2020).

    Unit: one record or one user, who adds at most 1 to one count (L2 sensitivity 1). Neighbours: add or remove one
    unit. Sampler: none, every unit takes part.

    Args:
        clean: the counts, (cells,).
        scale: sigma of the noise, > 0.
        privacy_seed: None: OpenDP's exact sampler draws, seeded by the operating system. An integer (never for
            release) rounds a seeded normal draw instead.
        stream: numbers that name an independent draw of the same integer seed.

    Returns:
        The noisy counts, (cells,); they can be negative.

    Raises:
        DoppelError: ``scale`` is not positive.
    """
    if not scale > 0:
        raise DoppelError(
            "privacy.scale_range",
            f"the scale of a noisy count is {scale}, it must be positive",
            name="scale",
            value=scale,
        )
    if privacy_seed is None:
        enable_features("contrib")
        # int would be 32 bits: 2,048 votes of `lib.methods.private_evolution.voting`
        domain = vector_domain(atom_domain(T="i64"))
        return list(make_gaussian(domain, l2_distance(T="f64"), scale=scale)([int(c) for c in clean]))
    noise = np.random.default_rng([privacy_seed, *(stream or (1,))]).normal(0, scale, len(clean))
    return [int(count) + round(draw) for count, draw in zip(clean, noise, strict=True)]


@dataclass(frozen=True)
class SamplerCheck:
    """Whether the realised batches look like Poisson samples.

    Args:
        expected_batch: n q, in units.
        mean_batch: of the realised batches, in units.
        reasons: the tests that refuse, in order: ``privacy.batch_mean``, ``privacy.batch_spread``,
            ``privacy.batch_overlap``. Empty when none does.
    """

    expected_batch: float
    mean_batch: float
    reasons: tuple[Reason, ...]

    @property
    def passed(self) -> bool:
        """Whether no test refuses."""
        return not self.reasons

    def require(self) -> None:
        """Raise DoppelError unless the check passed: no epsilon is stated for batches that do not fit."""
        if self.reasons:
            why = "; ".join(map(str, self.reasons))
            raise DoppelError(
                "privacy.not_poisson",
                f"the batches are no Poisson samples ({why}), so no epsilon is stated",
                name="batch_sizes",
                remedy="draw them with poisson_sample, and keep the empty ones",
            )


def check_sampler(
    sizes: Sequence[int], overlaps: Sequence[int], *, units: int, sampling_probability: float
) -> SamplerCheck:
    """Test realised batches against the Poisson sampler that the accountant assumes.

    Three two-sided tests, exact or with a proven tail, together refuse a true Poisson sampler in at most `FALSE_ALARM`
    of the runs: the total of the sizes is Binomial(units x steps, q); their largest deviation from units x q is that of
    independent binomials, which a fixed batch size misses; and successive batches share units at rate q^2, which a
    shuffled pass over the data (no sharing) misses.

    Args:
        sizes: realised logical batch sizes, empty batches included, one a step.
        overlaps: units shared by successive batches, at most steps - 1 of them: a resumed run has forgotten the batch
            before its checkpoint.
        units: n, the number of units (records or users).
        sampling_probability: q in (0, 1].

    Returns:
        The check, passed or with its reasons; `SamplerCheck.require` raises them.

    Raises:
        DoppelError: there are no sizes, or as many overlaps as sizes.
    """
    steps, q, expected = len(sizes), sampling_probability, units * sampling_probability
    if steps == 0 or len(overlaps) >= steps:
        raise DoppelError(
            "privacy.batches_missing",
            f"{steps} batch sizes and {len(overlaps)} overlaps",
            name="sizes",
            value=steps,
            remedy="give one size a step, and one overlap between two steps",
        )
    reasons, total = [], sum(sizes)
    tails = binom.cdf(total, units * steps, q), binom.sf(total - 1, units * steps, q)
    if min(tails) < _LEVEL / 2:
        reasons.append(Reason("privacy.batch_mean", f"mean batch {total / steps:.1f}, expected {expected:.1f}"))

    largest = max(abs(size - expected) for size in sizes)
    within = float(
        binom.cdf(math.floor(expected + largest), units, q) - binom.cdf(math.ceil(expected - largest) - 1, units, q)
    )
    outside = float(
        binom.sf(math.ceil(expected + largest) - 1, units, q) + binom.cdf(math.floor(expected - largest), units, q)
    )
    if within**steps < _LEVEL / 2 or outside * steps < _LEVEL / 2:
        reasons.append(
            Reason(
                "privacy.batch_spread",
                f"batch sizes deviate by at most {largest:.1f} from {expected:.1f}; Poisson batches would not",
            )
        )

    if overlaps and _overlap_tail(sum(overlaps), units, q, len(overlaps)) < _LEVEL:
        shared = sum(overlaps) / len(overlaps)
        reasons.append(
            Reason("privacy.batch_overlap", f"successive batches share {shared:.1f} units, expected {units * q**2:.1f}")
        )
    return SamplerCheck(expected, total / steps, tuple(reasons))


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
