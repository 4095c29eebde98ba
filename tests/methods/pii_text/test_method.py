"""The entry of PII text: inputs and model fit the writer, and a card says how it was made."""

import pytest
from support.errors import refused

from lib.methods import registry
from lib.methods.pii_text.method import METHOD, WRITES, check_writer, making

GIVEN = {"inputs": {}, "writer": "grammar", "model": None, "values": "plausible"}


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        ({"writer": "arm"}, "methods.no_slot_texts", "inputs"),
        ({"writer": "arm", "inputs": {"source": "11_generate.eps8"}}, "methods.no_slot_texts", "inputs"),
        ({"inputs": {"arm": "11_generate.eps8"}}, "methods.unread_input", "arm"),
        (
            {"writer": "arm", "inputs": {"arm": "11_generate", "corpus": "00_process_data"}},
            "methods.unread_input",
            "corpus",
        ),
        ({"writer": "model"}, "methods.no_writing_model", "model"),
        ({"writer": "batch"}, "methods.no_writing_model", "model"),
        ({"model": "bundled:tiny-random"}, "methods.unread_model", "model"),
        ({"writer": "arm", "inputs": {"arm": "11_generate"}, "model": "openai:x"}, "methods.unread_model", "model"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        check_writer(GIVEN | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"writer": "arm", "inputs": {"arm": "11_generate"}},
        {"writer": "model", "model": "x"},
        {"writer": "batch", "model": "x"},
    ],
)
def test_what_fits_passes(changes: dict) -> None:
    check_writer(GIVEN | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "grammar"),
        ({"writer": "model", "model": "openai:gpt"}, "`openai:gpt`"),
        ({"writer": "model", "model": "withheld"}, "a local model"),
        ({"writer": "batch", "model": "bedrock:x"}, "batch job"),
        ({"writer": "arm"}, "costs no epsilon"),
        ({"values": "reserved"}, "set aside"),
    ],
)
def test_a_card_says_how_it_was_made(changes: dict, words: str) -> None:
    assert words in " ".join(making(GIVEN | changes, GIVEN | changes, "none"))


def test_it_is_an_arm_without_noise_that_needs_no_corpus() -> None:
    assert WRITES in registry.ARMS and registry.spending(WRITES) is None
    assert registry.of_stages("40_pii_text.x", ["11_generate.eps8", "10_finetune_dp_lora.eps8"]) == (
        METHOD,
        "40_pii_text.x",
    )
    assert not METHOD.needs_corpus and METHOD.passes_on == ("arm",) and METHOD.labels
