"""Votes of a selection: an oracle, sensitivity by property, the noise with a control, and a run that is killed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, norm
from support.errors import refused

from lib.common.files import read_json
from lib.methods.private_evolution import evolution
from lib.methods.private_evolution.candidates import Generation
from lib.methods.private_evolution.evolution import Voters
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.voting import VOTE
from lib.methods.selection.selection import Selection, choose, selected_rows, survivors

CELLS = [{"side": "left"}, {"side": "right"}]


def election(
    folder: Path,
    seed: int = 0,
    users: bool = False,
    gone: np.ndarray | None = None,
    shares: Sequence[float] = (0.25, 0.75),
    only: int | None = None,
    **changes: object,
) -> Selection:
    """60 voters and 24 candidates on a plane, of one cell ``only``; or the voters that are left when some are gone."""
    rng = np.random.default_rng(seed)
    vectors, cells = rng.normal(0, 2, (60, 2)).astype(np.float32), rng.integers(-1, 2, 60)
    owners = rng.integers(0, 9, 60) if users else None
    if gone is not None:
        left = ~(np.isin(owners, gone) if users else np.isin(np.arange(60), gone))
        vectors, cells, owners = vectors[left], cells[left], owners[left] if users else None
    numbers = rng.integers(0, 2, 24) if only is None else np.full(24, only)
    candidates = Generation(
        [f"text {i}" for i in range(24)], [CELLS[i] for i in numbers], numbers.tolist(), [None] * 24
    )
    given = {"iterations": 1, "samples": 8, "noise_multiplier": 1.0, "privacy_seed": 3} | changes
    return Selection(
        candidates,
        rng.normal(0, 2, (24, 2)).astype(np.float32),
        Voters(vectors, cells, owners),
        cells=CELLS,
        shares=np.array(shares),
        settings=Settings(**given),
        folder=folder,
    )


def slow_votes(held: Selection, rows: np.ndarray) -> np.ndarray:
    """One record at a time, in a loop."""
    votes, cells = np.zeros(len(rows)), np.array(held.candidates.cells)
    for vector, cell in zip(held.voters.vectors, held.voters.cells, strict=True):
        own = [i for i, row in enumerate(rows) if cells[row] == cell]
        if cell >= 0 and own:
            votes[min(own, key=lambda i: float(((held.vectors[rows[i]] - vector).astype(float) ** 2).sum()))] += 1
    return votes


def test_without_noise_each_vote_counts_the_nearest_of_those_that_are_left(tmp_path: Path) -> None:
    held = election(tmp_path, noise_multiplier=None, iterations=3)
    history = held.run()
    rows = np.arange(24)
    for vote in history:
        np.testing.assert_array_equal(vote.noisy, slow_votes(held, rows))
        assert [held.candidates.items[row] for row in rows] == vote.generation.items
        rows = rows[np.sort(vote.chosen)]
    assert [len(vote.chosen) for vote in history][-1] == 8 and len(history[0].chosen) > len(history[1].chosen) > 8
    cells = np.array(held.candidates.cells)
    chosen = selected_rows(history)
    assert np.bincount(cells[chosen]).tolist() == [2, 6]  # as the noisy label histogram asks
    assert [text for text, _ in held.result(history[-1])] == [held.candidates.items[row] for row in chosen]
    assert len(set(chosen.tolist())) == 8
    for cell in (0, 1):  # by rank: nobody who was left out had more votes
        last = history[-1]
        own = np.flatnonzero(np.array(last.generation.cells) == cell)
        out = np.setdiff1d(own, last.chosen)
        assert not len(out) or last.noisy[out].max() <= last.noisy[np.intersect1d(own, last.chosen)].min()
    assert not list(tmp_path.glob("votes-*"))  # clean votes are never written


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), users=st.booleans(), k_nn=st.integers(1, 5))
def test_one_unit_more_or_less_moves_a_vote_by_no_more_than_the_sensitivity(
    tmp_path_factory: pytest.TempPathFactory, seed: int, users: bool, k_nn: int
) -> None:
    clean = []
    for gone in ([], [seed % 9]):
        folder = tmp_path_factory.mktemp("vote")
        options = {"noise_multiplier": None, "k_nn": k_nn, "users": users}
        clean.append(election(folder, seed, gone=np.array(gone), **options).run()[0].noisy)
    moved = np.abs(clean[0] - clean[1])
    assert (moved**2).sum() <= k_nn + 1e-9


def draws(folder: Path, scale: float, count: int) -> np.ndarray:
    """The noise of as many elections in units of the standard deviation that is claimed."""
    noise = []
    for number in range(count):
        held = election(folder / str(number), noise_multiplier=1.5 * scale, privacy_seed=None)
        vote = held.run()[0]
        noise.append((vote.noisy - slow_votes(held, np.arange(24))) / 1.5)
    return np.concatenate(noise)


def test_the_noise_is_the_one_that_is_charged_and_half_of_it_would_be_seen(tmp_path: Path) -> None:
    assert kstest(draws(tmp_path / "whole", 1.0, 40), norm.cdf).pvalue > 1e-4
    assert kstest(draws(tmp_path / "half", 0.5, 40), norm.cdf).pvalue < 1e-9


def test_a_killed_selection_goes_on_without_a_second_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, draw = [], evolution.noisy_votes

    def once(*arguments: object, **options: object) -> list[int]:
        drawn.append(options["iteration"])
        if drawn == [0, 1]:
            raise KeyboardInterrupt
        return draw(*arguments, **options)

    monkeypatch.setattr(evolution, "noisy_votes", once)
    with pytest.raises(KeyboardInterrupt):
        election(tmp_path, iterations=2, privacy_seed=None).run()
    first = read_json(tmp_path / "votes-00.json")
    history = election(tmp_path, iterations=2, privacy_seed=None).run()
    assert drawn == [0, 1, 1]  # the first vote was not drawn again
    np.testing.assert_array_equal(history[0].noisy, np.array(first) / VOTE)
    again = election(tmp_path, iterations=2, privacy_seed=None).run()
    assert len(drawn) == 3 and [vote.noisy.tolist() for vote in again] == [vote.noisy.tolist() for vote in history]


def test_a_privacy_seed_makes_the_draw_reproducible_and_none_does_not(tmp_path: Path) -> None:
    seeds = {"a": 3, "b": 3, "c": 4, "d": None, "e": None}
    noisy = {name: election(tmp_path / name, privacy_seed=seed).run()[0].noisy.tolist() for name, seed in seeds.items()}
    assert noisy["a"] == noisy["b"]
    assert len({tuple(votes) for votes in noisy.values()}) == 4


def test_a_selection_of_nothing_is_refused_before_any_vote(tmp_path: Path) -> None:
    with refused("methods.nothing_to_select", name="samples", value=1):
        election(tmp_path, samples=1, shares=(0.0, 1.0), only=0)


def test_every_vote_leaves_the_same_share_and_the_last_what_is_wanted() -> None:
    cells = [0] * 80 + [1] * 3 + [2] * 5
    sizes = survivors(cells, np.array([5, 4, 0]), 4)
    assert [size.tolist() for size in sizes] == [[40, 3, 0], [20, 3, 0], [10, 3, 0], [5, 3, 0]]
    assert survivors(cells, np.array([5, 4, 0]), 1)[0].tolist() == [5, 3, 0]


def test_a_draw_is_in_proportion_to_votes_and_takes_nobody_twice() -> None:
    votes, cells = np.array([8.0, 4.0, 2.0, -3.0, 0.0]), np.zeros(5, int)
    rng = np.random.default_rng(0)
    options = {"threshold": 0.0, "how": "sample", "rng": rng}
    first = [choose(votes, cells, np.array([1]), **options)[0] for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(first, minlength=5) / 4000, [8 / 14, 4 / 14, 2 / 14, 0, 0], atol=0.03)
    whole = [choose(votes, cells, np.array([4]), **options) for _ in range(50)]
    assert all(sorted(one[:3]) == [0, 1, 2] and len(set(one)) == 4 for one in whole)  # those without votes come last
    above = [choose(votes, cells, np.array([1]), threshold=4.0, how="sample", rng=rng)[0] for _ in range(50)]
    assert set(above) == {0}
    assert choose(votes, cells, np.array([2]), threshold=0.0, how="rank", rng=rng).tolist() == [0, 1]
