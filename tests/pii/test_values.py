"""Values: valid, stable, lazy, on one line, reserved where asked; entities."""

import subprocess
import sys
from datetime import date
from random import Random
from unicodedata import category

import pytest
from support.project import ROOT

from lib.common.errors import DoppelError
from lib.pii import national, phones
from lib.pii.checks import CHECKS, check
from lib.pii.classes import classes
from lib.pii.finance import TEST_CARDS
from lib.pii.internet import is_reserved_address, is_reserved_domain
from lib.pii.locales import locales
from lib.pii.persons import Person
from lib.pii.values import DRAWN, Values, reserved_range

REFERENCE = date(2026, 1, 31)
CHECKABLE = [*CHECKS, "PHONENUMBER", "SSN"]
FEW = ("en_US", "de_DE", "it_IT", "ja_JP", "es_CL", "ru_RU")
TESTS = {number for numbers in TEST_CARDS.values() for number in numbers}
IS_RESERVED = {  # by value and country
    "BIC": lambda value, _: value[7] == "0",
    "CREDITCARDNUMBER": lambda value, _: value.replace(" ", "") in TESTS,
    "EMAIL": lambda value, _: is_reserved_domain(value),
    "IP": lambda value, _: is_reserved_address(value),
    "IPV4": lambda value, _: is_reserved_address(value),
    "IPV6": lambda value, _: is_reserved_address(value),
    "MAC": lambda value, _: value.upper().replace("-", ":").startswith("00:00:5E:00:53:"),
    "MASKEDNUMBER": lambda value, _: value[-4:] in {number[-4:] for number in TESTS},
    "PHONEIMEI": lambda value, _: value.startswith("00"),
    "PHONENUMBER": phones.is_reserved,
    "SSN": national.is_reserved,
    "URL": lambda value, _: is_reserved_domain(value),
}


def text(locale: str, seed: int, ranges: str = "plausible") -> Values:
    return Values(seed, locale, REFERENCE, ranges)


@pytest.mark.parametrize("ranges", ["plausible", "reserved"])
@pytest.mark.parametrize("locale", locales())
def test_every_value_is_on_one_line_and_passes_its_check(locale: str, ranges: str) -> None:
    for seed in range(8):
        values = text(locale, seed, ranges)
        for name in DRAWN:
            value = values.value(name, 1)
            assert value and value == value.strip() and not {*map(category, value)} & {"Cc", "Zl", "Zp"}, (name, value)
            if ranges == "reserved" and name in ("SSN", "PHONENUMBER"):
                continue  # some are invalid on purpose
            assert check(name, value, locale) is (None if unchecked(name, locale) else True), (name, value)


@pytest.mark.parametrize(("locale", "name"), [("es_AR", "MIDDLENAME"), ("en_IN", "CITY")])
def test_blanks_at_the_end_of_fakers_names_are_left_out(locale: str, name: str) -> None:
    values = [text(locale, seed) for seed in range(300)]
    assert all(value.value(name, 1) == value.value(name, 1).strip() for value in values)


def unchecked(name: str, locale: str) -> bool:
    return name not in CHECKABLE or (name == "SSN" and check("SSN", "", locale) is None)


@pytest.mark.parametrize("name", CHECKABLE)
def test_a_thousand_values_pass(name: str) -> None:
    values = [
        (text(locale, seed).value(name, 1), locale)
        for seed in range(250)
        for locale in ("en_US", "de_DE", "fr_FR", "it_IT")
    ]
    assert [value for value in values if not check(name, *value)] == []
    assert len(set(values)) > {"CURRENCYCODE": 100, "BIC": 500}.get(name, 900)


@pytest.mark.parametrize("locale", FEW)
def test_a_value_does_not_depend_on_what_is_asked_before(locale: str) -> None:
    slots = [(name, number) for name in DRAWN for number in (1, 2, 3)]
    forth = text(locale, 5)
    expected = {slot: forth.value(*slot) for slot in slots}
    Random(0).shuffle(slots)
    mixed = text(locale, 5)
    assert {slot: mixed.value(*slot) for slot in slots} == expected
    assert all(text(locale, 5).value(*slot) == expected[slot] for slot in slots[:40])


def test_a_value_is_the_same_in_another_process() -> None:
    """Whatever the order of sets there; Faker's cities of Italy come from one."""
    code = (
        "from datetime import date\nfrom lib.pii.values import DRAWN, Values\n"
        f"for locale in {FEW}:\n"
        "    values = Values(1, locale, date(2026, 1, 31))\n"
        "    print([values.value(name, 2) for name in DRAWN])"
    )
    printed = set()
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", code]
        printed.add(subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout)
    assert len(printed) == 1 and printed.pop().count(b"\n") == len(FEW)


def test_no_value_depends_on_today(monkeypatch: pytest.MonkeyPatch) -> None:
    import faker.providers.date_time as clocks

    def today(*_: object, **__: object) -> None:
        raise AssertionError("today was asked for")

    for name in ("date_time", "date_time_between", "date_between", "past_date"):
        monkeypatch.setattr(clocks.Provider, name, today)
    for name in DRAWN:
        text("en_US", 9).value(name, 1)


def test_only_what_is_asked_for_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    stream = Person.rng
    monkeypatch.setattr(Person, "rng", lambda person, field: asked.append(field) or stream(person, field))
    values = text("en_US", 1)
    values.value("FIRSTNAME", 1)
    assert asked == ["first", "female"]
    values.value("CITY", 2)
    assert asked == ["first", "female", "place"]
    for _ in range(2):
        values.value("PIN", 1)
    assert asked == ["first", "female", "place", "pin"]


def test_other_seeds_and_numbers_give_other_values() -> None:
    values = {text("en_US", seed).value("EMAIL", number) for seed in range(100) for number in (1, 2)}
    assert len(values) > 195


@pytest.mark.parametrize("locale", locales())
def test_reserved_values_are_in_their_ranges(locale: str) -> None:
    country = locales()[locale].country
    for seed in range(10):
        for name, inside in IS_RESERVED.items():
            value = text(locale, seed, "reserved").value(name, 1)
            assert inside(value, country) == (reserved_range(name, country) is not None), (name, value)


def test_every_class_that_says_so_has_a_range_and_plausible_values_lie_outside() -> None:
    assert {name for name, entry in classes().items() if entry.reserved} == set(IS_RESERVED)
    inside = [
        name
        for seed in range(100)
        for name, is_inside in IS_RESERVED.items()
        if name != "MASKEDNUMBER" and is_inside(text("en_US", seed).value(name, 1), "US")
    ]
    assert inside == []
    assert reserved_range("IBAN", "DE") is None and reserved_range("SSN", "DE") is None
    assert "987-65" in reserved_range("SSN", "US")


def test_entities() -> None:
    values = text("en_US", 1)
    assert values.entity("FIRSTNAME", 2) == values.entity("EMAIL", 2) == values.entity("USERNAME", 2) == "person-2"
    assert values.entity("COMPANYNAME", 2) == "companyname-2" != values.entity("DATE", 2)
    assert values.entity("CURRENCYCODE", 1) == values.entity("CURRENCYSYMBOL", 1) == values.entity("CURRENCY", 1)
    names = {values.entity(name, number) for name in DRAWN for number in (1, 2)}
    assert len(names) == 2 * (
        1 + 1 + sum(not e.of_person and not n.startswith("CURRENCY") for n, e in classes().items())
    )


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda: Values(1, "de_EN", REFERENCE), "pii.unknown_locale"),
        (lambda: Values(1, "de_DE", REFERENCE, "real"), "pii.unknown_ranges"),
        (lambda: text("de_DE", 1).value("MAIL", 1), "pii.unknown_class"),
        (lambda: text("de_DE", 1).entity("MAIL", 1), "pii.unknown_class"),
        (lambda: text("de_DE", 1).value("EMAIL", 0), "pii.number_below_one"),
        (lambda: text("de_DE", 1).entity("EMAIL", -1), "pii.number_below_one"),
        (lambda: reserved_range("MAIL", "US"), "pii.unknown_class"),
    ],
)
def test_what_is_refused(ask, code: str) -> None:
    with pytest.raises(DoppelError) as refusal:
        ask()
    assert refusal.value.code == code and refusal.value.remedy
