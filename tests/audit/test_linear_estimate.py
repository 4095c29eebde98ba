"""The best linear estimate of coins against a simulation and in a case without noise."""

import numpy as np
import pytest

from lib.audit.linear_estimate import coins_of


def test_without_noise_the_coins_are_read_off() -> None:
    rng = np.random.default_rng(0)
    parts, coins = rng.normal(size=(40, 12)), rng.integers(2, size=12)
    assert coins_of(parts, parts @ coins, 0.0) == pytest.approx(coins, abs=1e-3)
    assert coins_of(np.zeros((40, 3)), np.ones(40), 0.0) == pytest.approx([0.5] * 3)  # nothing is seen of them


def test_no_other_linear_estimate_errs_less() -> None:
    rng, spread = np.random.default_rng(1), 2.0
    parts = rng.normal(size=(8, 5))
    errors = np.zeros(3)
    for _ in range(4000):
        coins = rng.integers(2, size=5)
        seen = parts @ coins + rng.normal(0, spread, 8)
        own = coins_of(parts, seen, spread)
        others = np.linalg.lstsq(parts, seen, rcond=None)[0], np.full(5, 0.5)
        errors += [np.square(guess - coins).sum() for guess in (own, *others)]
    assert errors[0] < 0.95 * errors[1:].min()
