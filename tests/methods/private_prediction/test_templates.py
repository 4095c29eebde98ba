"""Templates: which of them has a place for a record."""

import pytest
from support.errors import refused

from lib.methods.private_prediction import templates


def test_labels_of_both_templates_are_named():
    assert templates.check("A {mood} text.", "A {mood} text about {topic}: {text}") == {"mood", "topic"}


@pytest.mark.parametrize(
    ("prompt", "shown", "code"),
    [
        ("A text.", "Another text.", "methods.no_place_for_record"),
        ("A text.", "{text} {text}", "methods.no_place_for_record"),
        ("A text: {text}", "One: {text}", "models.placeholder_is_text"),
        ("A {mood text.", "One: {text}", "models.template_malformed"),
        (" ", "One: {text}", "models.template_empty"),
    ],
)
def test_templates_that_cannot_be_filled_are_refused(prompt, shown, code):
    with refused(code):
        templates.check(prompt, shown)
