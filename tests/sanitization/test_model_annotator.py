"""A model says what a text tells: what is not there is dropped, however the reply is dressed."""

import pytest
from support.letters import LETTER, Answers

from lib.generation.engines.base import Sampling
from lib.generation.workflow import run
from lib.private_records.schema import check_places
from lib.sanitization.case import Original
from lib.sanitization.model_annotator import CHARACTERS, Asked
from lib.sanitization.prompting import Prompts

NAMED = '{"Full Name": "Ada Lovelace", "bone": "left wrist", "city": "Paris"}'
GOOD = f'{{"attributes": {NAMED}, "groups": {{"who": ["full name"]}}}}'


def annotated(reply, text: str = LETTER):
    model = Answers(annotate=reply)
    return run({"a": Asked(Prompts(), 2).annotate(Original("a", text))}, model, Sampling()), model


def test_what_the_text_has_is_kept_with_all_its_places():
    outcome, _ = annotated(GOOD)
    attributes, groups = outcome.results["a"]
    check_places(LETTER, attributes)
    assert [(one.name, len(one.places), one.direct) for one in attributes] == [
        ("full_name", 3, True),
        ("bone", 1, False),
    ]
    assert [(group.title, group.names) for group in groups] == [("who", ("full_name",))]


@pytest.mark.parametrize(
    "reply", [f"```json\n{GOOD}\n```", f"Here it is:\n{GOOD}", '{"full_name": "Ada Lovelace", "bone": "left wrist"}']
)
def test_other_dress_is_read(reply):
    outcome, _ = annotated(reply)
    assert [one.name for one in outcome.results["a"][0]] == ["full_name", "bone"]


@pytest.mark.parametrize("reply", ["none", "{}", '{"attributes": {}}', GOOD[:40], '{"a": "x", "a": "y"}', "[1, 2]"])
def test_a_reply_that_cannot_be_used_is_asked_for_again(reply):
    outcome, model = annotated(reply)
    assert outcome.failures["a"].step == "annotate" and model.asked["annotate"] == 2


def test_a_long_text_is_read_in_parts_and_places_are_those_of_the_whole():
    text = f"{LETTER}\n\n" + "x. " * CHARACTERS + LETTER
    outcome, model = annotated(GOOD, text)
    attributes, _ = outcome.results["a"]
    check_places(text, attributes)
    assert len(attributes[0].places) == 6 and model.asked["annotate"] > 2
