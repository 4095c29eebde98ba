"""Vaguer words leave open enough, and are found for the forms in which values stand in texts."""

import pytest

from lib.sanitization import vaguer
from lib.sanitization.quantities import days, numbers
from lib.sanitization.vaguer import VAGUER


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("day", "14 March 2019", "spring 2019"),
        ("day", "2019-12-03", "late 2019"),
        ("day", "03/04/2021", "spring 2021"),
        ("day", "January 5, 2020", "early 2020"),
        ("day", "March 2019", "spring 2019"),
        ("day", "14 July", "summer"),
        ("day", "2019", "the 2010s"),
        ("day", "soon", ""),
        ("birth", "14/03/1985", "the 1980s"),
        ("birth", "unknown", ""),
        ("age", "34", "thirty-something"),
        ("age", "forty-two", "forty-something"),
        ("age", "19", "teenage"),
        ("age", "7", "very young"),
        ("age", "103", "very old"),
        ("age", "old", ""),
        ("time", "14:30", "the afternoon"),
        ("time", "at 06:10", "in the morning"),
        ("time", "3 pm", "the afternoon"),
        ("time", "at 6:15", "at some time of the day"),
        ("time", "11:45", "some time of the day"),
        ("time", "11:45 p.m.", "the evening"),
        ("time", "noon", ""),
        ("amount", "$950 a month", "several hundred dollars a month"),
        ("amount", "£12k", "tens of thousands of pounds"),
        ("amount", "40 euros", "dozens of euros"),
        ("amount", "1250", "a sum in the thousands"),
        ("amount", "three months of rent", ""),
        ("quantity", "twelve days", "several days"),
        ("quantity", "2,140 grams", "several thousand grams"),
        ("quantity", "one week", "about a week"),
        ("quantity", "nine years of school", "several years"),
        ("quantity", "ibuprofen 400 mg", ""),
        ("percentage", "84 percent", "more than half"),
        ("percentage", "7.4%", "a small share"),
        ("percentage", "many", ""),
        ("postal_code", "62701", "627xx"),
        ("postal_code", "SW1A 1AA", "SW1A"),
        ("postal_code", "unknown", ""),
    ],
)
def test_a_value_in_vaguer_words(kind, value, words):
    assert VAGUER[kind](value) == words


@pytest.mark.parametrize("age", range(20, 100))
def test_words_for_an_age_leave_a_decade_open(age):
    (told,) = numbers(vaguer.age(str(age)))
    assert (told.low, told.high) == (age // 10 * 10, age // 10 * 10 + 9)


@pytest.mark.parametrize("month", range(1, 13))
def test_words_for_a_day_leave_more_than_a_month_open(month):
    (told,) = days(vaguer.day(f"2020-{month:02}-09"))
    exact = days(f"2020-{month:02}-09")[0].low
    assert told.low <= exact <= told.high and told.error(exact) > 31


@pytest.mark.parametrize("number", [1, 4, 5, 12, 13, 99, 100, 999, 1_000, 10_000, 99_999, 500_000, 10**9])
def test_words_for_a_size_hold_no_number(number):
    assert not numbers(vaguer.sized(number))
