"""Distances of selected texts to the real ones, iteration by iteration."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lib.data.private_text import PrivateText
from lib.evaluation.estimate import Undefined
from lib.evaluation.fidelity import distance_by_iteration
from lib.evaluation.fidelity.distance_by_iteration import approach, metrics, of_texts
from lib.models import encoders


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


class Counting(encoders.Encoder):
    """Embeds a number as a few functions of it, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__("counting", width=3, batch_size=64)
        self.asked: list[str] = []

    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        numbers = np.array([float(text) for text in texts])
        return np.stack([numbers, np.sin(numbers), np.cos(numbers)], axis=1).astype(np.float32)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of private vectors for this test alone."""
    monkeypatch.setattr(
        distance_by_iteration, "embed_private", lambda encoder, texts: encoders.embed_private(encoder, texts, tmp_path)
    )


def numbers(start: int, count: int) -> list[str]:
    return [str(number) for number in range(start, start + count)]


def private(texts: Sequence[str]) -> list[PrivateText]:
    return [PrivateText(text) for text in texts]


@pytest.mark.usefixtures("kept")
def test_texts_are_embedded_once_and_real_ones_once_for_all_arms() -> None:
    encoder, real, held_out = Counting(), private(numbers(0, 30)), private(numbers(100, 20))
    sets = [numbers(200, 20), [*numbers(200, 10), *numbers(300, 10)]]
    points, ceiling = of_texts(encoder, real, sets, held_out, seed=0)
    assert sorted(encoder.asked) == sorted([*numbers(0, 30), *numbers(100, 20), *numbers(200, 20), *numbers(300, 10)])
    rows = [Counting().encode(texts) for texts in (real, *sets, held_out)]
    wanted, expected = approach(rows[0], rows[1:-1], rows[-1], seed=0)
    assert [value for value, *_ in points] == pytest.approx([value for value, *_ in wanted])  # no set is cut
    assert ceiling == pytest.approx(expected)

    encoder.asked.clear()
    of_texts(encoder, real, [numbers(400, 20)], held_out, seed=0)
    assert sorted(encoder.asked) == numbers(400, 20)


@pytest.mark.usefixtures("kept")
def test_no_more_texts_are_embedded_than_are_compared() -> None:
    encoder = Counting()
    of_texts(encoder, private(numbers(0, 20)), [numbers(100, 29), numbers(200, 45)], private(numbers(300, 20)), seed=0)
    asked = [sum(first <= float(text) < first + 100 for text in encoder.asked) for first in (100, 200)]
    assert asked == [20, 40]  # whole parts of the smallest set


def test_where_no_distance_is_defined_nothing_is_embedded() -> None:
    encoder = Counting()
    found = of_texts(encoder, private(numbers(0, 20)), [numbers(100, 8)], private(numbers(300, 20)), seed=0)
    assert isinstance(found, Undefined) and "8 texts" in found.because and encoder.asked == []
