"""Distances of selected texts to the real ones, iteration by iteration."""

import numpy as np
import pytest

from lib.evaluation.estimate import Undefined
from lib.evaluation.fidelity.distance_by_iteration import approach, metrics


def test_the_distance_is_least_for_held_out_records_and_falls_as_a_set_comes_nearer() -> None:
    rng = np.random.default_rng(0)
    real, held_out = rng.normal(0, 1, (200, 6)), rng.normal(0, 1, (60, 6))
    sets = [rng.normal(shift, 1, (size, 6)) for shift, size in ((1.0, 300), (0.5, 60), (0.2, 75))]
    points, ceiling = approach(real, sets, held_out, seed=0)
    values = [value for value, *_ in (*points, ceiling)]
    assert values == sorted(values, reverse=True)
    assert all(low < value < high for value, low, high in (*points, ceiling))
    parts = [
        approach(real, [sets[0][order]], held_out, seed=0)[0][0][0] for order in (slice(None), slice(None, None, -1))
    ]
    assert parts[0] == pytest.approx(parts[1], rel=0.05)  # the mean over five parts of the large set


def test_sets_are_compared_at_one_size() -> None:
    """Frechet distance grows as n falls: a small set of the same distribution must not look worse than a large one."""
    rng = np.random.default_rng(1)
    real, held_out = rng.normal(0, 1, (400, 20)), rng.normal(0, 1, (400, 20))
    points, ceiling = approach(real, [rng.normal(0, 1, (n, 20)) for n in (400, 100)], held_out, seed=0)
    assert points[0][0] == pytest.approx(points[1][0], rel=0.25)
    assert ceiling[0] == pytest.approx(points[1][0], rel=0.25)


@pytest.mark.parametrize("small", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 2, 8])
def test_with_fewer_than_nine_of_anything_no_distance_is_defined(small: int, size: int) -> None:
    sizes = [20, 20, 20]
    sizes[small] = size
    real, texts, held_out = (np.random.default_rng(side).normal(0, 1, (n, 4)) for side, n in enumerate(sizes))
    undefined = approach(real, [texts, texts], held_out, seed=0)
    assert isinstance(undefined, Undefined) and str(size) in undefined.because and "9" in undefined.because
    assert metrics(undefined) == {}


def test_nine_of_everything_are_enough() -> None:
    real, texts, held_out = np.random.default_rng(0).normal(0, 1, (3, 9, 4))
    points, ceiling = approach(real, [texts], held_out, seed=0)
    assert np.isfinite([*points[0], *ceiling]).all()
    found = metrics((points, ceiling))
    assert found == {
        "distance_random": points[0][0],
        "distance_selected": points[0][0],
        "distance_held_out": ceiling[0],
    }
