"""The public lists: as many and as varied as is promised, and refused where a text would break on them."""

import shutil
from pathlib import Path

import pytest
from support.errors import refused

from lib.pii.writing.phrases import Choice, Listed, Phrase, references
from lib.private_records import public_lists
from lib.private_records.public_lists import FOLDER, phrase
from lib.private_records.voices import MARKS


@pytest.fixture(scope="module")
def lists() -> public_lists.PublicLists:
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


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("events/law.yaml", "title: law\n", "titel: law\n", "pii.file_shape"),
        ("events/law.yaml", "{bitten}", "{beaten}", "private_records.list_name"),
        ("events/law.yaml", "\"Judgment is reserved.\"", '"Judgment of [DATTE]."', "private_records.list_slot"),
        ("events/law.yaml", "\"Judgment is reserved.\"", '"Judgment {is|was."', "pii.phrase"),
        ("events/law.yaml", "dog_breed", "age", "private_records.list_twice"),
        ("events/law.yaml", "Dog bite and damages", "Jury duty of three weeks", "private_records.list_twice"),
        ("record_types.yaml", "layouts: [letter, e-mail]", "layouts: [letter, emial]", "private_records.list_name"),
        ("record_types.yaml", "aims: [dispute]", "aims: [quarrel]", "private_records.list_name"),
        ("formats.yaml", "{bullet} {told}", "{bulet} {told}", "private_records.list_name"),
        ("contexts.yaml", "{i} {was} present", "{i} {wos} present", "private_records.list_name"),
    ],
)  # fmt: skip
def test_lists_on_which_a_text_would_break_are_refused(tmp_path: Path, file, old, new, code) -> None:
    folder = small(tmp_path)
    changed = folder / file
    assert old in changed.read_text()
    changed.write_text(changed.read_text().replace(old, new))
    with refused(code):
        public_lists.load(folder)


def test_lists_of_one_field_are_in_order(tmp_path: Path) -> None:
    assert len(public_lists.load(small(tmp_path)).events) == 20


def small(folder: Path) -> Path:
    """The project's lists with one field of life."""
    (folder / "events").mkdir()
    for path in (*FOLDER.glob("*.yaml"), FOLDER / "events" / "law.yaml"):
        shutil.copy(path, folder / path.relative_to(FOLDER))
    types = folder / "record_types.yaml"
    kept, law = types.read_text().split("\nhealth:")[0], types.read_text().split("\nlaw:")[1].split("\nfamily:")[0]
    types.write_text(f"{kept}\nlaw:{law}\n")
    return folder
