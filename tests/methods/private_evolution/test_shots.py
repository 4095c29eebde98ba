"""The candidates that prompts show: they rotate, keep to their cell, and depend on noisy votes alone."""

from collections import Counter

import numpy as np

from lib.methods.private_evolution.shots import rotated

CELLS = np.array([0] * 10 + [1] * 10 + [2])
TEXTS = [f"text {number}" for number in range(21)]
NOISY = np.array([*range(10), *range(10), 5], float)
CHOSEN = np.array([9, 8, 7, 9, 19, 18, 20])


def shown(good: int, bad: int, parents: list[int], seed: int = 0, noisy: np.ndarray = NOISY) -> list:
    rng = np.random.default_rng(seed)
    return rotated(TEXTS, CELLS, noisy, CHOSEN, parents, good=good, bad=bad, rng=rng)


def test_wanted_texts_are_selected_ones_of_the_cell_and_unwanted_ones_have_fewest_votes() -> None:
    parents = [9, 8, 7, 9, 19, 18] * 5
    for parent, (good, bad) in zip(parents, shown(2, 2, parents), strict=True):
        here = {TEXTS[i] for i in CHOSEN if CELLS[i] == CELLS[parent]}
        assert set(good) <= here - {TEXTS[parent]} and len(good) == len(set(good)) == min(2, len(here) - 1)
        start = 10 * CELLS[parent]
        assert set(bad) <= {TEXTS[start + i] for i in range(len(here))} and len(set(bad)) == 2


def test_every_text_has_its_turn() -> None:
    parents = [9, 8, 7] * 10
    all_shown = shown(1, 1, parents)
    good, bad = (Counter(text for one in column for text in one) for column in zip(*all_shown, strict=True))
    assert set(good.values()) <= {8, 9, 10, 11, 12} and set(bad.values()) == {10}
    assert len(good) == len(bad) == 3
    assert shown(1, 1, parents) == all_shown != shown(1, 1, parents, seed=1)


def test_a_cell_with_nothing_else_shows_nothing() -> None:
    assert shown(3, 3, [20]) == [((), ())]
    assert shown(0, 0, [9, 19]) == [((), ())] * 2


def test_unwanted_texts_follow_the_noisy_votes() -> None:
    ((_, bad),) = shown(0, 3, [9], noisy=-NOISY)
    assert set(bad) == {TEXTS[4], TEXTS[5], TEXTS[6]}
