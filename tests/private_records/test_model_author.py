"""The author that asks: thirteen calls, no value that has a slot, replies of every bad kind asked for again."""

import json
from collections.abc import Mapping

import numpy as np
import pytest
from support.record_toys import DETAILS, GOOD, TEXT, StepModel, embed, tasks

from lib.generation.engines.base import Sampling
from lib.generation.workflow import Outcome, run
from lib.pii.detectors.rules import Rules
from lib.private_records.cost import times
from lib.private_records.model_author import ModelAuthor
from lib.private_records.novelty import Sample
from lib.private_records.pipeline import Recipe, write_record
from lib.private_records.prompting import Prompts
from lib.private_records.schema import Group

TITLES = ["a fall", "a fine", "a wedding", "a lost key"]


def outcome(model: StepModel, recipe: Recipe | None = None, count: int = 1, tries: int = 2) -> Outcome:
    author = ModelAuthor(Prompts(), TITLES, tries, 32, Rules("en_US"))
    sample = Sample(np.array([]))
    given = {task.id: write_record(task, author, recipe or Recipe(), embed, sample) for task in tasks(count)}
    return run(given, model, Sampling())


def test_a_record_takes_thirteen_calls_and_its_places_are_exact() -> None:
    model = StepModel()
    made = outcome(model)
    assert made.calls == times(2, True) and made.calls.total() == 13 and not made.failures
    (written,) = made.results.values()
    record = written.record
    told = {one.name: one for one in record.attributes}
    assert list(told) == ["full_name", "injury", "cost", "place", "hobby", "email", "first_name"]
    assert written.dropped == 1  # a diet that the text does not tell
    assert (told["injury"].category, told["place"].category, told["hobby"].category) == ("event", "text", "profile")
    assert all(record.text[p.start : p.end] == one.value for one in record.attributes for p in one.places)
    assert record.groups[0] == Group("health", ("injury",)) and record.groups[-1] == Group("all", ("injury", "hobby"))
    assert record.profile.attr_to_share == "injury" and record.situation.record_type.startswith("kind ")
    assert record.profile.events[0].title in TITLES and record.profile.events[0].attributes == DETAILS


def test_without_type_and_format_neither_is_asked_for() -> None:
    made = outcome(StepModel(), Recipe(revisions=0, type_and_format=False))
    assert made.calls == {step: count for step, count in times(0, False).items() if count}


def test_the_model_is_told_no_value_that_has_a_slot() -> None:
    model = StepModel()
    outcome(model, Recipe(events=2), count=4)
    asked = "\n".join(content for _, request, _ in model.asked for _, content in request.messages)
    hidden = [task.known for task in tasks(4)]
    names = ("first_name", "last_name", "email", "phone", "street", "national_number", "passport", "date_of_birth")
    assert not [name for known in hidden for name in names if known[name] in asked]
    assert hidden[0]["marital_status"] in asked and "[FIRSTNAME]" in asked


def test_the_judge_sees_both_versions_and_its_letter_is_followed() -> None:
    for letter in "AB":
        model = StepModel(judge=f'Version {letter} is better.\n{{"better": "Version {letter}"}}')
        (written,) = outcome(model, Recipe(revisions=1)).results.values()
        (request,) = [request for step, request, _ in model.asked if step == "judge"]
        content = request.messages[-1][1]
        assert GOOD["draft"] in content and GOOD["revise"] in content
        new_first = content.index(GOOD["revise"]) < content.index(GOOD["draft"])
        assert written.record.rounds[0].preferred == ((letter == "A") == new_first)


@pytest.mark.parametrize(
    "step, bad, reason",
    [
        ("profile", '{"attributes": {}, "events": []}', "events missing"),
        ("profile", '{"attributes": [1], "events": 3}', "keys missing"),
        ("profile", '{"attributes": {}, "events": [{"attributes": {"a": "[NAME]"}}]}', "events missing"),
        ("profile", "No JSON here.", "not JSON"),
        ("attribute", "the weather", "no such attribute"),
        ("attribute", "injury or cost", "no such attribute"),
        ("record_type", '["one"]', "too few candidates"),
        ("context", '{"a": 1, "b": 2}', "an object in place of a list"),
        ("draft", "Short.", "too short"),
        ("draft", TEXT.format("Ask Mr. Henry Miller."), "outside slots: FIRSTNAME"),
        ("draft", TEXT.format("Write to jo@acme.org."), "outside slots: EMAIL"),
        ("draft", TEXT.format("On [3:00 PM]."), "bracket: unresolved"),
        ("revise", "I'm sorry, but I can't assist with that request.", "refusal"),
        ("judge", '{"better": "both"}', "no choice"),
        ("judge", '{"better": "A", "better": "B"}', "a key twice"),
        ("annotate_events", '["injury"]', "a list in place of an object"),
        ("group", '{"health": "injury"}', "too few groups"),
    ],
)
def test_a_reply_that_cannot_be_used_is_asked_for_again_and_then_given_up(step: str, bad: str, reason: str) -> None:
    recovered = outcome(StepModel(**{step: [bad, GOOD[step]]}), Recipe(revisions=1))
    assert not recovered.failures
    (failure,) = outcome(StepModel(**{step: bad}), Recipe(revisions=1)).failures.values()
    assert (failure.step, failure.reasons) == (step, (reason, reason)), bad


def test_three_in_four_records_are_of_a_formal_type() -> None:
    made = outcome(StepModel(), Recipe(revisions=0), count=80)
    formal = [written.record.situation.formal for written in made.results.values()]
    assert 0.6 < np.mean(formal) < 0.9
    kinds = {written.record.situation.record_type for written in made.results.values()}
    assert len(kinds) == 10  # the one that is taken is drawn


def test_numbers_and_inner_objects_of_a_life_become_text() -> None:
    life: Mapping = {
        "attributes": {"Children": 2, "home": {"kind": "flat", "floor": 3}, "none": None},
        "events": [{"attributes": {"Sum Paid": 12.5, "with": ["a", "b"]}}],
    }
    (written,) = outcome(StepModel(profile=json.dumps(life), attribute="Sum paid")).results.values()
    profile = written.record.profile
    assert {name: profile.attributes[name] for name in ("children", "home_kind", "home_floor")} == {
        "children": "2", "home_kind": "flat", "home_floor": "3",
    }  # fmt: skip
    assert profile.events[0].attributes == {"sum_paid": "12.5", "with": "a, b"} and "none" not in profile.attributes
