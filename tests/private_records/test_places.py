"""Where attributes stand: by slots, and by looking for values between word borders, never inside another's place."""

from lib.pii.slots import parse
from lib.pii.spans import Filled, fill
from lib.private_records.fields import slots
from lib.private_records.places import located, of_slots
from lib.private_records.schema import Attribute, check_places

VALUES = {
    ("FIRSTNAME", 1): "Alex", ("LASTNAME", 1): "Moss", ("FIRSTNAME", 2): "Ida", ("LASTNAME", 2): "Moss",
    ("CITY", 1): "Bath", ("TIME", 1): "9:30",
}  # fmt: skip


def filled(text: str) -> Filled:
    return fill(parse(text, slots()), lambda name, person: VALUES[name, person])


def found(text: str, **values: str) -> tuple[dict[str, list[str]], int]:
    """Places by attribute, as what stands before and behind them."""
    whole = filled(text)
    attributes, dropped = located(whole, [Attribute(name, value, "event", False) for name, value in values.items()])
    check_places(whole.text, attributes)
    return {one.name: [whole.text[: place.start][-2:] for place in one.places] for one in attributes}, dropped


def test_first_and_last_name_are_one_attribute_only_where_they_stand_side_by_side() -> None:
    whole = filled(
        "[FIRSTNAME] [LASTNAME] met [FIRSTNAME_2] [LASTNAME].\n[LASTNAME_2], [FIRSTNAME_2]\n[LASTNAME_2]: hi"
    )
    told = [(one.name, one.value, len(one.places)) for one in of_slots(whole)]
    assert told == [
        ("full_name", "Alex Moss", 1), ("first_name_2", "Ida", 2), ("last_name", "Moss", 1), ("last_name_2", "Moss", 2),
    ]  # fmt: skip
    assert {one.name: one.direct for one in of_slots(whole)} == dict.fromkeys((name for name, _, _ in told), True)


def test_a_class_that_no_field_has_is_an_attribute_of_the_text() -> None:
    (time,) = of_slots(filled("at [TIME]"))
    assert (time.name, time.category, time.label, time.direct) == ("time", "text", "TIME", False)


def test_a_value_is_found_between_word_borders_everywhere() -> None:
    assert found("An art show; art, and part of art.", topic="art") == ({"topic": ["n ", "; ", "f "]}, 0)
    assert found("It cost $40, not $400.", cost="$40") == ({"cost": ["t "]}, 0)
    assert found("C++ and C", language="C++") == ({"language": [""]}, 0)
    assert found("Art here", topic="art") == ({}, 1)  # letter by letter


def test_nothing_is_found_inside_a_slots_value() -> None:
    assert found("[CITY]: a Bath tub", city="Bath") == ({"city": [""], "event_city": ["a "]}, 0)
    assert found("[FIRSTNAME] here", nick="Alex") == ({"first_name": [""]}, 1)


def test_a_longer_value_goes_first_and_a_shorter_one_takes_what_is_left() -> None:
    told, dropped = found("left wrist and left", injury="left wrist", side="left", bone="wrist")
    assert told == {"injury": [""], "side": ["d "]} and dropped == 1


def test_one_value_under_two_attributes_shares_its_places() -> None:
    assert found("paid 20 twice: 20", cost="20", fee="20") == ({"cost": ["d ", ": "], "fee": ["d ", ": "]}, 0)


def test_what_is_no_value_is_dropped_and_counted() -> None:
    assert found("a\nb ... " + "long " * 60, lines="a\nb", marks="...", blank=" ", passage="long " * 60) == ({}, 4)


def test_a_name_that_is_taken_gets_its_category_before_it_or_is_dropped() -> None:
    told, dropped = found("[CITY], Rome and Pisa", city="Rome", event_city="Pisa")
    assert list(told) == ["city", "event_city"] and dropped == 1
