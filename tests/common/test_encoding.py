"""A file that is not UTF-8: the line, and advice that loses nothing of the text."""

import pytest

from lib.common.encoding import not_utf8

CURLY = "I don\u2019t like it \u2013 20 \u20ac"


@pytest.mark.parametrize(
    ("lines", "line", "advice"),
    [
        ([b"text", "caf\u00e9".encode("latin-1")], 2, "-f cp1252"),
        ([b"text", b"plain", CURLY.encode("cp1252")], 3, "-f cp1252"),
        ([CURLY.encode(), b"text", "caf\u00e9".encode("latin-1")], 3, "mend or remove this line"),
        (["\u65e5\u672c\u8a9e".encode("euc-jp") + b"\x8f"], 1, "save it again as UTF-8"),
    ],
)
def test_the_first_bad_line_and_what_to_do(lines: list[bytes], line: int, advice: str) -> None:
    error = not_utf8(lines, "x.csv")
    assert (error.code, error.where) == ("common.not_utf8", f"x.csv, line {line}")
    assert advice in error.remedy and "caf" not in str(error) and "like it" not in str(error)
    assert ("cp1252" in error.remedy) == ("cp1252" in advice)


def test_the_advice_gives_the_text_back() -> None:
    """What `test_the_first_bad_line_and_what_to_do` is told to do, for either encoding."""
    assert CURLY.encode("cp1252").decode("cp1252") == CURLY
    western = bytes(range(0xA0, 0x100))
    assert western.decode("cp1252") == western.decode("latin-1")
