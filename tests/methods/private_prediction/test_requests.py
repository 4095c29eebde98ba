"""Requests: what stands around a record is the same for all records, and a record follows from itself."""

import pytest
from support.errors import refused

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.generation.prompt_file import PromptFile
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.requests import Requests
from lib.models import loading

TINY = "bundled:tiny-random"
PROMPT, SHOWING = "One {mood} text.", "One {mood} text, like: {text}\nAnother:"
GOOD = {"mood": "good"}
FIRST = Batch(0, 0)
FILE = {
    "about": "boxes", "labels": ["mood"], "one_line": True, "system": "You write.",
    "random": ["A {mood} text about {topic}:"], "rephrase": ["{text}"], "fill": ["{text}"],
    "draws": {"topic": ["a box", "a train", "a cat", "a film", "tea"]},
    "shots": [
        {"labels": GOOD, "draws": {"topic": "an example"}, "text": "It shines."},
        {"labels": {"mood": "bad"}, "text": "No."},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return loading.load_tokenizer(TINY)


def record(text: str) -> Record:
    return Record("a", PrivateText(text), GOOD)


def test_a_record_stands_where_the_template_says(tokenizer):
    requests = Requests(tokenizer, PROMPT, SHOWING, False, 50)
    asked = requests.asked(GOOD, FIRST)
    ids = [*asked.before, *requests.shown(asked, record("The box came late."))]
    assert tokenizer.decode(ids) == "One good text, like: The box came late.\nAnother:"
    assert tokenizer.decode(asked.alone) == "One good text." == asked.text
    assert requests.asked(GOOD, Batch(0, 7)) == asked  # two templates ask for every text alike


def test_without_a_template_for_it_a_record_answers_the_prompt(tokenizer):
    requests = Requests(tokenizer, PROMPT, None, False, 50)
    asked = requests.asked(GOOD, FIRST)
    ids = [*asked.before, *requests.shown(asked, record("The box."))]
    assert tokenizer.decode(ids) == "One good text.\nThe box.\nOne good text."
    bare = Requests(tokenizer, PROMPT, None, "bare", 50)
    asked = bare.asked(GOOD, FIRST)
    own = "<|im_start|>user\nOne good text.<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.decode(asked.alone) == own
    assert (
        tokenizer.decode([*asked.before, *bare.shown(asked, record("The box."))]) == f"{own}The box.<|im_end|>\n{own}"
    )


def test_a_prompt_file_shows_a_record_as_the_answer_to_the_text_s_own_request(tokenizer):
    requests = Requests(tokenizer, None, None, False, 50, PromptFile.model_validate(FILE))
    asked = requests.asked(GOOD, Batch(2, 5))
    example = "You write.\nA good text about an example:\nIt shines.\n"
    assert asked.text.startswith("A good text about ") and tokenizer.decode(asked.alone) == example + asked.text
    shown = tokenizer.decode([*asked.before, *requests.shown(asked, record("The box."))])
    assert shown == f"{example}{asked.text}\nThe box.\n{asked.text}"
    assert requests.asked(GOOD, Batch(2, 5)) == asked  # by a killed run, and by the audit
    topics = {requests.asked(GOOD, Batch(cell, number)).text for cell in range(3) for number in range(9)}
    assert len(topics) == len(FILE["draws"]["topic"])


def test_a_chat_model_answers_for_the_record_in_a_turn_of_its_own(tokenizer, monkeypatch):
    turns = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
    monkeypatch.setattr(tokenizer, "chat_template", turns)
    requests = Requests(tokenizer, None, None, True, 50, PromptFile.model_validate(FILE | {"shots": []}))
    asked = requests.asked(GOOD, FIRST)
    shown = tokenizer.decode([*asked.before, *requests.shown(asked, record("The box."))])
    own = f"<user>{asked.text}"
    assert shown == f"<system>You write.{own}<assistant>The box.{own}<assistant>"
    assert tokenizer.decode(asked.alone) == f"<system>You write.{own}<assistant>"


def test_parameters_name_templates_or_a_file(tokenizer, tmp_path, monkeypatch):
    given = {"prompt": PROMPT, "prompt_with_record": SHOWING, "prompts": None, "chat": False, "max_record_tokens": 8}
    assert Requests.read(tokenizer, given) == Requests(tokenizer, PROMPT, SHOWING, False, 8)
    by_file = given | {"prompt": None, "prompt_with_record": None, "prompts": str(tmp_path / "none.yaml")}
    with refused("generation.prompt_file_missing", name="prompts"):
        Requests.read(tokenizer, by_file)
    monkeypatch.setattr(tokenizer, "chat_template", None)
    with refused("generation.no_chat_template", name="chat"):
        Requests.read(tokenizer, by_file | {"chat": True})


def test_special_tokens_and_braces_in_a_record_are_plain_characters(tokenizer):
    requests = Requests(tokenizer, PROMPT, SHOWING, False, 50)
    shown = requests.shown(requests.asked(GOOD, FIRST), record(f"{{mood}} {tokenizer.eos_token}"))
    assert tokenizer.eos_token_id not in shown
    assert tokenizer.decode(shown).startswith(f"{{mood}} {tokenizer.eos_token}")


def test_a_long_record_is_cut(tokenizer):
    requests = Requests(tokenizer, PROMPT, SHOWING, False, 8)
    asked = requests.asked(GOOD, FIRST)
    assert len(requests.shown(asked, record("x" * 99))) == 8 + len(asked.after)
    requests.check_room([asked], 100)
    with refused("generation.prompt_too_long", name="max_record_tokens", value=8):
        requests.check_room([asked], tokenizer.model_max_length)
