"""The gain in Vendi score against the score of whole sets."""

import numpy as np
import pytest

from lib.evaluation.fidelity.diversity import vendi_score
from lib.private_records.novelty import History, Sample, unit


def rows(count: int, width: int = 6, seed: int = 0) -> np.ndarray:
    return np.array([unit(row) for row in np.random.default_rng(seed).normal(size=(count, width))])


@pytest.mark.parametrize("count, width", [(1, 6), (4, 6), (9, 6), (40, 6)])
def test_the_score_with_one_more_is_that_of_the_whole_set(count: int, width: int) -> None:
    known, new = rows(count, width), rows(1, width, seed=1)[0]
    assert Sample(known).vendi(new) == pytest.approx(vendi_score(np.vstack([known, new])), rel=1e-6)


def test_a_copy_adds_less_than_something_new() -> None:
    known = np.eye(5, dtype=np.float32)[:4]
    sample = Sample(known)
    assert sample.vendi(known[0]) < sample.vendi(unit(known[0] + 0.5 * np.eye(5)[4])) < sample.vendi(np.eye(5)[4])
    assert sample.vendi(np.eye(5)[4]) == pytest.approx(5)


def test_only_the_window_is_drawn_from_without_repeats() -> None:
    history = History(window=6, sample=4)
    assert len(history.draw(0)) == 0
    history.add(np.eye(10, dtype=np.float32)[:3])
    assert len(history.draw(0)) == 3
    history.add(np.eye(10, dtype=np.float32)[3:])
    drawn = [tuple(history.draw(seed).rows.argmax(axis=1)) for seed in range(40)]
    assert all(len(set(one)) == 4 and min(one) >= 4 for one in drawn) and len(set(drawn)) > 5
    assert history.draw(7).rows.tolist() == history.draw(7).rows.tolist()


def test_a_zero_vector_stays_zero() -> None:
    assert not unit(np.zeros(3)).any()
