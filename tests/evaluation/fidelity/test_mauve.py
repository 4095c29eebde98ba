"""MAUVE: loops, known sets, and the reference package where it is installed."""

from itertools import pairwise

import numpy as np
import pytest
from support.errors import refused
from support.fidelity_toys import embeddings

from lib.evaluation.fidelity.mauve import frontier_area, mauve


def naive_frontier(p: np.ndarray, q: np.ndarray) -> float:
    points = [(1.0, 0.0)]
    for w in np.linspace(1e-6, 1 - 1e-6, 25):
        r = [w * x + (1 - w) * y for x, y in zip(p, q, strict=True)]
        kl = [sum(x * np.log(x / z) for x, z in zip(side, r, strict=True) if x > 0) for side in (q, p)]
        points.append((np.exp(-5 * kl[0]), np.exp(-5 * kl[1])))
    points.append((0.0, 1.0))
    areas = []
    for x, y in ((0, 1), (1, 0)):
        line = sorted(points, key=lambda point: point[x])
        areas.append(sum((b[x] - a[x]) * (a[y] + b[y]) / 2 for a, b in pairwise(line)))
    return np.mean(areas)


def test_area_under_the_frontier_is_that_of_loops():
    p, q = np.random.default_rng(2).dirichlet(np.ones(7), size=2)
    p[2], q[3] = 0, 0
    p, q = p / p.sum(), q / q.sum()
    assert frontier_area(p, q) == pytest.approx(naive_frontier(p, q), rel=1e-9)
    assert frontier_area(p, p) == pytest.approx(1, abs=1e-5)
    assert frontier_area(np.array([1.0, 0]), np.array([0, 1.0])) < 0.01
    assert frontier_area(p, q) == pytest.approx(frontier_area(q, p))


def test_mauve_falls_as_sets_part_and_repeats_with_its_seed():
    a, b = embeddings(2, 200, 8, seed=1) + 2
    values = [mauve(a, b + shift * np.r_[1, np.zeros(7)], seed=1) for shift in (0, 1.5, 6)]
    assert values[0] > 0.9 > values[1] > values[2]
    assert values[0] == mauve(a, b, seed=1)


def test_mauve_is_the_references_within_its_noise_over_seeds():
    reference = pytest.importorskip("mauve")
    a, b = embeddings(400, 8, seed=1) + 1, embeddings(400, 8, seed=2) + 1.15
    ours = np.array([mauve(a, b, seed=seed) for seed in range(8)])
    theirs = np.array([reference.compute_mauve(a, b, seed=seed).mauve for seed in range(8)])
    noise = np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / 8)
    assert abs(ours.mean() - theirs.mean()) < 4 * noise and noise < 0.02
    result = reference.compute_mauve(a, b, seed=0)
    assert frontier_area(result.p_hist, result.q_hist) == pytest.approx(result.mauve, rel=1e-6)


def test_too_few_or_equal_records_are_refused():
    for n in (0, 1):
        with refused("evaluation.too_few_embeddings", name="synthetic", value=n):
            mauve(embeddings(10, 3), np.ones((n, 3)), seed=0)
    with refused("evaluation.too_many_clusters", name="clusters", value=2):
        mauve(np.ones((20, 3)), np.ones((20, 3)), seed=0)
