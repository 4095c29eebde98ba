"""Detectors say what a text tells: places are exact, equal persons are one, groups come from the rules."""

from support.letters import LETTER

from lib.generation.engines.base import Sampling
from lib.generation.workflow import run
from lib.pii.detectors.rules import Rules
from lib.private_records.schema import check_places
from lib.sanitization.annotators import Detected
from lib.sanitization.case import Original


def test_what_rules_find_is_named_placed_and_grouped():
    text = LETTER + "\nWrite to bo@example.org too. Yours, Mr. Lee."
    outcome = run({"a": Detected([Rules("en_US")]).annotate(Original("a", text))}, None, Sampling())
    attributes, groups = outcome.results["a"]
    check_places(text, attributes)
    by_name = {one.name: one for one in attributes}
    assert by_name["email"].value == "ada.lovelace@example.org" and by_name["email"].direct
    assert not any(one.label == "PREFIX" for one in attributes), "it goes with the name"
    assert by_name["email_2"].value == "bo@example.org" and len(by_name["phone"].places) == 2
    assert "email_2" in next(group.names for group in groups if group.title == "how to reach the person")
