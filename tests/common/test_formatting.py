"""Numbers as readers see them."""

import pytest

from lib.common import formatting


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (1234, "1,234"),
        (1234.5, "1,234"),
        (0.00123, "0.00123"),
        (4.295216e-5, "4.30e-5"),
        (7.999993, "8.00"),
        (None, "–"),
    ],
)
def test_numbers_are_written_to_be_read(value: float | None, written: str) -> None:
    assert formatting.number(value) == written


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ((0.4123, 0.374, 0.4503), ("0.412", "0.374 to 0.450")),
        ((71.34, 67.51, 75.17), ("71.3", "67.5 to 75.2")),
        ((1200.0, 1000.0, 1400.0), ("1,200", "1,000 to 1,400")),
        ((0.5, None, None), ("0.500", None)),
        ((0.5, 0.5, 0.5), ("0.500", None)),
    ],
)
def test_a_value_has_the_digits_that_its_interval_bears(parts: tuple, written: tuple) -> None:
    assert formatting.measured(*parts) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.4, "0.40 s"), (59.4, "59 s"), (215.4, "3 min 35 s"), (300, "5 min"), (7507, "2 h 5 min"), (None, "–")],
)
def test_durations_are_written_to_be_read(seconds: float | None, written: str) -> None:
    assert formatting.duration(seconds).replace(formatting.NO_BREAK, " ") == written


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ((0.4123, 0.374, 0.4503), "0.412 [0.374, 0.450]"),
        ((0.5, None, None), "0.500"),
        ((0.5, 0.5, 0.5), "0.500"),
        ((1.0, 1.0, 1.0 + 2e-16), "1.00"),  # draws that are all alike, but for rounding errors
        ((-0.0001, -0.5, 0.5), "0.00 [-0.50, 0.50]"),  # no minus before a zero
        ((None, None, None), "not defined"),
    ],
)
def test_a_value_and_its_interval_in_one_piece(parts: tuple, written: str) -> None:
    assert formatting.interval(*parts) == written


def test_an_epsilon_money_and_memory_have_their_units() -> None:
    assert [formatting.epsilon(value) for value in (7.99991, 0.0, None)] == ["8.000", "0", "not private"]
    assert [formatting.dollars(value) for value in (1.25, 1234.5, None)] == ["$1.25", "$1,234.50", "–"]
    assert [formatting.memory(value) for value in (640.2, 1849.0, None)] == ["640 MB", "1.8 GB", "–"]
    assert formatting.number(None, absent="none") == formatting.dollars(None, absent="none") == "none"
    assert formatting.number(-0.0) == "0"
