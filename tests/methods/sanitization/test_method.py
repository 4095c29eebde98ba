"""The entry of sanitized texts: whose texts they are, and what a card says."""

import pytest

from lib.methods import registry
from lib.methods.sanitization.method import METHOD, WRITES, making

GIVEN = {"inputs": {"records": "50_private_records"}, "rewriter": "rules", "model": None}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "by rules"),
        ({"rewriter": "model", "model": "openai:gpt"}, "by `openai:gpt`"),
        ({}, "costs no epsilon"),
        ({}, "no guarantee"),
    ],
)
def test_a_card_says_how_it_was_made(changes: dict, words: str) -> None:
    assert words in " ".join(making(GIVEN | changes, GIVEN | changes, "record"))


def test_its_texts_are_those_of_another() -> None:
    assert WRITES in registry.ARMS and WRITES not in registry.ATTACKED and registry.spending(WRITES) is None
    assert METHOD.passes_on == ("records", "arm") and METHOD.only_passes_on and not METHOD.labels
