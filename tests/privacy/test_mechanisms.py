"""The draws that privacy rests on: their distributions, their seeds, and a check that catches the wrong sampler."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from support.errors import refused

from lib.privacy.mechanisms import check_sampler, noise_generator, noisy_counts, poisson_sample

UNITS, RATE, STEPS = 600, 0.1, 30


def overlaps(batches):
    return [len(set(a) & set(b)) for a, b in pairwise(batches)]


def check(batches):
    sizes = [len(b) for b in batches]
    return check_sampler(sizes, overlaps(batches), units=UNITS, sampling_probability=RATE)


def reasons(batches):
    return [reason.code for reason in check(batches).reasons]


def poisson_batches(seed=None):
    return [poisson_sample(UNITS, RATE, noise_generator(seed, 0, t)).tolist() for t in range(STEPS)]


def shuffled_batches():
    size, order = int(UNITS * RATE), np.random.default_rng(0)
    passes = [order.permutation(UNITS).reshape(-1, size) for _ in range(STEPS * size // UNITS)]
    return [batch.tolist() for one in passes for batch in one]


def test_poisson_samples_pass_the_check_and_seldom_fail_it():
    assert sum(not check(poisson_batches(seed)).passed for seed in range(200)) == 0


def test_a_shuffling_sampler_is_refused():
    # constant sizes, and nothing shared within a pass
    assert reasons(shuffled_batches()) == ["privacy.batch_spread", "privacy.batch_overlap"]
    with refused("privacy.not_poisson"):
        check(shuffled_batches()).require()


def test_a_shuffling_sampler_with_poisson_sizes_is_refused():
    order, rest, batches = np.random.default_rng(0), [], []
    for size in np.random.default_rng(1).binomial(UNITS, RATE, STEPS):
        if len(rest) < size:
            rest = order.permutation(UNITS).tolist()
        batches.append(rest[:size])
        rest = rest[size:]
    assert reasons(batches) == ["privacy.batch_overlap"]


def test_a_fixed_size_sample_is_refused():
    draw = np.random.default_rng(0)
    assert not check([draw.choice(UNITS, int(UNITS * RATE), replace=False).tolist() for _ in range(STEPS)]).passed


def test_a_sampler_of_another_rate_is_refused():
    wrong = [poisson_sample(UNITS, 1.5 * RATE, noise_generator(3, t)).tolist() for t in range(STEPS)]
    assert reasons(wrong)[0] == "privacy.batch_mean"


def test_dropping_the_empty_batches_is_refused():
    units, rate, steps = 100, 0.005, 300  # six batches of ten are empty
    drawn = [poisson_sample(units, rate, noise_generator(5, t)).tolist() for t in range(4 * steps)]
    kept = [batch for batch in drawn if batch][:steps]
    assert not check_sampler([len(b) for b in kept], overlaps(kept), units=units, sampling_probability=rate).passed
    whole = drawn[:steps]
    assert check_sampler([len(b) for b in whole], overlaps(whole), units=units, sampling_probability=rate).passed


def test_the_same_batch_again_and_again_is_refused():
    batch = next(b for b in poisson_batches(1) if len(b) == 60)
    assert "privacy.batch_overlap" in reasons([batch] * STEPS)


def test_full_batches_are_what_rate_one_means():
    everyone = [list(range(20))] * 4
    assert check_sampler([20] * 4, overlaps(everyone), units=20, sampling_probability=1.0).passed
    assert not check_sampler([20, 19, 20, 20], [19, 19, 20], units=20, sampling_probability=1.0).passed


def test_a_check_without_batches_is_refused():
    with refused("privacy.batches_missing", value=0):
        check_sampler([], [], units=10, sampling_probability=0.1)
    with refused("privacy.batches_missing", value=2):
        check_sampler([1, 1], [0, 0], units=10, sampling_probability=0.1)


def test_poisson_sizes_have_binomial_mean_and_variance():
    sizes = np.array([len(poisson_sample(UNITS, RATE, noise_generator(None))) for _ in range(2000)])
    assert abs(sizes.mean() - UNITS * RATE) < 5 * np.sqrt(UNITS * RATE * (1 - RATE) / 2000)
    spread = sizes.var(ddof=1) * 1999 / (UNITS * RATE * (1 - RATE))
    assert chi2.ppf(1e-6, 1999) < spread < chi2.ppf(1 - 1e-6, 1999)


def test_an_integer_seed_repeats_its_streams_and_the_systems_never_does():
    def draw(seed, *stream):
        return torch.randn(4, generator=noise_generator(seed, *stream)).tolist()

    assert draw(7, 1, 2) == draw(7, 1, 2)
    assert len({tuple(d) for d in (draw(7, 1, 2), draw(7, 2, 1), draw(8, 1, 2), draw(None, 1), draw(None, 1))}) == 5


def test_generators_use_more_than_32_bits_of_their_seed():
    plain = [torch.rand(3, generator=torch.Generator().manual_seed(s)).tolist() for s in (5, 5 + 2**32)]
    assert plain[0] == plain[1]  # what the state is filled by hand for
    ours = [torch.rand(3, generator=noise_generator(s)).tolist() for s in (5, 5 + 2**32)]
    assert ours[0] != ours[1]


def test_gaussian_noise_of_the_generator_is_standard_normal():
    draws = torch.randn(200_000, generator=noise_generator(None))
    assert abs(draws.mean()) < 5 / np.sqrt(200_000)
    assert abs(draws.var() - 1) < 5 * np.sqrt(2 / 200_000)
    assert abs((draws**4).mean() - 3) < 0.15


@pytest.mark.parametrize("seed", [None, 11])
def test_noise_on_counts_has_the_variance_of_a_discrete_gaussian(seed):
    clean = list(range(4000))
    noise = np.array(noisy_counts(clean, 4.0, seed)) - clean
    assert noise.dtype.kind == "i"
    assert abs(noise.mean()) < 5 * 4 / np.sqrt(4000)
    assert chi2.ppf(1e-6, 3999) < 3999 * noise.var(ddof=1) / 16 < chi2.ppf(1 - 1e-6, 3999)


def test_noisy_counts_repeat_with_a_seed_alone():
    assert noisy_counts([5] * 30, 10.0, 3) == noisy_counts([5] * 30, 10.0, 3) != noisy_counts([5] * 30, 10.0, 4)
    assert noisy_counts([5] * 30, 10.0, None) != noisy_counts([5] * 30, 10.0, None)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_counts_without_noise_are_refused(scale):
    with refused("privacy.scale_range", name="scale", value=scale):
        noisy_counts([1], scale, None)
