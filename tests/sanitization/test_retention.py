"""What was to be kept is readable where it still stands, in whatever writing, or where it is guessed right."""

import pytest

from lib.sanitization.leaks import Searched
from lib.sanitization.retention import readable


@pytest.mark.parametrize(
    ("values", "text", "guess", "kept"),
    [
        (["12 March 2021"], "She was seen on 2021-03-12.", None, True),
        (["leukemia", "cancer"], "It is CANCER.", "other", True),  # any way in which the original tells it
        (["leukemia"], "She has an illness.", "same", True),
        (["leukemia"], "She has an illness.", "near", False),
        (["leukemia"], "She has an illness.", None, False),
        ([], "She has an illness.", None, False),
    ],
)
def test_a_value_is_readable_where_it_stands_or_is_guessed(values, text: str, guess, kept: bool) -> None:
    assert readable(values, Searched(text), guess) is kept
