"""Nearest candidates: against brute force in float64, ties included, whatever the rounding and the chunks."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.errors import refused

from lib.methods.private_evolution import nearest_neighbours
from lib.methods.private_evolution.nearest_neighbours import nearest


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
def test_nearest_is_brute_force_in_float64_ties_included(kind: str, k: int) -> None:
    for seed, (n, m, width) in enumerate([(40, 150, 24), (70, 64, 3), (9, 65, 1), (130, 7, 40), (1, 1, 5), (5, 2, 2)]):
        private, candidates = made(kind, n, m, width, seed)
        expected = brute(private, candidates, min(k, m))
        for chunk_bytes in (None, 1, 3000):
            indices = nearest(private, candidates, k, chunk_bytes=chunk_bytes)
            assert indices.dtype == np.int32
            np.testing.assert_array_equal(indices, expected, err_msg=f"{n} {m} {width} {chunk_bytes}")


def test_near_ties_that_float32_scores_cannot_tell_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    private = rng.standard_normal((200, 384)).astype(np.float32)
    candidates = np.repeat(private, 2, axis=0) + np.float32(0.1)
    candidates[1::2, 0] += np.float32(3e-7)  # the second of each pair is barely further away
    distances = ((private[:, None].astype(np.float64) - candidates[None]) ** 2).sum(2)
    nearest_two = np.sort(distances, axis=1)[:, :2]
    gaps = nearest_two[:, 1] - nearest_two[:, 0]
    assert np.all(gaps < 1e-6 * nearest_two[:, 0]) and np.any(gaps > 0)
    np.testing.assert_array_equal(nearest(private, candidates, 1), brute(private, candidates, 1))


@pytest.mark.parametrize("k", [70, 200, 1000])
def test_all_candidates_are_returned_where_there_are_no_more_than_k(k: int) -> None:
    private, candidates = made("plain", 6, 70, 4, 0)
    np.testing.assert_array_equal(nearest(private, candidates, k), brute(private, candidates, 70))


@pytest.mark.parametrize("rough", [False, True])
def test_the_bound_on_scores_holds_and_is_not_too_wide(rough: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores err by less than E, and E is at most a thousand times the largest error, so that it filters."""
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
def test_rough_scores_change_the_work_and_not_the_result(
    kind: str, rough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_neighbours, "_rough_pays", lambda device: rough)
    monkeypatch.setattr(nearest_neighbours, "FEW", 1000)
    private, candidates = made(kind, 90, 150, 24, 5)
    for k in (1, 3):
        np.testing.assert_array_equal(nearest(private, candidates, k), brute(private, candidates, k))


def test_rough_scores_are_given_up_where_they_leave_too_many_contenders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_neighbours, "_rough_pays", lambda device: True)
    for kind, kept in (("unit", True), ("outlier", False)):
        private, candidates = made(kind, 90, 150, 200, 6)
        search = nearest_neighbours._Search(candidates, 1, torch.device("cpu"), 10**6)
        for _ in range(2):
            np.testing.assert_array_equal(search(torch.from_numpy(private)), brute(private, candidates, 1))
        assert (search.rough is not None) == kept


def test_cheaper_matrix_products_of_the_program_do_not_reach_the_scores() -> None:
    private, candidates = made("plain", 500, 300, 64, 2)
    switch = torch.backends.mkldnn.matmul
    switch.fp32_precision, before = "bf16", switch.fp32_precision
    try:
        np.testing.assert_array_equal(nearest(private, candidates, 1), brute(private, candidates, 1))
        assert switch.fp32_precision == "bf16"
    finally:
        switch.fp32_precision = before


def test_memory_mapped_vectors_and_chosen_rows(tmp_path: Path) -> None:
    private, candidates = made("copies", 300, 90, 16, 3)
    np.save(tmp_path / "vectors.npy", private)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    rows = np.array([299, 0, 7, 7, 120])
    np.testing.assert_array_equal(nearest(mapped, candidates, 2), brute(private, candidates, 2))
    np.testing.assert_array_equal(nearest(mapped, candidates, 2, rows=rows), brute(private[rows], candidates, 2))
    assert nearest(mapped, candidates, 2, rows=rows[:0]).shape == (0, 2)


def test_memory_stays_at_a_few_chunks() -> None:
    """All scores at once would take 8 times the bytes of the vectors. A new process, apart from other tests."""
    script = """if True:
        import resource, sys
        import numpy as np
        from lib.methods.private_evolution.nearest_neighbours import nearest
        rng = np.random.default_rng(0)
        private, candidates = (rng.standard_normal((n, 32), np.float32) for n in (30_000, 1000))
        nearest(private[:5000], candidates, 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        nearest(private, candidates, 2)
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 40  # MB; all scores at once would be 120


@pytest.mark.parametrize(
    ("private", "candidates", "k", "code", "name", "value"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), 1, "methods.vector_shapes", "candidates", (2, 4)),
        (np.zeros(3), np.zeros((2, 3)), 1, "methods.vector_shapes", "candidates", (2, 3)),
        (np.zeros((2, 0)), np.zeros((2, 0)), 1, "methods.vector_shapes", "candidates", (2, 0)),
        (np.zeros((2, 3)), np.zeros((0, 3)), 1, "methods.no_candidates", "candidates", 0),
        (np.zeros((2, 3)), np.zeros((2, 3)), 0, "methods.k_too_small", "k", 0),
        (np.array([[0.0, np.nan]]), np.zeros((2, 2)), 1, "methods.vector_not_finite", "private", None),
        (np.array([[0.0, np.inf]]), np.zeros((2, 2)), 1, "methods.vector_not_finite", "private", None),
        (np.array([[0.0, 1e16]]), np.zeros((2, 2)), 1, "methods.vector_not_finite", "private", None),
        (np.zeros((2, 2)), np.array([[0.0, np.nan]]), 1, "methods.vector_not_finite", "candidate", None),
    ],
)
def test_vectors_that_cannot_be_searched(
    private: np.ndarray, candidates: np.ndarray, k: int, code: str, name: str, value: object
) -> None:
    with refused(code, name=name, value=value):
        nearest(private, candidates, k)
