"""The classifier two-sample test: the best accuracy there is, matched lengths, bad input."""

import numpy as np
import pytest
from support.errors import refused
from support.fidelity_toys import embeddings

from lib.evaluation.fidelity.two_sample_test import match_lengths, two_sample_accuracy


def test_two_sample_test_finds_a_shift_and_nothing_on_equal_sets():
    a, b = embeddings(2, 100, 6, seed=1)
    shifted = b + np.r_[2.0, np.zeros(5)]
    assert two_sample_accuracy(a, shifted, seed=0) == pytest.approx(0.84, abs=0.06)  # Phi(1), the best there is
    null = [two_sample_accuracy(*embeddings(2, 60, 3, seed=seed), seed=seed) for seed in range(20)]
    assert abs(np.mean(null) - 0.5) < 0.05


def test_matched_lengths_have_one_distribution_and_leave_out_no_match():
    real, synthetic = np.random.default_rng(1).integers(3, 60, 200), np.random.default_rng(2).integers(20, 120, 150)
    i, j = match_lengths(real, synthetic, np.random.default_rng(3))
    classes = [np.round(4 * np.log2(side + 1)) for side in (real, synthetic)]
    assert sorted(classes[0][i]) == sorted(classes[1][j])
    assert len(set(i)) == len(i) and len(set(j)) == len(j)
    assert len(i) == sum(min((classes[0] == c).sum(), (classes[1] == c).sum()) for c in set(classes[0]))


def test_sets_without_a_common_length_or_of_different_size_are_refused():
    with refused("evaluation.no_common_length"):
        match_lengths(np.array([3, 4]), np.array([90, 100]), np.random.default_rng(0))
    with refused("evaluation.sizes_differ", name="synthetic", value=19):
        two_sample_accuracy(embeddings(20, 3), embeddings(19, 3), seed=0)
