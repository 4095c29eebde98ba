"""The public lists that private records are written from: events, kinds of text, layouts, contexts and phrases.

All are ours and about nobody: ``prompts/private_records``. A model is told names alone; the grammar
(`lib.private_records.grammar_author`) writes with their phrases too.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field, RootModel

from lib.common.errors import DoppelError, nearest
from lib.generation.prompt_parts import STRICT, Text, Texts
from lib.pii.slots import parse
from lib.pii.writing import phrases
from lib.pii.writing.grammar import checked
from lib.pii.writing.phrases import Phrase
from lib.private_records.fields import fields, slots
from lib.private_records.voices import MARKS, Voice

FOLDER = Path("prompts/private_records")
_NAME = re.compile("[a-z_]+")
ANY = "any"  # the field of kinds of text that fit every field
PLAIN_FACTS = (
    "marital_status",
    "native_language",
    "income_class",
    "citizenship",
    "disability",
)  # of a person, in plain words
GIVEN = ("opening", "body", "ask", "rows", "cells", "subject", "greeting", "closing", "office", "title", "record_type",
         "other", "speaker", "clock", "day", "number", "told")  # made for each text  # fmt: skip


Ages = Annotated[list[int], Field(min_length=2, max_length=2)]


class EventEntry(BaseModel):
    """An event.

    Attributes:
        title: in a few words, unlike that of any other.
        attributes: that it has -> phrases that a value is drawn from.
        text: what happened, a sentence or two each, in order (`lib.private_records.voices`).
        ages: of persons to whom it may happen, least and most; those of the field where none are given.
        sex: of persons to whom it may happen alone; any where none is given.
        without: attributes of the field or of all events that do not go with it: the month of something at Christmas.
    """

    model_config = STRICT
    title: Text
    attributes: Annotated[dict[str, Texts], Field(min_length=1)]
    text: Texts
    ages: Ages | None = None
    sex: Literal["female", "male"] | None = None
    without: list[Text] = []


class LifeField(BaseModel):
    """A field of life.

    Attributes:
        title: ``health``.
        client: what those call the person who deal with them there: ``patient``.
        ages: of persons to whom its events may happen, least and most.
        offices: who writes.
        attributes: that any event of the field may have.
        details: sentences about them.
        feelings: sentences of informal texts.
        outcomes: sentences of formal texts.
        rows: lines of forms.
        events: at least one.
    """

    model_config = STRICT
    title: Text
    client: Text
    ages: Ages = [0, 200]
    offices: Texts
    attributes: dict[str, Texts]
    details: Texts
    feelings: Texts
    outcomes: Texts
    rows: list[Text] = []
    events: Annotated[list[EventEntry], Field(min_length=1)]


class _Type(BaseModel):
    model_config = STRICT
    name: Text
    voice: Voice
    aims: Texts
    layouts: Texts


class _Types(BaseModel):
    model_config = STRICT
    formal: list[_Type]
    informal: list[_Type]


class Layout(BaseModel):
    """How a text is laid out.

    Attributes:
        i, you, they: frames by voice; none where a voice has no such text.
        first: forms of the first sentence, where it has one of its own.
        line: forms of a sentence; none where sentences stand in paragraphs.
    """

    model_config = STRICT
    i: list[Text] = []
    you: list[Text] = []
    they: list[Text] = []
    first: list[Text] = []
    line: list[Text] = []


class _Formats(BaseModel):
    model_config = STRICT
    formats: dict[str, Texts]
    layouts: dict[str, Layout]


class Context(BaseModel):
    """Who writes to whom and why.

    Attributes:
        text: as an author is told it.
        voice: who tells it.
        formal: whether it goes with formal texts.
        aim: what such a text is for.
        opening: sentences that say why it is written.
        ask: sentences about what is to follow.
    """

    model_config = STRICT
    text: Text
    voice: Voice
    formal: bool
    aim: Text
    opening: Texts
    ask: Texts


class _Contexts(BaseModel):
    model_config = STRICT
    contexts: list[Context]


class Phrases(BaseModel):
    """What all fields share.

    Attributes:
        attributes: that any event may have.
        details: sentences about them.
        profile: what a person has beside seed and slots.
        facts: sentences about that and about the seed, in plain words.
        informal_facts: the same for informal texts.
        slot_facts: sentences with slots.
        informal_slot_facts: the same for informal texts.
        rows: lines of forms with slots.
        fact_rows: lines of forms in plain words.
        connectives: words before a sentence, by ``formal`` and ``informal``.
        lists: that frames name.
        groups: title of a group -> pattern of names of attributes.
    """

    model_config = STRICT
    attributes: dict[str, Texts]
    details: Texts
    profile: dict[str, Texts]
    facts: Texts
    informal_facts: Texts
    slot_facts: Texts
    informal_slot_facts: Texts
    rows: Texts
    fact_rows: Texts
    connectives: dict[str, Texts]
    lists: dict[str, Texts]
    groups: dict[str, Text]


class TypeEntry(NamedTuple):
    """A kind of text.

    Attributes:
        name: unlike that of any other.
        formal: whether it is of the formal ones.
        field: that it belongs to, or `ANY`.
        voice: who tells it.
        aims: of contexts that it goes with.
        layouts: in which it is usual.
    """

    name: str
    formal: bool
    field: str
    voice: Voice
    aims: tuple[str, ...]
    layouts: tuple[str, ...]

    def fits(self, context: Context) -> bool:
        """Whether a text of this kind may be written in a context."""
        return context.aim in self.aims and (context.voice, context.formal) == (self.voice, self.formal)


class PublicLists(NamedTuple):
    """All lists.

    Attributes:
        fields: by name of the file.
        events: title -> the field's name and the event.
        record_types: by name.
        formats: name -> its layout.
        layouts: by name.
        contexts: by text.
        phrases: that all fields share.
    """

    fields: dict[str, LifeField]
    events: dict[str, tuple[str, EventEntry]]
    record_types: dict[str, TypeEntry]
    formats: dict[str, str]
    layouts: dict[str, Layout]
    contexts: dict[str, Context]
    phrases: Phrases

    def fitting(self, age: int, sex: str) -> list[str]:
        """Titles of events that may happen to a person, in alphabetical order.

        Args:
            age: in years.
            sex: ``female``, ``male`` or another word.
        """
        return sorted(
            title
            for title, (field, event) in self.events.items()
            if (event.ages or self.fields[field].ages)[0] <= age <= (event.ages or self.fields[field].ages)[1]
            and event.sex in (None, sex)
        )


@cache
def phrase(text: str) -> Phrase:
    """A phrase of the lists, read once.

    Args:
        text: as `lib.pii.writing.phrases` says.
    """
    return phrases.read(text, FOLDER.as_posix())


def files(folder: Path = FOLDER) -> list[Path]:
    """The files that `load` reads.

    Args:
        folder: of the lists.
    """
    names = ("record_types.yaml", "formats.yaml", "contexts.yaml", "phrases.yaml")
    return [*(folder / name for name in names), *sorted((folder / "events").glob("*.yaml"))]


@cache
def load(folder: Path = FOLDER) -> PublicLists:
    """Read and check the lists, once.

    Args:
        folder: with ``events/FIELD.yaml``, ``record_types.yaml``, ``formats.yaml``, ``contexts.yaml`` and
            ``phrases.yaml``.

    Raises:
        DoppelError: ``pii.file_shape`` for a file of another shape; ``pii.phrase`` for a phrase that cannot be read;
            ``private_records.list_slot``, ``private_records.list_name`` or ``private_records.list_twice`` for a slot,
            a name of a list, an attribute or a layout that is not known, or a title that two entries have.
    """
    types_at, formats_at, contexts_at, phrases_at, *events_at = files(folder)
    lives = {path.stem: checked(LifeField, path) for path in events_at}
    formats = checked(_Formats, formats_at)
    kinds = [
        TypeEntry(kind.name, formal, field, kind.voice, tuple(kind.aims), tuple(kind.layouts))
        for field, types in checked(RootModel[dict[str, _Types]], types_at).root.items()
        for formal, group in ((True, types.formal), (False, types.informal))
        for kind in group
    ]
    lists = PublicLists(
        lives,
        _by_name((event.title, (name, event)) for name, life in lives.items() for event in life.events),
        _by_name((kind.name, kind) for kind in kinds),
        _by_name((name, layout) for layout, names in formats.formats.items() for name in names),
        formats.layouts,
        _by_name((context.text, context) for context in checked(_Contexts, contexts_at).contexts),
        checked(Phrases, phrases_at),
    )
    _check(lists)
    return lists


def _by_name(pairs: Iterable[tuple[str, object]]) -> dict:
    named: dict[str, object] = {}
    for name, entry in pairs:
        if name in named:
            raise DoppelError(
                "private_records.list_twice", f"{name!r} stands twice in the lists", name=name, remedy="keep one"
            )
        named[name] = entry
    return named


def _check(lists: PublicLists) -> None:
    """Refuse what a text would break on."""
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
