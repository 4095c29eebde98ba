"""One record from person to groups: exact places, the order of the pair, what is accepted, one event for all."""

from collections.abc import Callable

import numpy as np
import pytest
from support.record_toys import ToyAuthor, embed, tasks

from lib.generation.engines.base import Sampling
from lib.generation.workflow import Outcome, run
from lib.private_records.acceptance import Acceptance
from lib.private_records.author import Life
from lib.private_records.novelty import Sample, unit
from lib.private_records.pipeline import Recipe, write_record
from lib.private_records.schema import Group, PrivateRecord

EMPTY = Sample(np.array([]))
JUDGE_ALONE = Acceptance(diversity=False)


def outcome(author: ToyAuthor, recipe: Recipe = Recipe(), count: int = 1, sample: Sample = EMPTY) -> Outcome:  # noqa: B008
    given = {task.id: write_record(task, author, recipe, embed, sample) for task in tasks(count)}
    return run(given, None, Sampling())


def records(author: ToyAuthor, recipe: Recipe = Recipe(), count: int = 1) -> list[PrivateRecord]:  # noqa: B008
    made = outcome(author, recipe, count)
    assert not made.failures
    return [one.record for one in made.results.values()]


def test_every_attribute_stands_at_its_places_and_one_that_is_not_told_is_dropped() -> None:
    made = outcome(ToyAuthor())
    (written,) = made.results.values()
    record = written.record
    told = {one.name: one for one in record.attributes}
    assert list(told) == ["full_name", "date_of_birth", "illness", "cost", "first_name", "email", "last_name_2"]
    assert written.dropped == 1  # the hobby
    for one in record.attributes:
        assert all(record.text[place.start : place.end] == one.value for place in one.places)
    person = record.profile.attributes
    assert told["full_name"].value == f"{person['first_name']} {person['last_name']}"
    assert told["email"].value == person["email"] and told["email"].direct and told["email"].label == "EMAIL"
    assert told["last_name_2"].category == "text" and told["illness"].category == "event"
    assert record.groups == (Group("all", tuple(told)),)


def test_a_persons_own_attributes_are_kept_and_further_ones_added() -> None:
    (record,) = records(ToyAuthor())
    assert record.profile.attributes["hobby"] == "chess" and record.profile.attributes["first_name"] != "dropped"


@pytest.mark.parametrize("likes, accepted", [(len, True), (lambda text: -len(text), False)])
def test_the_judge_decides_alone_where_there_is_no_record_to_compare_with(
    likes: Callable[[str], int], accepted: bool
) -> None:
    for record in records(ToyAuthor(likes), count=8):  # in both orders of the pair
        assert [one.accepted for one in record.rounds] == [accepted, accepted]
        assert [one.preferred for one in record.rounds] == [accepted, accepted]
        assert record.text == (record.rounds[-1].text if accepted else record.draft)


def test_a_judge_who_always_takes_the_first_prefers_the_new_one_about_half_of_the_time() -> None:
    rounds = [one for record in records(ToyAuthor(lambda text: 0), count=60) for one in record.rounds]
    assert 0.35 < np.mean([one.preferred for one in rounds]) < 0.65


def test_a_preferred_revision_that_adds_nothing_new_is_not_accepted_by_the_threshold() -> None:
    """The history holds the revisions themselves: taking one in place of the draft makes the set less varied."""
    (record,) = records(ToyAuthor(), Recipe(revisions=1, acceptance=JUDGE_ALONE))
    sample = Sample(np.array([unit(embed(record.text))] * 5))
    (with_history,) = outcome(ToyAuthor(), Recipe(revisions=1), sample=sample).results.values()
    (round_,) = with_history.record.rounds
    assert round_.preferred and round_.novelty < 0 and not round_.accepted
    (without,) = outcome(ToyAuthor(), Recipe(revisions=1, acceptance=JUDGE_ALONE), sample=sample).results.values()
    assert without.record.rounds[0].accepted and without.record.rounds[0].novelty == round_.novelty


def test_with_several_events_type_context_and_shared_attribute_are_of_one() -> None:
    made = records(ToyAuthor(), Recipe(events=3), count=20)
    assert {record.situation.event for record in made} == {0, 1, 2}
    for record in made:
        event = record.profile.events[record.situation.event]
        assert record.situation.context == f"about {event.title}" and event.attributes["illness"] in record.text
        assert record.profile.attr_to_share in event.attributes


def test_without_type_and_format_none_is_asked_for() -> None:
    (record,) = records(ToyAuthor(), Recipe(type_and_format=False, revisions=0))
    assert (record.situation.record_type, record.situation.format, record.rounds) == ("", "", ())
    assert record.text == record.draft


@pytest.mark.parametrize(
    "step, text, reason",
    [("draft", "Too short.", "too short"), ("revise", "[Your Hat] " * 40, "bracket: unresolved"),
     ("draft", "I'm sorry, I cannot assist with that request. " * 9, "refusal")],
)  # fmt: skip
def test_a_text_that_cannot_be_a_record_ends_it(step: str, text: str, reason: str) -> None:
    author = ToyAuthor()

    def write(*_: object) -> object:
        return text
        yield

    setattr(author, step, write)
    (failure,) = outcome(author).failures.values()
    assert (failure.step, failure.reasons) == (step, (reason,))


def test_a_life_without_its_events_ends_the_record() -> None:
    author = ToyAuthor()
    author.profile = lambda task, events: (yield from ()) or Life({}, ())
    (failure,) = outcome(author).failures.values()
    assert failure.step == "profile"


def test_a_record_does_not_depend_on_those_beside_it() -> None:
    many, (alone,) = records(ToyAuthor(), count=5), records(ToyAuthor())
    assert many[0] == alone and len({record.text for record in many}) == 5
