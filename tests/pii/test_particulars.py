"""Dates, heights, jobs and coordinates as the locale has them, in agreement with their person."""

import re
from datetime import date, datetime

import pytest

from lib.pii.locales import locale_named, locales
from lib.pii.persons import Person
from lib.pii.values import Values

REFERENCE = date(2024, 2, 29)


def read(text: str, forms: tuple[str, ...]) -> set[date]:
    days = set()
    for form in forms:
        try:
            days.add(datetime.strptime(text, form).date())
        except ValueError:
            continue
    return days


@pytest.mark.parametrize("locale", locales())
def test_birthday_and_age_agree_and_no_date_lies_ahead(locale: str) -> None:
    forms = locale_named(locale).dates
    for seed in range(15):
        values = Values(seed, locale, REFERENCE)
        assert read(values.value("DOB", 1), forms) == {values.person(1).birth}
        assert values.value("AGE", 1) == str(values.person(1).age)
        assert all(date(2021, 2, 28) <= day <= REFERENCE for day in read(values.value("DATE", 1), forms))
        assert re.search(r"\d", values.value("TIME", 1))


def test_forms_of_a_locale() -> None:
    drawn = {Values(seed, "en_US", REFERENCE).value("TIME", 1)[-2:] for seed in range(100)}
    assert {"AM", "PM"} <= drawn
    assert any("ft" in Values(seed, "en_US", REFERENCE).value("HEIGHT", 1) for seed in range(20))
    assert not any("ft" in Values(seed, "en_GB", REFERENCE).value("HEIGHT", 1) for seed in range(20))


def test_a_job_has_its_field_and_role() -> None:
    for locale in (
        "en_US",
        "de_DE",
        "fr_FR",
        "it_IT",
        "es_ES",
        "ja_JP",
        "zh_CN",
        "pl_PL",
        "ru_RU",
        "sv_SE",
        "nl_NL",
        "pt_BR",
    ):
        for seed in range(30):
            values = Values(seed, locale, REFERENCE)
            title = values.value("JOBTITLE", 1)
            assert values.value("JOBAREA", 1) in title and values.value("JOBTYPE", 1) in title


BOXES = {  # south, north, west, east
    "de_DE": (47, 55.5, 5, 15.5), "en_US": (18, 72, -180, -65), "ja_JP": (24, 46, 122, 146), "el_GR": (34, 42, 19, 30),
    "hu_HU": (45, 49, 16, 23), "ne_NP": (26, 31, 80, 89), "sl_SI": (45, 47, 13, 17), "en_AU": (-44, -10, 112, 154),
}  # fmt: skip


@pytest.mark.parametrize("locale", BOXES)
def test_coordinates_lie_in_the_country(locale: str) -> None:
    south, north, west, east = BOXES[locale]
    for seed in range(50):
        written = Values(seed, locale, REFERENCE).value("NEARBYGPSCOORDINATE", 1)
        latitude, longitude = map(float, written.strip("[]").split(","))
        assert south <= latitude <= north and west <= longitude <= east


def test_women_and_men_have_their_heights() -> None:
    centimetres: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(300):
        person = Person(seed, 1, "de_DE", REFERENCE)
        written = Values(seed, "de_DE", REFERENCE).value("HEIGHT", 1)
        number = float(re.match(r"[\d,]+", written)[0].replace(",", "."))
        centimetres[person.female].append(number if number > 3 else 100 * number)
    women, men = (sum(numbers) / len(numbers) for numbers in centimetres.values())
    assert 161 < women < 165 and 174 < men < 178
