"""The letter by rules: all told less exactly, all left out, and forms of names and addresses."""

from itertools import pairwise

import pytest
from support.letters import LETTER, attributes

from lib.private_records.schema import Attribute, Place
from lib.sanitization import told
from lib.sanitization.leaks import Searched
from lib.sanitization.rule_edits import LEVELS, RuleEdits
from lib.sanitization.rule_table import table
from lib.sanitization.schema import Edit, Targets, edited

LABELS = {"record_type": "letter to a hospital"}


def rewritten(text: str, ones, abstract=(), drop=(), keep=(), level: int = 0, labels=LABELS) -> str:
    at = told.places(Searched(text), ones)
    targets = Targets(tuple(abstract), tuple(drop), tuple(keep))
    return edited(text, RuleEdits(text, ones, at, targets, labels, table()).edits(level))


def letter(**lists) -> str:
    return rewritten(LETTER, attributes(), **lists)


def named(text: str, name: str, value: str, label: str = "FIRSTNAME") -> Attribute:
    at = [i for i in range(len(text)) if text.startswith(value, i)]
    return Attribute(name, value, "profile", True, tuple(Place(i, i + len(value)) for i in at), label)


NAMES = [one.name for one in attributes()]


def test_all_told_less_exactly():
    assert (
        letter(abstract=NAMES)
        == """From: the patient <an e-mail address>
Date: spring 2019
Phone: on file

Dear doctor,

I, the patient, born in the 1980s, am a thirty-something employee and live in a town. In spring 2019 I slipped on the \
ice near some place and broke my bone. The bill of over a thousand dollars came at some point. You can call me at a \
phone number. At some place I was given some treatment.

Letters reach me at an address.

Kind regards,
(name withheld)"""
    )


def test_all_left_out():
    assert letter(drop=NAMES) == "\nHello,\n\nYou can call me.\n\nKind regards,"


def test_what_is_kept_stays_and_only_the_rest_of_its_sentence_changes():
    text = letter(abstract=["full_name", "city"], drop=["phone", "bone", "bill"], keep=["medication", "attack_time"])
    assert "ibuprofen 400 mg" in text and "after a wedding dinner" in text and "live in a town in Illinois" in text
    assert "425" not in text and "wrist" not in text and "$1,250" not in text
    assert "The bill of something came after a wedding dinner." in text


@pytest.mark.parametrize(
    ("lists", "line"),
    [
        ({"abstract": ["house_number"]}, "Letters reach me at a house on Main Street, Springfield, Illinois 62701."),
        ({"abstract": ["street"]}, "Letters reach me at an address, Springfield, Illinois 62701."),
        ({"abstract": ["city"]}, "Letters reach me at 12 Main Street, a town in Illinois 62701."),
        ({"abstract": ["postal_code"]}, "Letters reach me at 12 Main Street, Springfield, Illinois 627xx."),
        ({"abstract": ["street", "city", "state", "postal_code"]}, "Letters reach me at an address."),
        ({"abstract": ["street"], "keep": ["house_number"]}, "12 some street, Springfield, Illinois 62701."),
    ],
)
def test_parts_of_an_address_are_written_as_one_where_they_stand_together(lists, line):
    assert line in letter(**lists)


def test_a_part_of_an_address_goes_alone_where_the_rest_is_kept():
    lists = {"drop": ["house_number", "street", "postal_code"], "keep": ["city", "state"]}
    line = "Letters reach me at 12 Main Street, Springfield, Illinois 62701."
    assert rewritten(line, attributes(line), **lists) == "Letters reach me at Springfield, Illinois."


@pytest.mark.parametrize(
    ("text", "abstract", "drop"),
    [
        ("Ada fell. We saw Ada.", "The patient fell. We saw the patient.", "Somebody fell. We saw somebody."),
        ("Dear Ada,\nhello", "Dear patient,\nhello", "Hello,\nhello"),
        ("Hi Ms. Ada!", "Hi patient!", "Hello!"),
        ("We saw Mrs. Ada.", "We saw the patient.", "We saw somebody."),
        ("Prof. Ada said so.", "The doctor said so.", "Somebody said so."),
        ("Bye,\nAda", "Bye,\n(name withheld)", "Bye,"),
        ("Name: Ada\nx", "Name: withheld\nx", "x"),
        ("Ada: Oh.\n14:30 Ada: Ah.", "Patient: Oh.\n14:30 Patient: Ah.", "Person: Oh.\n14:30 Person: Ah."),
        ("We miss you, Ada.", "We miss you.", "We miss you."),
        ("It was Ada's.", "It was the patient's.", "It was somebody's."),
    ],
)
def test_names_by_what_they_do(text, abstract, drop):
    ones = (named(text, "first_name", "Ada"),)
    assert rewritten(text, ones, abstract=["first_name"]) == abstract
    assert rewritten(text, ones, drop=["first_name"]) == drop


def test_a_paragraph_of_which_nothing_is_left_goes_with_its_blank_line():
    text = "Hello.\n\nIt is my left wrist. It cost $1,250.\n\nBye."
    assert rewritten(text, attributes(text), drop=["bone", "bill"]) == "Hello.\n\nBye."


def test_a_number_within_a_number_is_masked():
    text = "15:41 She is 41.\nTicket 41-7."
    assert rewritten(text, (named(text, "age", "41", "AGE"),), drop=["age"]) == "Ticket xx-7."
    assert rewritten(text, (named(text, "age", "41", "AGE"),), abstract=["age"]).startswith("15:xx She is forty-")


def test_a_value_of_two_attributes_is_hidden_everywhere():
    text = "Born in Oslo, she stayed in OSLO."
    ones = (named(text, "city", "OSLO", "CITY"), named(text, "birth_place", "Oslo", "CITY"))
    assert rewritten(text, ones, abstract=["city"]) == "Born in a town, she stayed in a town."


def test_other_persons_are_told_apart():
    text = "Ada met Bo and Cy."
    ones = (named(text, "name", "Ada"), named(text, "first_name_2", "Bo"), named(text, "first_name_3", "Cy"))
    hidden = rewritten(text, ones, abstract=[one.name for one in ones], labels={})
    assert hidden == "The person met the other person and the third person."


def test_a_higher_level_is_vaguer_and_every_level_hides_the_letter():
    made = [
        letter(abstract=NAMES) if level == 0 else rewritten(LETTER, attributes(), NAMES, level=level)
        for level in range(LEVELS)
    ]
    assert "spring 2019" in made[0] and "2019" not in made[1] + made[2]


def test_all_that_no_target_touches_stays_letter_by_letter():
    text = "A\t b\r\n\r\nI broke my left wrist.  \n\n\n c . d ,e"
    assert rewritten(text, attributes(text), abstract=["bone"]) == text.replace("left wrist", "bone")


def test_edits_are_disjoint_and_in_order():
    at = told.places(Searched(LETTER), attributes())
    for number in range(1, len(NAMES)):
        targets = Targets(tuple(NAMES[:number:2]), tuple(NAMES[1:number:2]))
        made = RuleEdits(LETTER, attributes(), at, targets, LABELS, table()).edits(0)
        assert all(isinstance(one, Edit) for one in made)
        assert all(one.end <= other.start for one, other in pairwise(made))


def test_the_number_of_an_item_is_no_leak_that_stays():
    text = "1. At 8 Elm Road.\n8. Then."
    ones = (named(text, "house_number", "8", "BUILDINGNUMBER"), named(text, "street", "Elm Road", "STREET"))
    assert rewritten(text, ones, drop=["house_number"]) == "1. At Elm Road.\n- Then."
