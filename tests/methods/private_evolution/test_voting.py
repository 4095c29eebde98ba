"""Votes: nearest candidates against brute force, users against a loop, sensitivity by property."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.common.errors import DoppelError
from lib.methods.private_evolution import nearest_neighbours
from lib.methods.private_evolution.voting import VOTE, nearest, sensitivity, vote


def brute(private: np.ndarray, candidates: np.ndarray, k: int) -> np.ndarray:
    """All pairs in float64; a stable sort gives ties to the lower index."""
    x, c = private.astype(np.float64), candidates.astype(np.float64)
    distances = ((x[:, None] - c[None]) ** 2).sum(2)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def made(kind: str, n: int, m: int, width: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, c = rng.standard_normal((n, width)), rng.standard_normal((m, width))
    match kind:
        case "grid":  # many distances are equal
            x, c = np.sign(x) * (abs(x) > 0.6), np.sign(c) * (abs(c) > 0.6)
        case "copies":
            c = c[rng.integers(0, max(1, m // 4), m)]
        case "near ties":
            c = c[:1] * (1 + 1e-7 * rng.standard_normal((m, 1)))
        case "offset":
            x, c = x + 3000, c + 3000
        case "long":
            x, c = 1e8 * x, 1e8 * c
        case "short":
            x, c = 1e-20 * x, 1e-20 * c
        case "outlier":
            c[0] *= 1e6
        case "far":
            x = 1e9 * x
        case "same":
            x[:], c[:] = 1.5, 1.5
        case "unit":
            x, c = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, c))
    return x.astype(np.float32), c.astype(np.float32)


KINDS = ["plain", "grid", "copies", "near ties", "offset", "long", "short", "outlier", "far", "same", "unit"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 3])
def test_nearest_is_brute_force_in_float64_ties_included(kind: str, k: int):
    for seed, (n, m, width) in enumerate([(40, 150, 24), (70, 64, 3), (9, 65, 1), (130, 7, 40), (1, 1, 5), (5, 2, 2)]):
        private, candidates = made(kind, n, m, width, seed)
        expected = brute(private, candidates, min(k, m))
        for chunk_bytes in (None, 1, 3000):
            found = nearest(private, candidates, k, chunk_bytes=chunk_bytes)
            assert found.dtype == np.int32
            np.testing.assert_array_equal(found, expected, err_msg=f"{n} {m} {width} {chunk_bytes}")


def test_near_ties_that_float32_scores_cannot_tell_are_told_apart():
    rng = np.random.default_rng(0)
    private = rng.standard_normal((200, 384)).astype(np.float32)
    candidates = np.repeat(private, 2, axis=0) + np.float32(0.1)
    candidates[1::2, 0] += np.float32(3e-7)  # of each pair, one is further away by a breath
    distances = ((private[:, None].astype(np.float64) - candidates[None]) ** 2).sum(2)
    two = np.sort(distances, axis=1)[:, :2]
    assert np.all(two[:, 1] - two[:, 0] < 1e-6 * two[:, 0]) and np.any(two[:, 0] < two[:, 1])
    np.testing.assert_array_equal(nearest(private, candidates, 1), brute(private, candidates, 1))


@pytest.mark.parametrize("k", [70, 200, 1000])
def test_all_candidates_are_returned_where_there_are_no_more_than_k(k: int):
    private, candidates = made("plain", 6, 70, 4, 0)
    np.testing.assert_array_equal(nearest(private, candidates, k), brute(private, candidates, 70))


@pytest.mark.parametrize("rough", [False, True])
def test_the_bound_holds_and_is_not_idle(rough: bool, monkeypatch: pytest.MonkeyPatch):
    """Scores err by less than E; and E is within some hundred times of what happens, so it filters."""
    monkeypatch.setattr(nearest_neighbours, "_rough_pays", lambda device: rough)
    for kind in ("plain", "offset", "unit", "outlier", "far"):
        private, candidates = made(kind, 300, 80, 48, 1)
        search = nearest_neighbours._Search(candidates, 1, torch.device("cpu"), 10**6)
        moved = torch.from_numpy(private) - search.center
        scores, error = search._scores(moved)
        x = private.astype(np.float64) - search.center.double().numpy()
        c = candidates.astype(np.float64) - search.center.double().numpy()
        off = np.abs(scores[:, :80].double().numpy() - ((c**2).sum(1) / 2 - x @ c.T))
        assert np.all(off <= error.numpy()[:, None]) and np.all(off.max() > 1e-3 * error.numpy().max()), kind


@pytest.mark.parametrize("rough", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_rough_scores_change_the_work_and_not_the_result(kind: str, rough: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nearest_neighbours, "_rough_pays", lambda device: rough)
    monkeypatch.setattr(nearest_neighbours, "FEW", 1000)
    private, candidates = made(kind, 90, 150, 24, 5)
    for k in (1, 3):
        np.testing.assert_array_equal(nearest(private, candidates, k), brute(private, candidates, k))


def test_rough_scores_are_given_up_where_they_leave_too_many_contenders(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nearest_neighbours, "_rough_pays", lambda device: True)
    for kind, kept in (("unit", True), ("outlier", False)):
        private, candidates = made(kind, 90, 150, 200, 6)
        search = nearest_neighbours._Search(candidates, 1, torch.device("cpu"), 10**6)
        for _ in range(2):
            np.testing.assert_array_equal(search(torch.from_numpy(private)), brute(private, candidates, 1))
        assert (search.rough is not None) == kept


def test_the_program_s_cheaper_products_do_not_reach_the_scores():
    private, candidates = made("plain", 500, 300, 64, 2)
    switch = torch.backends.mkldnn.matmul
    switch.fp32_precision, before = "bf16", switch.fp32_precision
    try:
        np.testing.assert_array_equal(nearest(private, candidates, 1), brute(private, candidates, 1))
        assert switch.fp32_precision == "bf16"
    finally:
        switch.fp32_precision = before


def test_memory_mapped_vectors_and_chosen_rows(tmp_path: Path):
    private, candidates = made("copies", 300, 90, 16, 3)
    np.save(tmp_path / "vectors.npy", private)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    rows = np.array([299, 0, 7, 7, 120])
    np.testing.assert_array_equal(nearest(mapped, candidates, 2), brute(private, candidates, 2))
    np.testing.assert_array_equal(nearest(mapped, candidates, 2, rows=rows), brute(private[rows], candidates, 2))
    assert nearest(mapped, candidates, 2, rows=rows[:0]).shape == (0, 2)


def test_memory_stays_at_a_few_chunks():
    """8 times the vectors' bytes in scores alone; a fresh process, so that other tests leave it alone."""
    script = """if True:
        import resource, sys
        import numpy as np
        from lib.methods.private_evolution.voting import nearest
        rng = np.random.default_rng(0)
        private, candidates = (rng.standard_normal((n, 32), np.float32) for n in (60_000, 1000))
        nearest(private[:5000], candidates, 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        nearest(private, candidates, 2)
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 40  # MB; all scores at once would be 240


@pytest.mark.parametrize(
    ("private", "candidates", "k", "why"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), 1, r"\(2, 3\).*\(2, 4\).*same encoder"),
        (np.zeros(3), np.zeros((2, 3)), 1, "same encoder"),
        (np.zeros((2, 3)), np.zeros((0, 3)), 1, "no candidates"),
        (np.zeros((2, 3)), np.zeros((2, 3)), 0, "k is 0, it must be at least 1"),
        (np.array([[0.0, np.nan]]), np.zeros((2, 2)), 1, "private vector is not finite"),
        (np.array([[0.0, np.inf]]), np.zeros((2, 2)), 1, "private vector is not finite"),
        (np.array([[0.0, 1e16]]), np.zeros((2, 2)), 1, r"1e\+15 or more"),
        (np.zeros((2, 2)), np.array([[0.0, np.nan]]), 1, "candidate vector is not finite"),
    ],
)
def test_vectors_that_cannot_be_searched(private, candidates, k, why):
    with pytest.raises(DoppelError, match=why):
        nearest(private, candidates, k)


def slow_vote(private, candidates, private_cells, candidate_cells, k_nn, owners=None) -> np.ndarray:
    """One record and one user at a time, in exact integers."""
    users: dict[int, Counter] = {}
    for i, cell in enumerate(private_cells):
        members = [j for j, other in enumerate(candidate_cells) if other == cell >= 0]
        away = {j: float(((private[i].astype(float) - candidates[j].astype(float)) ** 2).sum()) for j in members}
        near = sorted(members, key=lambda j: (away[j], j))[:k_nn]
        users.setdefault(i if owners is None else int(owners[i]), Counter()).update(near)
    histogram = np.zeros(len(candidates))
    for votes in users.values():
        norm = np.sqrt(sum(count**2 for count in votes.values()))
        for j, count in votes.items():
            histogram[j] += count * min(1.0, np.sqrt(k_nn) / norm)
    return histogram


def election(rng: np.random.Generator, n: int, m: int, cells: int, users: int) -> dict[str, np.ndarray]:
    return {
        "private": rng.integers(-2, 3, (n, 3)).astype(np.float32),
        "candidates": rng.integers(-2, 3, (m, 3)).astype(np.float32),
        "private_cells": rng.integers(-1, cells, n),
        "candidate_cells": rng.integers(-1, cells, m),
        "owners": rng.integers(0, users, n) * 10**12,  # any numbers do
    }


@pytest.mark.parametrize("k_nn", [1, 3, 30])
def test_votes_are_those_of_a_loop(k_nn: int):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        held = election(rng, n=60, m=15, cells=int(rng.integers(1, 5)), users=8)
        by_user = vote(**held, k_nn=k_nn)
        assert by_user.dtype == np.int64 and by_user.shape == (15,)
        expected = slow_vote(**held, k_nn=k_nn)
        assert np.all(np.abs(by_user - VOTE * expected) <= 8 + 1e-3)  # each of 8 users is rounded down once
        assert np.all(by_user <= VOTE * expected + 1e-3)
        by_record = vote(**held | {"owners": None}, k_nn=k_nn)
        np.testing.assert_array_equal(by_record, VOTE * slow_vote(**held | {"owners": None}, k_nn=k_nn))


def test_cells_keep_to_themselves():
    line = np.arange(6, dtype=np.float32)[:, None]
    where = {"private_cells": np.array([0, 0, 1, 2, -1, 1]), "candidate_cells": np.array([1, 1, 1, 0, -1, 3])}
    clean = vote(line, line, **where, k_nn=2) // VOTE
    # cell 0 has one candidate for two records; cell 2 has none; -1 neither votes nor is voted for
    assert clean.tolist() == [0, 2, 2, 2, 0, 0]
    assert vote(line, line, private_cells=np.full(6, -1), candidate_cells=np.zeros(6, int), k_nn=1).sum() == 0
    owners = np.zeros(6, int)
    assert (
        vote(line, line, private_cells=np.full(6, 4), candidate_cells=np.zeros(6, int), k_nn=1, owners=owners).sum()
        == 0
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k_nn=st.integers(1, 7), users=st.integers(1, 12), unit=st.booleans())
def test_one_unit_more_or_less_moves_the_votes_by_no_more_than_the_sensitivity(seed, k_nn, users, unit):
    rng = np.random.default_rng(seed)
    held = election(
        rng, n=int(rng.integers(1, 80)), m=int(rng.integers(1, 20)), cells=int(rng.integers(1, 4)), users=users
    )
    if unit:
        gone = held["owners"] == rng.choice(held["owners"])
    else:
        held["owners"], gone = None, np.arange(len(held["private"])) == rng.integers(len(held["private"]))
    neighbour = {
        name: value[~gone] if name in ("private", "private_cells", "owners") and value is not None else value
        for name, value in held.items()
    }
    difference = vote(**held, k_nn=k_nn) - vote(**neighbour, k_nn=k_nn)
    assert difference.min() >= 0
    assert sum(int(d) ** 2 for d in difference) <= k_nn * VOTE**2  # in exact integers


def test_a_user_s_votes_reach_the_bound_and_a_light_user_is_not_scaled_up():
    one = np.zeros((1, 2), np.float32)
    cell = {"candidate_cells": np.zeros(1, int), "k_nn": 4}
    for records in (1, 2, 3, 1000):
        private = np.repeat(one, records, axis=0)
        who = {"private_cells": np.zeros(records, int), "owners": np.zeros(records, int)}
        (votes,) = vote(private, one, **who, **cell)
        assert VOTE * min(records, 2) - 1 <= votes <= VOTE * min(records, 2)
    assert sensitivity(4) == 2 * VOTE and sensitivity(1) == VOTE == 2**20


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"k_nn": 0}, "k_nn is 0, it must be at least 1"),
        ({"private_cells": np.zeros(3, int)}, r"private_cells is int64 of shape \(3,\).*each of the 4 private"),
        ({"candidate_cells": np.zeros(2)}, "candidate_cells is float64"),
        ({"owners": np.zeros((4, 1), int)}, r"owners is int64 of shape \(4, 1\)"),
        ({"candidates": np.zeros((2, 5), np.float32)}, "same encoder"),
    ],
)
def test_an_election_that_cannot_be_held(change, why):
    given = {
        "private": np.zeros((4, 3), np.float32),
        "candidates": np.zeros((2, 3), np.float32),
        "private_cells": np.zeros(4, int),
        "candidate_cells": np.zeros(2, int),
        "k_nn": 1,
    }
    with pytest.raises(DoppelError, match=why):
        vote(**given | change)
