"""The public lists: as many and as varied as is promised."""

import pytest

from lib.pii.writing.phrases import Choice, Listed, Phrase, references
from lib.private_records import public_lists
from lib.private_records.list_shapes import PublicLists, phrase
from lib.private_records.voices import MARKS


@pytest.fixture(scope="module")
def lists() -> PublicLists:
    return public_lists.load()


def starts(read: Phrase) -> set[str]:
    """The lists that a phrase may begin with."""
    if not read:
        return set()
    if isinstance(read[0], Choice):
        return set().union(*map(starts, read[0].options))
    return {read[0].name} if isinstance(read[0], Listed) else set()


def test_there_are_as_many_events_types_and_layouts_as_is_promised(lists) -> None:
    assert len(lists.events) >= 500 and len(lists.fields) >= 20
    formal = [kind for kind in lists.record_types.values() if kind.formal]
    assert len(lists.record_types) >= 150 and len(formal) > 0.6 * len(lists.record_types)
    assert len(lists.record_types) - len(formal) >= 40
    assert len(lists.layouts) >= 15 and len(lists.formats) >= 50 and len(lists.contexts) >= 60
    for name in lists.fields:
        assert {kind.formal for kind in lists.record_types.values() if kind.field == name} == {True, False}


def test_an_event_tells_all_its_attributes_and_a_field_all_that_it_adds(lists) -> None:
    for field, event in lists.events.values():
        told = {name for text in event.text for name in references(phrase(text))}
        assert event.attributes.keys() <= told, event.title
        life = lists.fields[field]
        told = {name for text in life.details for name in references(phrase(text))}
        assert life.attributes.keys() <= told, field


def test_no_sentence_begins_with_an_attribute_whose_first_letter_would_become_a_capital(lists) -> None:
    texts = [text for _, event in lists.events.values() for text in event.text]
    for life in lists.fields.values():
        texts += [*life.details, *life.feelings, *life.outcomes]
    shared = lists.phrases
    texts += [*shared.details, *shared.facts, *shared.informal_facts]
    assert not [text for text in texts if starts(phrase(text)) - set(MARKS)]


def test_events_fit_age_and_sex(lists) -> None:
    young, old = lists.fitting(20, "male"), lists.fitting(80, "female")
    assert young == sorted(young) and len(young) > 300 and len(old) > 300
    assert "Class trip and a missed train" in set(young) - set(old)
    assert "Night carer and a language gap" in set(old) - set(young)
    mothers = {title for title, (_, event) in lists.events.items() if event.sex == "female"}
    assert mothers and not mothers & set(young) and mothers & set(old)


def test_the_files_that_are_read_are_named(lists) -> None:
    named = public_lists.files()
    assert all(path.is_file() for path in named) and len(named) == 4 + len(lists.fields)
