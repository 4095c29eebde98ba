"""The table of rules: every attribute has a kind, and a table that cannot work is refused."""

from pathlib import Path

import pytest

from lib.common.errors import DoppelError
from lib.pii.classes import classes
from lib.private_records.fields import slots
from lib.private_records.schema import Attribute
from lib.sanitization.rule_table import OTHER, TABLE, table


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("attack_time", "after a wedding dinner", "when"),
        ("fall_place", "the tram stop", "place"),
        ("stone_fate", "passed by itself", "done"),
        ("mood_after", "relieved", "state"),
        ("birth_weight", "2,140 grams", "quantity"),
        ("rent", "$950 a month", "amount"),
        ("visit", "14 March 2019", "date"),
        ("full_name_2", "Bo Lee", "person"),
        ("horse_name", "Fresco", OTHER),
        ("day_job", "night cleaning", OTHER),
        ("companion", "an older sister", "who"),
    ],
)
def test_a_kind_by_value_or_name(name, value, kind):
    assert table().kind(Attribute(name, value, "event", False)) == kind


def test_every_class_of_a_person_has_a_kind_of_its_own():
    plain = {"ORDINALDIRECTION", "CURRENCY", "CURRENCYCODE", "CURRENCYNAME", "CURRENCYSYMBOL", "CREDITCARDISSUER"}
    plain |= {"ACCOUNTNAME", "EYECOLOR"}
    for label in (set(classes()) | set(slots())) - plain:
        assert table().kind(Attribute("x", "y", "text", False, (), label)) != OTHER, label


def test_roles_come_from_the_labels():
    assert table().role(["discharge letter"]) == "patient" and table().role(["tenancy agreement"]) == "tenant"
    assert table().role(["note"]) == table().role([]) == "person"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("labels: [PHONENUMBER]", "labels: [PHONE]"),
        ("vaguer: birth", "vaguer: berth"),
        ('".*"', '"(.*"'),
        ('".*"', '"x"'),
    ],
)
def test_a_table_that_cannot_work_is_refused(tmp_path: Path, old: str, new: str):
    path = tmp_path / "rules.yaml"
    path.write_text(TABLE.read_text().replace(old, new))
    with pytest.raises(DoppelError) as refusal:
        table(path)
    assert refusal.value.code == "sanitization.rules"
