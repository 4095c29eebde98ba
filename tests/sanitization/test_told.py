"""Where a record tells its attributes, and which of them cannot be treated apart."""

from lib.private_records.schema import Attribute, Place
from lib.sanitization import told
from lib.sanitization.leaks import Searched


def attribute(name: str, value: str, text: str, label: str = "") -> Attribute:
    start = text.index(value)
    return Attribute(name, value, "profile", True, (Place(start, start + len(value)),), label)


def found(text: str, *attributes: Attribute) -> dict[str, list[str]]:
    at = told.places(Searched(text), attributes)
    return {name: [text[start:end] for start, end in places] for name, places in at.items()}


def test_every_mention_is_found_in_whatever_spelling_and_in_addresses():
    text = "Ada Lovelace <ada.lovelace@example.org>, Ms. LOVELACE, @lovelace, Adam."
    names = found(text, attribute("full_name", "Ada Lovelace", text, "FIRSTNAME"))
    assert names == {"full_name": ["Ada Lovelace", "ada.lovelace@example.org", "LOVELACE", "@lovelace"]}
    phones = "Call 425-555-0123 or (425) 555 0123, not 425-555-0124."
    assert found(phones, attribute("phone", "425-555-0123", phones)) == {"phone": ["425-555-0123", "425) 555 0123"]}


def test_values_that_share_a_word_or_a_place_are_tied():
    text = "Ada Lovelace of Oslo, born in Oslo, wrote to the clinic in Bergen."
    ones = (
        attribute("full_name", "Ada Lovelace", text, "FIRSTNAME"),
        attribute("first_name", "Ada", text, "FIRSTNAME"),
        attribute("city", "Oslo", text),
        attribute("birth_place", "Oslo", text),
        attribute("clinic", "the clinic", text),
        attribute("town", "in Bergen", text),
    )
    tied = told.conflicts(ones, told.places(Searched(text), ones))
    assert tied["full_name"] == {"first_name"} and tied["city"] == {"birth_place"}
    assert tied["clinic"] == tied["town"] == frozenset(), "everyday words tie nothing"


def test_places_that_overlap_are_one():
    assert told.joined([Place(5, 9), Place(0, 3), Place(2, 4)]) == (Place(0, 4), Place(5, 9))
