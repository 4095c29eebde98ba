"""Sentences that were copied word for word."""

from lib.audit import verbatim


def test_a_verbatim_sentence_is_found_whatever_its_case_and_signs():
    real = ["Nice. The battery of this camera lasts for two whole days!", "it is too short"]
    synthetic = [
        "I think the battery of THIS camera lasts for two whole days, really.",
        "The battery of this camera lasts for two days.",
        "it is too short",
    ]
    assert verbatim.verbatim(synthetic, real) == 1
    assert verbatim.verbatim(synthetic, real, min_words=4) == 2
