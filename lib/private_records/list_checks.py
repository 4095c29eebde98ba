"""Refuses public lists on which a text would break: an unknown slot, list, layout or attribute, one name for two."""

import re
from collections.abc import Iterable

from lib.common.errors import DoppelError, nearest
from lib.pii.slots import parse
from lib.pii.writing import phrases
from lib.private_records.fields import fields, slots
from lib.private_records.list_shapes import PLAIN_FACTS, PublicLists, phrase
from lib.private_records.voices import MARKS

ANY = "any"  # the field of kinds of text that fit every field
GIVEN = ("opening", "body", "ask", "rows", "cells", "subject", "greeting", "closing", "office", "title", "record_type",
         "other", "speaker", "clock", "day", "number", "told")  # lists that are made for each text  # fmt: skip
_NAME = re.compile("[a-z_]+")


def check(lists: PublicLists) -> None:
    """Refuse what a text would break on.

    Args:
        lists: as they were read.

    Raises:
        DoppelError: ``pii.phrase`` for a phrase that cannot be read; ``private_records.list_slot``,
            ``private_records.list_name`` or ``private_records.list_twice`` for a slot, a name of a list, an attribute
            or a layout that is not known, and an attribute whose name stands for something else.
    """
    for layout in {*lists.formats.values(), *(name for kind in lists.record_types.values() for name in kind.layouts)}:
        _known("a layout", layout, lists.layouts)
    for kind in lists.record_types.values():
        fitting = [one for one in lists.contexts.values() if kind.fits(one)]
        if not fitting or not any(getattr(lists.layouts[name], kind.voice) for name in kind.layouts):
            raise DoppelError(
                "private_records.list_name",
                f"no context or no layout goes with {kind.name!r}",
                name=kind.name,
                remedy="name aims and layouts that have texts of its voice",
            )
    for field in {kind.field for kind in lists.record_types.values()} - {ANY}:
        _known("a field", field, lists.fields)
    shared = lists.phrases
    facts = {*PLAIN_FACTS, *shared.profile}
    common = {*GIVEN, *MARKS, *shared.lists}
    _texts([text for texts in shared.attributes.values() for text in texts], set(), "phrases.yaml")
    _texts([text for texts in shared.profile.values() for text in texts], set(), "phrases.yaml")
    _texts([*shared.facts, *shared.informal_facts, *shared.fact_rows], {*facts, *MARKS}, "phrases.yaml")
    _texts([*shared.slot_facts, *shared.informal_slot_facts, *shared.rows], set(MARKS), "phrases.yaml")
    _texts(shared.details, {*shared.attributes, *MARKS}, "phrases.yaml")
    _texts([text for texts in shared.lists.values() for text in texts], common, "phrases.yaml")
    for context in lists.contexts.values():
        _texts([*context.opening, *context.ask], {"office", *MARKS, *shared.lists}, "contexts.yaml")
    for layout in lists.layouts.values():
        _texts([*layout.i, *layout.you, *layout.they, *layout.first, *layout.line], common, "formats.yaml")
    for name, life in lists.fields.items():
        where = f"events/{name}.yaml"
        _texts([text for texts in life.attributes.values() for text in texts], set(), where)
        own = {*life.attributes, *MARKS}
        taken = {*common, *facts, *(field.name for field in fields().values())}
        _unlike([*life.attributes, *shared.attributes], taken, where)
        _texts([*life.details, *life.feelings, *life.outcomes, *life.rows], own, where)
        for event in life.events:
            _unlike(event.attributes, {*taken, *life.attributes, *shared.attributes}, where)
            _texts([text for texts in event.attributes.values() for text in texts], set(), where)
            _texts(event.text, {*event.attributes, *MARKS}, where)
            for attribute in event.without:
                _known("an attribute", attribute, {*life.attributes, *shared.attributes}, f"{where}: {event.title}")


def _texts(texts: Iterable[str], known: set[str], where: str) -> None:
    """Refuse a slot that is no class, and a list that nobody has."""
    for text in texts:
        for fault in parse(text, slots()).faults:
            raise DoppelError(
                "private_records.list_slot",
                f"{text[fault.start : fault.end]!r} is no slot",
                value=fault.kind,
                remedy="name a class of lib/pii/classes.csv or a slot of lib/private_records/fields.csv",
                where=where,
            )
        for name in phrases.references(phrase(text)):
            _known("a list", name, known, f"{where}: {text[:60]}")


def _unlike(names: Iterable[str], taken: set[str], where: str) -> None:
    """Refuse an attribute whose name stands for something else already."""
    for name in names:
        if name in taken or not _NAME.fullmatch(name):
            raise DoppelError(
                "private_records.list_twice",
                f"an attribute cannot be called {name!r}, which stands for something else or is no name",
                name=name,
                remedy="use another name of small letters and underscores",
                where=where,
            )


def _known(what: str, name: str, known: Iterable[str], where: str | None = None) -> None:
    if name not in known:
        raise DoppelError(
            "private_records.list_name",
            f"no such thing as {what} called {name!r}",
            name=name,
            remedy=nearest(name, list(known)),
            where=where,
        )
