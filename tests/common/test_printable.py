"""Text from elsewhere becomes one line that steers nothing."""

import pytest

from lib.common.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("naïve 日本 ok", "naïve 日本 ok"),
        ("a\nb\r\x1b[8m", "a\\nb\\r\\x1b[8m"),
        ("\u202e\u2066\u200b\ufeff\u2028\ud800", "\\u202e\\u2066\\u200b\\ufeff\\u2028\\ud800"),
        ("x" * 301, "x" * 300 + "..."),
        (None, "None"),
    ],
)
def test_what_is_not_seen_is_escaped_and_what_is_long_is_cut(text, shown):
    assert printable(text) == shown
