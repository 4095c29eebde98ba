"""Values of a statement: their types and ranges, and what they must be beside their unit."""

import pytest

from lib.privacy.accounting import DiscreteGaussian
from lib.privacy.ledger import NO_UNIT, Event, Ledger
from lib.privacy.statement_shape import CLAIMS, EVENT, LEDGER, of_unit

STAGE = "00_process_data"
STATEMENT = Ledger("record", 60, events=[Event(STAGE, "label histogram", DiscreteGaussian(5.0))]).statement(STAGE)
NOTHING = Ledger(NO_UNIT, 0).statement("40_pii_text")


def faults(statement: dict) -> list[str]:
    """The keys of a statement that have no value of their shape, and what does not fit its unit."""
    wrong = [key for key, fits in {**LEDGER, **CLAIMS}.items() if list(fits(statement[key], key))]
    return wrong + (["of unit"] if list(of_unit(statement)) else [])


def test_what_a_ledger_states_fits() -> None:
    assert faults(STATEMENT) == faults(NOTHING) == []


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("unit", "text", ["unit"]),
        ("units", 2, ["of unit"]),  # a delta below 1/n needs three
        ("units", -1, ["units", "of unit"]),
        ("units", True, ["units", "of unit"]),
        ("delta", 0, ["of unit"]),
        ("delta", float("nan"), ["delta", "of unit"]),
        ("epsilon", float("inf"), ["epsilon"]),
        ("epsilon", None, []),  # of what is not private
        ("target_epsilon", 0, ["target_epsilon"]),
        ("neighbours", "<b>all</b>", ["neighbours"]),
        ("ancestors", {"../quick": "0" * 64}, ["ancestors"]),
        ("ancestors", {"00_process_data": "0"}, ["ancestors"]),
        ("public", ["see www.example.com"], ["public"]),
        ("accountant", STATEMENT["accountant"] | {"library": "dp-accounting 0.6; rm -rf ~"}, ["accountant"]),
        ("accountant", STATEMENT["accountant"] | {"discretization": 0}, ["accountant"]),
        ("events", [STATEMENT["events"][0] | {"checked": "yes"}], ["events"]),
        ("events", [STATEMENT["events"][0] | {"more": 1}], ["events"]),
    ],
)
def test_what_no_statement_has_is_named(key: str, value: object, wrong: list[str]) -> None:
    assert faults(STATEMENT | {key: value}) == wrong


@pytest.mark.parametrize("more", [{"units": 3}, {"delta": 0.1}, {"events": STATEMENT["events"]}])
def test_without_a_unit_there_is_nobody_to_count(more: dict) -> None:
    assert faults(NOTHING | more) == ["of unit"]


def test_the_figures_of_a_mechanism_are_left_to_its_class() -> None:
    event = STATEMENT["events"][0]
    assert not list(EVENT(event | {"mechanism": {"kind": "Trust", "noise": -1}}, "events[0]"))
    assert list(EVENT(event | {"mechanism": {"kind": {"deep": {"deeper": 1}}}}, "events[0]"))
