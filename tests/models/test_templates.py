"""A prompt without its labels. What else templates do is tested with prompt files and models."""

import pytest
from support.errors import refused

from lib.models.prompt import Prompt
from lib.models.templates import unlabelled


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Write one {mood} sentence of a review.", "Write one sentence of a review."),
        ("{mood} review: ", "review: "),
        ("Review, {stars} of 5 stars:", "Review, of 5 stars:"),
        ("Product: {product}\nRating: {stars} of 5\nReview:", "Review:"),
        ("Write a {mood} review.\nOne sentence:\n", "Write a review.\nOne sentence:\n"),
        ("Mood: {mood}", "Mood:"),
        ("A {{kind}} {mood} text:", "A {{kind}} text:"),
    ],
)
def test_the_labels_of_a_prompt_are_taken_out(template: str, expected: str) -> None:
    assert unlabelled(template) == expected
    assert Prompt(template, chat=True).unlabelled() == Prompt(expected, chat=True)


def test_a_prompt_that_is_given_ends_as_the_one_with_labels_does() -> None:
    assert unlabelled("Mood: {mood}\nText:\n", "Text: ") == "Text:\n"
    assert Prompt("{mood} text:").unlabelled("Any text:\n").gap == Prompt("{mood} text:").gap


def test_a_prompt_that_cannot_do_without_its_labels_is_refused_and_so_is_one_that_keeps_them() -> None:
    with refused("models.prompt_without_labels", name="guidance"):
        unlabelled("A text:")
    with refused("models.prompt_not_unlabelled", name="prompt_without_label", value=None):
        unlabelled("{mood}:")
    with refused("models.prompt_not_unlabelled", name="prompt_without_label", value="A {tone} text:"):
        unlabelled("A {mood} text:", "A {tone} text:")
    with refused("models.template_empty"):
        unlabelled("A {mood} text:", " ")
