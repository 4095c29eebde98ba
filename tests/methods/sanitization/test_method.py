"""The entry of sanitized texts: a corpus is one, and what a card says."""

import pytest
from support.errors import refused

from lib.methods import registry
from lib.methods.sanitization.method import METHOD, WRITES, check_corpus, making

GIVEN = {"inputs": {"records": "50_private_records"}, "rewriter": "rules", "model": None}


def test_a_corpus_must_be_one() -> None:
    with refused("stage.input_of_another_notebook", name="corpus"):
        check_corpus(GIVEN | {"inputs": {"corpus": "11_generate"}})
    for inputs in ({"corpus": "00_process_data"}, {"corpus": "01_scrub"}, {"arm": "11_generate"}):
        check_corpus(GIVEN | {"inputs": inputs})


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
