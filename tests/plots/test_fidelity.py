"""Pictures of fidelity: which words are written, and sets of which nothing can be drawn."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from lib.plots import fidelity


def test_words_that_add_most_to_the_divergence_are_written_beside_their_side():
    real = np.array([0.3, 0.3, 0.2, 0.1, 0.1, 0.0])
    other = np.array([0.1, 0.3, 0.3, 0.1, 0.0, 0.2])
    named = {i: f"word{i}" for i in range(6) if i != 2}  # the third is too frequent too, but no public word
    shares = {"real": real, "arm": other, "ceiling": real}
    panel, level = fidelity.words(shares, named, reference="real", ceiling="ceiling").axes
    often, seldom = (text.get_text().split("\n") for text in panel.texts)
    assert often == [fidelity.TOO_OFTEN, "word5"]

    def term(word: int) -> float:
        """What one word adds to the Jensen-Shannon divergence: what is left when all others are equal."""
        middle = (real[word] + other[word]) / 2
        return sum(share * np.log2(share / middle) / 2 for share in (real[word], other[word]) if share > 0)

    worst = sorted((0, 4), key=term, reverse=True)
    assert seldom == [fidelity.TOO_SELDOM, *(f"word{i}" for i in worst)]
    assert [text.get_text() for text in level.texts] == ["", ""]  # nothing is too frequent or too rare there
    assert sum(map(term, range(6))) == pytest.approx(jensenshannon(real, other, base=2) ** 2)


def test_lengths_of_a_set_without_sentences_have_a_name_and_no_line():
    groups = {"real": np.array([3, 4, 5]), "arm": np.array([2, 40]), "silent": np.array([]), "train": np.array([4])}
    (panel,) = fidelity.lengths({"sentence": groups}, reference="real", ceiling="train").axes
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["real", "arm", "silent (none)", "train"]
    assert panel.get_xlim() == (0, 3 * 5 + 1)  # not as far as the arm's longest


def test_gaps_show_the_first_clusters_and_none_in_bold():
    counts, sizes = np.array([[0, 2], [3, 4], [1, 1]]), np.array([5, 4, 3])
    (panel,) = fidelity.gaps(counts, sizes, ["a", "b", "c"], ["arm", "ceiling"], most=2).axes
    written = {text.get_text(): text.get_fontweight() for text in panel.texts}
    assert written == {"0 of 5": "bold", "2 of 5": "normal", "3 of 4": "normal", "4 of 4": "normal"}
