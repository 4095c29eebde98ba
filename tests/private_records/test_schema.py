"""The places of attributes are checked before a record is written, and no value is told."""

from dataclasses import replace

import pytest
from support.errors import refused

from lib.private_records.schema import Attribute, Place, check_places

TEXT = "Paid $40 on Monday."
COST = Attribute("cost", "$40", "event", False, (Place(5, 8),))


def test_places_that_hold_the_value_or_a_part_of_it_are_fine() -> None:
    check_places(TEXT, [COST, replace(COST, name="sum", value="$40 a day")])


@pytest.mark.parametrize(
    "places", [(), (Place(5, 9),), (Place(5, 5),), (Place(-1, 3),), (Place(5, 8), Place(15, 99)), (Place(8, 5),)]
)
def test_places_that_do_not_are_refused_without_the_value(places: tuple[Place, ...]) -> None:
    with refused("private_records.places", name="cost") as error:
        check_places(TEXT, [replace(COST, places=places)])
    assert "$40" not in str(error.value)
