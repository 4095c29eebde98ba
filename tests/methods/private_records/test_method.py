"""The entry of private records: author, model and seeds fit, and a card says how the records were made."""

import pytest
from support.errors import refused

from lib.methods import registry
from lib.methods.private_records.method import METHOD, WRITES, check_author, making

GIVEN = {
    "inputs": {}, "author": "grammar", "model": None, "seeds": None, "revisions": 2, "diversity_term": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        ({"inputs": {"corpus": "00_process_data"}}, "methods.takes_no_input", "corpus"),
        ({"model": "openai:x"}, "methods.unread_model", "model"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        check_author(GIVEN | changes)


@pytest.mark.parametrize("changes", [{}, {"author": "model", "model": "openai:x"}])
def test_what_fits_passes(changes: dict) -> None:
    check_author(GIVEN | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "A grammar drew"),
        ({}, "revised 2 times"),
        (
            {"revisions": 1, "diversity_term": False},
            "revised 1 time, and a version was kept or not by whether it was preferred to the one before it.",
        ),
        ({"author": "model", "model": "openai:gpt"}, "`openai:gpt` invented"),
        ({"author": "model", "model": "withheld"}, "a local model invented"),
        ({"seeds": "public:csv"}, "declared to be public"),
    ],
)
def test_a_card_says_how_they_were_made(changes: dict, words: str) -> None:
    assert words in " ".join(making(GIVEN | changes, GIVEN | changes, "none"))


def test_nothing_is_said_of_revisions_where_there_are_none() -> None:
    assert "revised" not in " ".join(making(GIVEN | {"revisions": 0}, GIVEN, "none"))


def test_it_is_an_arm_without_noise_that_needs_no_corpus() -> None:
    assert WRITES in registry.ARMS and WRITES not in registry.ATTACKED and registry.spending(WRITES) is None
    assert not METHOD.needs_corpus and not METHOD.passes_on and METHOD.labels
