"""Clipped sums against a loop, every neighbour of a table of sums, the noise's size, and the shortened mean."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chi2

from lib.methods.steering.total import GRID, Total, averaged

WIDTH, ROWS, CLIP = 6, 3, 1.5


def units(count: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """The vectors and rows of units with one to four records; some are far too long, one is zero."""
    rng = np.random.default_rng(seed)
    made = []
    for unit in range(count):
        records = 1 + unit % 4
        made.append((rng.standard_cauchy((records, WIDTH)) * 3, rng.integers(ROWS, size=records)))
    made[0][0][:] = 0
    return made


def summed(members: list[tuple[np.ndarray, np.ndarray]], clip: float | None = CLIP) -> Total:
    total = Total(ROWS, WIDTH, clip)
    for vectors, rows in members:
        total.add(vectors, rows, np.full(len(vectors), 1 / len(vectors)))
    return total


@pytest.mark.parametrize("left_out", range(12))
def test_one_unit_changes_the_sums_by_its_own_clipped_vectors_and_by_at_most_the_clip(left_out: int) -> None:
    everyone = units(12)
    rest = everyone[:left_out] + everyone[left_out + 1 :]
    change = summed(everyone).sums - summed(rest).sums
    assert np.array_equal(change, summed([everyone[left_out]]).sums)  # to the bit, whoever else is there
    norm = sum(Fraction(int(entry)) ** 2 for entry in change.ravel())  # exact: entries are multiples of the grid
    assert norm <= Fraction(1 / GRID) ** 2


def test_without_a_clip_the_bound_is_broken() -> None:
    everyone = units(12)
    longest = max(np.linalg.norm(summed([unit], None).exact) for unit in everyone)
    assert longest > CLIP  # so the test above can fail


def test_sums_are_those_of_a_loop() -> None:
    expected = np.zeros((ROWS, WIDTH))
    for vectors, rows in units(12):
        for vector, row in zip(vectors, rows, strict=True):
            norm = np.linalg.norm(vector)
            expected[row] += vector * min(1, CLIP / norm if norm else 1) / len(vectors)
    np.testing.assert_allclose(summed(units(12)).exact, expected, atol=2e-6 * CLIP * 12)
    plain = np.zeros((ROWS, WIDTH))
    for vectors, rows in units(12):
        np.add.at(plain, rows, vectors / len(vectors))
    np.testing.assert_allclose(summed(units(12), None).noisy(None, None), plain)


def test_any_order_and_any_grouping_give_the_same_bits() -> None:
    everyone, total = units(12), Total(ROWS, WIDTH, CLIP)
    vectors, rows = (np.concatenate([unit[part] for unit in reversed(everyone)]) for part in (0, 1))
    total.add(vectors, rows, np.concatenate([np.full(len(unit[0]), 1 / len(unit[0])) for unit in reversed(everyone)]))
    assert np.array_equal(total.sums, summed(everyone).sums)


def test_a_clip_that_would_overflow_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="below"):
        Total(1, 3, 1e-299)


def test_entries_that_are_not_finite_count_as_zero() -> None:
    total = Total(1, 3, CLIP)
    total.add(np.array([[np.nan, np.inf, 1.0]]), np.zeros(1, int), np.ones(1))
    np.testing.assert_allclose(total.exact, [[0, 0, 1]], atol=1e-5)


def test_the_noise_has_the_size_that_is_claimed_and_is_new_each_time() -> None:
    total = Total(2, 4000, CLIP)
    first, second = (total.noisy(0.7, None) for _ in range(2))
    squares = np.square(first).sum() / (0.7 * CLIP) ** 2
    assert chi2.ppf(1e-6, first.size) < squares < chi2.ppf(1 - 1e-6, first.size)
    assert not np.array_equal(first, second)
    assert np.array_equal(total.noisy(0.7, 3), total.noisy(0.7, 3))
    assert np.array_equal(np.rint(first / (GRID * CLIP)), first / (GRID * CLIP))  # no bits below the grid


def test_a_mean_is_shortened_by_what_noise_adds_and_errs_less_for_it() -> None:
    rng, truth, noise = np.random.default_rng(0), np.full((1, 200), 0.05), 8.0
    errors = np.zeros(2)
    for _ in range(200):
        sums = 100 * truth + rng.normal(0, noise, truth.shape)
        errors += [np.square(found - truth).sum() for found in (averaged(sums, [100], noise), sums / 100)]
    assert errors[0] < 0.6 * errors[1]
    assert np.array_equal(averaged(100 * truth, [100], 0.0), truth)
    assert not averaged(np.full((1, 200), 0.1), [-3], noise).any()  # noise alone: no direction at all
    assert not averaged(np.zeros((1, 4)), [5], 0.0).any()
