"""The made-up letter tells everything that it says it tells, at places that hold it."""

from lib.sanitization import toy


def test_every_attribute_is_in_the_letter_at_its_places() -> None:
    letter = toy.letter("a")
    found = {attribute.name: attribute for attribute in letter.attributes}
    assert letter.id == "a" and found.keys() == toy.TOLD.keys()
    for name, attribute in found.items():
        assert attribute.places and attribute.value == toy.TOLD[name][0]
        assert all(letter.text[place.start : place.end] in attribute.value for place in attribute.places), name
    assert len(found["full_name"].places) == 2


def test_every_attribute_but_the_place_of_living_is_in_one_group() -> None:
    grouped = [name for group in toy.letter().groups for name in group.names]
    assert len(grouped) == len(set(grouped)) and toy.TOLD.keys() - set(grouped) == {"city", "state"}
