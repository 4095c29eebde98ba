"""The table of fields: one slot each, own slots only where lib/pii has no class."""

from lib.pii.classes import classes
from lib.pii.slots import is_class_name
from lib.private_records.fields import DRAWN, fields, slots


def test_every_field_has_one_slot_and_a_title() -> None:
    table = fields()
    assert len({field.name for field in table.values()}) == len(table)
    assert all(is_class_name(slot) and field.slot == slot and field.title for slot, field in table.items())


def test_own_slots_are_those_that_lib_pii_has_no_class_for() -> None:
    assert set(fields()) - set(classes()) == set(DRAWN)
    assert slots() == set(classes()) | set(fields())


def test_a_class_that_names_somebody_by_itself_is_direct_as_a_field_too() -> None:
    direct = {slot for slot, field in fields().items() if field.direct}
    assert {slot for slot in fields() if slot in classes() and classes()[slot].identifier == "DIRECT"} <= direct
