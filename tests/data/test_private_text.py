"""A private string is shown by no usual way of printing it, alone or within something else."""

from dataclasses import dataclass

import pytest
from IPython.lib.pretty import pretty

from lib.data.private_text import PrivateText

SECRET = "the marked private words"


@dataclass
class Holder:
    text: PrivateText


@pytest.mark.parametrize("shown", [str, repr, pretty, "{}".format, "{!r:>40}".format, lambda text: f"{text}{text!s}"])
@pytest.mark.parametrize("within", [lambda text: text, lambda text: [text], lambda text: {text: text}, Holder])
def test_no_print_shows_it(shown, within) -> None:
    written = shown(within(PrivateText(SECRET)))
    assert "private text" in written and "marked" not in written


def test_it_has_no_attributes_to_be_listed_and_takes_no_others() -> None:
    text = PrivateText(SECRET)
    assert not hasattr(text, "__dict__") and text.reveal() == SECRET and len(text) == len(SECRET)
    with pytest.raises(AttributeError):
        text.note = SECRET


def test_equal_strings_are_equal_and_no_plain_string_is() -> None:
    assert PrivateText("a") == PrivateText("a") != PrivateText("b")
    assert len({PrivateText("a"), PrivateText("a"), PrivateText("b")}) == 2
    assert PrivateText("a") != "a"  # a guess cannot be confirmed by mistake
