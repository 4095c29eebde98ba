"""The count of copies is charged before it is drawn, written as it is told, and counts units of each kind of record."""

import json

import pytest
from support.budgets import CORPUS, begin, corpus, entries, set_terms
from support.errors import refused
from support.image_toys import private
from support.project import Project

from lib.audit import counted_copies
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tables.domain import as_text
from lib.privacy import copy_count, ledger

SETTINGS = {"target_epsilon": 8.0, "copy_share": 0.2, "for_release": True}
SENTENCES = [f"sentence number {i} of somebody who said more than a few words about it" for i in range(8)]
TRAIN = [Record(str(i), PrivateText(text), {}, user=f"u{i % 2}") for i, text in enumerate(SENTENCES)]
ROWS = [Record(str(i), PrivateText(as_text({"n": i})), {}, user=f"u{i % 2}") for i in range(8)]


@pytest.mark.parametrize(("unit", "copied"), [("record", 3), ("user", 2)])
def test_units_of_each_kind_are_counted_once(unit: str, copied: int) -> None:
    for kind, train in (("texts", TRAIN), ("rows", ROWS)):
        assert counted_copies.COPIED[kind](train[:3] * 2, train, unit=unit) == copied, kind
        assert counted_copies.COPIED[kind](train[:0], train, unit=unit) == 0
    pictures = private(4)
    assert counted_copies.COPIED["pictures"](pictures[:1], pictures, unit="record") >= 1


def counted(monkeypatch: pytest.MonkeyPatch, **settings: object) -> tuple[dict | None, ledger.Ledger]:
    """What a stage of the corpus' run is told of its copies, with noise that adds nothing."""
    monkeypatch.setattr("lib.privacy.mechanisms.noisy_counts", lambda clean, scale, seed: list(clean))
    stage = begin("12_aug_pe.eps8")
    own = ledger.inherit([stage.inputs["corpus"]])
    told = counted_copies.release(stage, own, SETTINGS | settings, TRAIN[:3], TRAIN, privacy_seed=None)
    written = stage.path(copy_count.FILE)
    assert (json.loads(written.read_text()) if written.is_file() else None) == told
    return told, own


def test_what_is_told_is_charged_enters_the_ledger_and_is_written(
    house: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = corpus().delta
    mechanism = copy_count.mechanism(SETTINGS, delta)
    told, own = counted(monkeypatch)
    assert told == {"noisy_count": 3, "limit": copy_count.limit(mechanism.scale)}
    assert (own.events[-1].what, own.events[-1].mechanism) == (copy_count.WHAT, mechanism)
    charge = entries()[-1]
    assert (charge.event.mechanism, charge.event.stage) == (mechanism, "12_aug_pe.eps8")


def test_without_a_share_nothing_is_counted_charged_or_written(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus()
    for settings in ({"copy_share": 0.0}, {"target_epsilon": None}):
        told, own = counted(monkeypatch, **settings)
        assert told is None and [event.stage for event in own.events] == [CORPUS] and len(entries()) == 1


def test_what_the_budget_refuses_is_not_drawn(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus()
    set_terms(epsilon=0.3)
    monkeypatch.setattr("lib.privacy.mechanisms.noisy_counts", lambda *given: pytest.fail("noise was drawn"))
    stage = begin("12_aug_pe.eps8")
    own = ledger.inherit([stage.inputs["corpus"]])
    with refused("privacy.budget_exceeded", value=0.3):
        counted_copies.release(stage, own, SETTINGS, TRAIN[:3], TRAIN, privacy_seed=None)
    assert not stage.path(copy_count.FILE).exists() and len(own.events) == 1
