"""The shapes of the public lists of ``prompts/private_records``: events by field of life, kinds of text, layouts,
contexts and phrases (`lib.private_records.public_lists` reads them).
"""

from functools import cache
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field

from lib.generation.prompt_parts import STRICT, Text, Texts
from lib.pii.writing import phrases
from lib.pii.writing.phrases import Phrase
from lib.private_records.voices import Voice

PLAIN_FACTS = ("marital_status", "native_language", "income_class", "citizenship", "disability")  # in plain words

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


class KindOfText(BaseModel):
    """A kind of text as ``record_types.yaml`` has it; see `TypeEntry`."""

    model_config = STRICT
    name: Text
    voice: Voice
    aims: Texts
    layouts: Texts


class KindsOfText(BaseModel):
    """The kinds of text of a field of life."""

    model_config = STRICT
    formal: list[KindOfText]
    informal: list[KindOfText]


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


class Formats(BaseModel):
    """``formats.yaml``: what a layout may be called, and the layouts."""

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


class Contexts(BaseModel):
    """``contexts.yaml``."""

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
    return phrases.read(text, "prompts/private_records")
