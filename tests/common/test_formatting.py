"""Numbers as people read them."""

import pytest

from lib.common.formatting import ABSENT, NO_BREAK, duration, measured, memory, number


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ABSENT), (1234567, "1,234,567"), (0.0, "0"), (0.41234, "0.412"), (1234.5, "1,234"), (4.3e-5, "4.30e-5")],
)
def test_a_number_has_the_digits_that_can_be_read(value, shown):
    assert number(value) == shown


def test_an_estimate_has_the_decimals_of_its_interval():
    assert measured(0.4121, 0.3742, 0.4503) == ("0.412", "0.374 to 0.450")
    assert measured(12.345, None, 13.0) == ("12.3", None) and measured(2.0, 2.0, 2.0) == ("2.00", None)


def test_durations_and_memory():
    shown = [duration(seconds).replace(NO_BREAK, " ") for seconds in (1.234, 59.6, 215, 7500)]
    assert shown == ["1.2 s", "1 min", "3 min 35 s", "2 h 5 min"] and duration(None) == ABSENT
    assert [memory(size) for size in (None, 640, 1800)] == [ABSENT, "640 MB", "1.8 GB"]
