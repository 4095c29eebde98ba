"""A person whose fields agree with the seed and with each other."""

from datetime import date, datetime

import pytest
from support.record_toys import COUNTRIES, table, tasks

from lib.pii.locales import generator, locale_named
from lib.private_records.fields import DRAWN, fields, slots
from lib.private_records.people import new_task


def parsed(day: str, locale: str) -> list[date]:
    """What a written day may stand for."""
    read = []
    for form in locale_named(locale).dates:
        try:
            read.append(datetime.strptime(day, form).date())
        except ValueError:
            continue
    return read


def test_age_date_of_birth_and_day_agree() -> None:
    for task in tasks(60):
        day, age = date.fromisoformat(task.person["date"]), int(task.known["age"])
        assert day in parsed(task.known["date"], "en_US")
        births = parsed(task.known["date_of_birth"], "en_US")
        assert age in [day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day)) for birth in births]


def test_name_sex_and_address_agree() -> None:
    for country, locale in (("United States", "en_US"), ("Germany", "de_DE")):
        women = set(generator(locale).provider("faker.providers.person").first_names_female)
        for number in range(20):
            task = new_task(f"{number}", 1, {"country": country}, table(), COUNTRIES, "plausible")
            if task.known["sex"] == "female":
                assert task.known["first_name"] in women
    assert new_task("a", 1, {"country": "Germany"}, table(), COUNTRIES, "plausible").known["citizenship"] == "German"


def test_a_first_name_from_a_file_is_in_the_address_and_says_the_sex_where_one_sex_alone_has_it() -> None:
    for number in range(8):
        task = new_task(f"{number}", 0, {"first_name": "Gudrun", "country": "Germany"}, table(), COUNTRIES, "plausible")
        assert task.known["sex"] == "female" and task.value("FIRSTNAME", 1) == "Gudrun"
        handles = f"{task.known['email']} {task.known['handle']}".lower()
        assert task.known["last_name"][0].lower() in handles and "g" in handles
        given = {"first_name": "Gudrun", "sex": "male"}
        assert new_task(f"{number}", 0, given, table(), COUNTRIES, "plausible").known["sex"] == "male"


def test_every_slot_has_a_value_for_everybody() -> None:
    (task,) = tasks(1)
    for slot in sorted(slots()):
        first, second = task.value(slot, 1), task.value(slot, 2)
        assert first and second and task.value(slot, 1) == first
    assert {"first_name", "last_name", "email", "passport"} <= set(task.known)
    assert set(DRAWN) <= set(fields()) and task.value("BLOODTYPE", 1) == task.person["blood_type"]


def test_a_disability_that_is_none_is_no_fact() -> None:
    (with_none,), (with_one,) = tasks(1, disability="none"), tasks(1, disability="a stutter")
    assert "disability" not in with_none.known and with_one.known["disability"] == "a stutter"


@pytest.mark.parametrize("other", [{"id": "record-000001"}, {"stage_seed": 1}])
def test_a_person_depends_on_seed_and_id_alone(other: dict) -> None:
    def known(id: str = "record-000000", stage_seed: int = 0) -> dict:
        return dict(new_task(id, stage_seed, {}, table(), COUNTRIES, "plausible").known)

    assert known() == known() != known(**other)


def test_reserved_values_are_taken_where_they_are_asked_for() -> None:
    task = new_task("a", 0, {}, table(), COUNTRIES, "reserved")
    assert task.known["email"].rpartition("@")[2].startswith("example.")
