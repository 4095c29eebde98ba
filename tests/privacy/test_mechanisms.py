"""The draws that privacy rests on: their distributions, their seeds, and a check that catches the wrong sampler."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import binom, chi2, kstest, norm
from support.errors import refused
from support.project import ROOT

from lib.privacy.mechanisms import (
    Words,
    check_sampler,
    mask_generator,
    noisy_counts,
    poisson_sample,
    random_words,
    standard_normal,
)

UNITS, RATE, STEPS = 600, 0.1, 30


def overlaps(batches):
    return [len(set(a) & set(b)) for a, b in pairwise(batches)]


def check(batches):
    sizes = [len(b) for b in batches]
    return check_sampler(sizes, overlaps(batches), units=UNITS, sampling_probability=RATE)


def reasons(batches):
    return [reason.code for reason in check(batches).reasons]


def poisson_batches(seed=None):
    return [poisson_sample(UNITS, RATE, random_words(seed, 0, t)).tolist() for t in range(STEPS)]


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
    wrong = [poisson_sample(UNITS, 1.5 * RATE, random_words(3, t)).tolist() for t in range(STEPS)]
    assert reasons(wrong)[0] == "privacy.batch_mean"


def test_dropping_the_empty_batches_is_refused():
    units, rate, steps = 100, 0.005, 300  # six batches of ten are empty
    drawn = [poisson_sample(units, rate, random_words(5, t)).tolist() for t in range(4 * steps)]
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
    sizes = np.array([len(poisson_sample(UNITS, RATE, random_words(None))) for _ in range(2000)])
    assert abs(sizes.mean() - UNITS * RATE) < 5 * np.sqrt(UNITS * RATE * (1 - RATE) / 2000)
    spread = sizes.var(ddof=1) * 1999 / (UNITS * RATE * (1 - RATE))
    assert chi2.ppf(1e-6, 1999) < spread < chi2.ppf(1 - 1e-6, 1999)


def fixed(word: int) -> Words:
    return lambda count: np.full(count, word, np.uint64)


@pytest.mark.parametrize("q", [2.0**-64, 1e-9, 0.3, 1 - 2.0**-53])
def test_a_unit_joins_at_exactly_its_probability(q):
    last = int(q * 2**64) - 1  # the highest of q 2^64 words
    assert len(poisson_sample(3, q, fixed(last))) == 3 and len(poisson_sample(3, q, fixed(last + 1))) == 0


def test_at_probability_one_everybody_joins():
    assert poisson_sample(3, 1.0, fixed(2**64 - 1)).tolist() == [0, 1, 2]


def test_an_integer_seed_repeats_its_streams_and_the_systems_never_does():
    def masks(seed, *stream):
        return tuple(torch.rand(4, generator=mask_generator(seed, *stream)).tolist())

    def words(seed, *stream):
        return tuple(random_words(seed, *stream)(4).tolist())

    for draw in (masks, words):
        assert draw(7, 1, 2) == draw(7, 1, 2)
        assert len({draw(7, 1, 2), draw(7, 2, 1), draw(8, 1, 2), draw(7 + 2**32, 1, 2), draw(None), draw(None)}) == 6


def test_words_are_the_operating_systems_and_no_seed_of_a_global_generator_repeats_them(monkeypatch):
    asked = []
    monkeypatch.setattr("os.urandom", lambda count: asked.append(count) or bytes(count))
    assert random_words(None)(5).tolist() == [0] * 5 and asked == [40]
    monkeypatch.undo()
    drawn = []
    for _ in range(2):
        torch.manual_seed(0)
        np.random.seed(0)
        before = torch.get_rng_state(), np.random.get_state()[1].tolist()
        drawn.append((standard_normal(8, random_words(None)).tolist(), *poisson_sample(64, 0.5, random_words(None))))
        assert torch.equal(torch.get_rng_state(), before[0]) and np.random.get_state()[1].tolist() == before[1]
    assert drawn[0] != drawn[1]


def test_two_processes_that_are_forked_from_one_draw_different_words():
    """In an interpreter of its own: a fork of one with threads, as other tests leave them, may wait for ever."""
    code = (
        "import os\nfrom lib.privacy.mechanisms import random_words\nwords = random_words(None)\n"
        "first = os.fork()\nsecond = first and os.fork()\n"
        "os.write(1, f'{words(4).tolist()}\\n'.encode())\n"
        "if second: os.wait(), os.wait()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    drawn = ran.stdout.splitlines()
    assert len(drawn) == len(set(drawn)) == 3


@pytest.mark.parametrize("seed", [None, 7])
def test_gaussian_draws_have_the_distribution_to_the_tail(seed):
    count = 2_000_000
    draws = standard_normal(count, random_words(seed)).numpy()
    assert draws.dtype == np.float64 and abs(draws.mean()) < 5 / np.sqrt(count)
    assert chi2.ppf(1e-6, count) < (draws**2).sum() < chi2.ppf(1 - 1e-6, count)
    assert kstest(draws[:200_000], "norm").pvalue > 1e-6
    for sigmas in (1, 2, 3, 4, 4.5):
        for tail in (draws > sigmas, draws < -sigmas):
            low, high = binom.ppf([1e-7, 1 - 1e-7], count, norm.sf(sigmas))
            assert low <= tail.sum() <= high


@pytest.mark.parametrize("sigmas", [4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
def test_the_words_beyond_a_quantile_are_as_many_as_its_tail_says(sigmas):
    """Exact where sampling sees nothing: the draw is monotone, so the word at the border is the tail's mass."""
    border = int(norm.sf(sigmas) * 2**64)  # tails below border / 2^64 lie beyond
    inside, beyond = (float(standard_normal(1, fixed(2 * k + 1))) for k in (border + border // 1000 + 1, border - 1))
    assert inside < sigmas < beyond
    assert float(standard_normal(1, fixed(2 * border + 3))) == -float(standard_normal(1, fixed(2 * border + 2)))
    assert 9.1 < float(standard_normal(1, fixed(1))) < 9.2


def test_gaussian_draws_of_two_steps_are_independent():
    for seed in (None, 7):
        a, b = (standard_normal(400_000, random_words(seed, 1, step)) for step in (0, 1))
        products = (a * b, a[1:] * a[:-1], (a**2 - 1) * (b**2 - 1) / 2)
        assert all(abs(p.mean()) < 5 / np.sqrt(len(p)) * p.std() for p in products)


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
