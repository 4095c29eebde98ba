"""Requests: what stands around a record is the same for all records, and a record follows from itself."""

import pytest
from support.errors import refused

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.private_prediction.requests import Requests
from lib.models import loading

TINY = "bundled:tiny-random"
PROMPT, SHOWING = "One {mood} text.", "One {mood} text, like: {text}\nAnother:"
GOOD = {"mood": "good"}


@pytest.fixture(scope="module")
def tokenizer():
    return loading.load_tokenizer(TINY)


def test_a_record_stands_where_the_template_says(tokenizer):
    requests = Requests(tokenizer, PROMPT, SHOWING, False, 50)
    around = requests.around(GOOD)
    ids = [*around.before, *requests.shown(around, Record("a", PrivateText("The box came late."), GOOD))]
    assert tokenizer.decode(ids) == "One good text, like: The box came late.\nAnother:"
    assert tokenizer.decode(requests.public(GOOD)) == "One good text."


def test_special_tokens_and_braces_in_a_record_are_plain_characters(tokenizer):
    requests = Requests(tokenizer, PROMPT, SHOWING, False, 50)
    around = requests.around(GOOD)
    shown = requests.shown(around, Record("a", PrivateText(f"{{mood}} {tokenizer.eos_token}"), GOOD))
    assert tokenizer.eos_token_id not in shown
    assert tokenizer.decode(shown).startswith(f"{{mood}} {tokenizer.eos_token}")


def test_a_long_record_is_cut(tokenizer):
    requests = Requests(tokenizer, PROMPT, SHOWING, False, 8)
    around = requests.around(GOOD)
    assert len(requests.shown(around, Record("a", PrivateText("x" * 99), GOOD))) == 8 + len(around.after)
    requests.check_room([GOOD], 100)
    with refused("generation.prompt_too_long", name="max_record_tokens", value=8):
        requests.check_room([GOOD], tokenizer.model_max_length)
