"""Numbers and days as ranges, beside a calendar and sums done by hand."""

import calendar
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.sanitization.quantities import amounts, as_days, as_number, as_times, days, numbers, times


def ranges(text: str) -> set[tuple[float, float]]:
    return {(round(one.low, 9), round(one.high, 9)) for one in numbers(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aged 42", {(42, 42)}),
        ("in her forties", {(40, 49)}),
        ("a forty-something clerk", {(40, 49)}),
        ("in her late forties", {(47, 49)}),
        ("in his 60s", {(60, 69)}),
        ("forty-two people", {(42, 42)}),
        ("seventeen", {(17, 17)}),
        ("one of two", set()),
        ("about 400", {(350, 450)}),
        ("around $12,000", {(11_500, 12_500), (11.5, 12.5)}),
        ("roughly 0.5", {(0.45, 0.55)}),
        ("between 40 and 50", {(40, 50)}),
        ("40-49", {(40, 49)}),
        ("2.5 million", {(2_500_000, 2_500_000)}),
        ("12.5k", {(12_500, 12_500)}),
        ("1.250", {(1.25, 1.25), (1250, 1250)}),
        ("1'250.50", {(1250.5, 1250.5)}),
        ("B42 and 42nd", set()),
        ("٤٢", {(42, 42)}),
    ],
)
def test_a_number_is_the_range_that_its_words_leave(text, expected):
    assert ranges(text) == {(float(low), float(high)) for low, high in expected}


@given(st.dates(date(1900, 1, 1), date(2049, 12, 31)))
def test_every_day_is_read_in_every_form(day):
    month = calendar.month_name[day.month]
    for form in (
        f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}",
        f"the {day.day}th of {month[:3]}. {day.year}",
        day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%m/%d/%Y}", f"{day.day}-{day.month}-{day.year}",
    ):  # fmt: skip
        assert day.toordinal() in {one.low for one in days(f"It was on {form} that") if one.low == one.high}
    assert day.toordinal() in as_days(f"{day:%d.%m.%Y}")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("March 2021", date(2021, 3, 1), date(2021, 3, 31)),
        ("2/2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("spring of 2021", date(2021, 3, 1), date(2021, 5, 31)),
        ("winter 2019", date(2019, 12, 1), date(2020, 2, 29)),
        ("the third quarter of 2021", date(2021, 7, 1), date(2021, 9, 30)),
        ("late 2021", date(2021, 9, 1), date(2021, 12, 31)),
        ("the 1980s", date(1980, 1, 1), date(1989, 12, 31)),
        ("in 2021", date(2021, 1, 1), date(2021, 12, 31)),
    ],
)
def test_a_vague_day_is_a_range(text, first, last):
    (found,) = days(text)
    assert (found.low, found.high) == (first.toordinal(), last.toordinal())
    assert found.error(first.toordinal()) == (last - first).days


def test_no_day_stands_where_there_is_none():
    assert [(one.start, one.end) for one in days("31 February 2021, 99/99/9999, May I")] == [(3, 16)], "the month alone"
    assert days("room 2100, file 0001") == []
    assert as_days("March 2021") == as_days("on 12 March 2021") == set()


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_time_is_read_in_every_form(hour, minute):
    half = f"{(hour - 1) % 12 + 1}:{minute:02} {'ap'[hour >= 12]}"
    for form in (f"{hour:02}:{minute:02}", f"{hour}h{minute:02}", f"{hour}:{minute:02}:59", f"{half}m", f"{half}.m."):
        assert 60 * hour + minute in {one.low for one in times(f"It was {form}, I think.")}
    assert {one.low for one in times(f"{half}m")} == as_times(f"{half}.m.") == {60 * hour + minute}


def test_no_time_stands_where_there_is_none():
    assert times("25:30, 12:75, 13 pm, 2.30, ratio 1:2, 10:20:30:40, 9 amps") == []


def test_a_value_is_a_number_only_as_a_whole():
    assert as_number("$1,250.00") == as_number("1250 euros") == as_number("USD 1250") == {1250}
    assert as_number("42 years") == as_number("415-555-0123") == as_number("12345678") == as_number("") == set()


def test_a_value_that_begins_with_a_number_is_an_amount():
    found = {
        value: {one.low for one in amounts(value)}
        for value in ("two hours", "nearly five metres", "$24.30 an hour", "9")
    }
    assert found == {"two hours": {2}, "nearly five metres": {5}, "$24.30 an hour": {24.3}, "9": {9}}
    assert amounts("type 2 diabetes") == amounts("tension") == amounts("") == []


def test_time_is_linear():
    seconds = []
    for size in (2_000, 8_000):
        began = time.process_time()
        numbers(text := "1.1-2,3 of may 20 about 12:12 " * size), days(text), times(text)
        seconds.append(time.process_time() - began)
    assert seconds[1] < 10 * seconds[0]
