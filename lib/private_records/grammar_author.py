"""The author that needs no model: it draws each step from the public lists, and writes with their phrases."""

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from lib.data.tokenize import words
from lib.generation.workflow import Steps
from lib.pii.writing.phrases import Writer
from lib.private_records.author import Life, RecordType
from lib.private_records.grammar_text import GrammarText, plain_facts
from lib.private_records.list_checks import ANY
from lib.private_records.list_shapes import phrase
from lib.private_records.public_lists import FOLDER, files, load
from lib.private_records.schema import Attribute, Event, Group, Profile, Situation
from lib.private_records.task import Task

CANDIDATES = 10  # record types and formats, of which one is drawn
CONTEXTS = 5
OWN = 4  # candidates that belong to the event's field, where it has so many
OF_FIELD, OF_ALL = 3, 2  # attributes of the field that an event has beside its own, and of those that any may have
MOOD = 0.25  # the judge's draw, at most, beside scores from 0 to 2
GROUPS = (3, 8)

T = TypeVar("T")
__all__ = ["GrammarAuthor", "event_titles", "files"]


class GrammarAuthor:
    """Implements `lib.private_records.author.Author`; its steps ask nothing.

    Args:
        folder: of the public lists.

    Raises:
        DoppelError: what `lib.private_records.public_lists.load` refuses.
    """

    def __init__(self, folder: Path = FOLDER):
        self._lists = load(folder)

    def profile(self, task: Task, events: int) -> Steps[Life]:
        """Different events that may happen to the person, with values of their attributes, and further facts."""
        rng = task.rng("profile")
        fitting = self._lists.fitting(int(task.known["age"]), task.known["sex"])
        drawn = [self._event(task, title, rng) for title in rng.sample(fitting, events)]
        profile = self._lists.phrases.profile
        return _done(Life({name: self._value(task, texts, rng) for name, texts in profile.items()}, tuple(drawn)))

    def attribute(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """One of the attributes that only this event has."""
        _, event = self._lists.events[profile.events[situation.event].title]
        return _done(task.rng("attribute").choice(sorted(event.attributes)))

    def record_type(self, task: Task, profile: Profile, situation: Situation) -> Steps[RecordType]:
        """One of ten of the list, formal to informal as 3 to 1, up to four of each of the event's own field."""
        rng = task.rng("record_type")
        field, _ = self._lists.events[profile.events[situation.event].title]
        informal = rng.choice((2, 3))
        candidates = []
        for formal, count in ((True, CANDIDATES - informal), (False, informal)):
            fitting = [kind for kind in self._lists.record_types.values() if kind.formal == formal]
            own = [kind for kind in fitting if kind.field == field]
            rest = [kind for kind in fitting if kind.field == ANY]
            own = rng.sample(own, min(OWN, count, len(own)))
            candidates += own + rng.sample(rest, count - len(own))
        kind = rng.choice(candidates)
        return _done(RecordType(kind.name, kind.formal))

    def context(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """One of five that go with the type; without a type, of all in which the person writes."""
        kind = self._lists.record_types.get(situation.record_type)
        fitting = [
            context.text
            for context in self._lists.contexts.values()
            if (kind.fits(context) if kind else context.voice == "i")
        ]
        rng = task.rng("context")
        return _done(rng.choice(rng.sample(fitting, min(CONTEXTS, len(fitting)))))

    def format(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """One of ten of those in which the type is usual."""
        kind = self._lists.record_types[situation.record_type]
        fitting = [
            name
            for name, layout in self._lists.formats.items()
            if layout in kind.layouts and getattr(self._lists.layouts[layout], kind.voice)
        ]
        rng = task.rng("format")
        return _done(rng.choice(rng.sample(fitting, min(CANDIDATES, len(fitting)))))

    def draft(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """The event's sentences but one, and three further ones."""
        return _done(GrammarText(self._lists, task, profile, situation, 0).write())

    def revise(self, task: Task, profile: Profile, situation: Situation, text: str, round: int) -> Steps[str]:
        """Other words, another order and frame, and two more sentences a round."""
        return _done(GrammarText(self._lists, task, profile, situation, round).write())

    def judge(
        self, task: Task, profile: Profile, situation: Situation, pair: tuple[str, str], round: int
    ) -> Steps[int]:
        """The one with the higher score: the share of the event's attributes that it tells, plus the share of its
        words that it has not used before, plus a draw of up to `MOOD`."""
        rng = task.rng(f"judge.{round}")
        values = profile.events[situation.event].attributes.values()
        first, second = (
            sum(value in text for value in values) / len(values) + _distinct(text) + MOOD * rng.random()
            for text in pair
        )
        return _done(int(second > first))

    def annotate(self, task: Task, profile: Profile, situation: Situation, text: str) -> Steps[tuple[Attribute, ...]]:
        """The attributes of event and profile whose values stand in the text, and the office that it names."""
        event = profile.events[situation.event]
        field, _ = self._lists.events[event.title]
        found = [
            *(Attribute(name, value, "event", False) for name, value in event.attributes.items()),
            *(Attribute(name, value, "profile", False) for name, value in plain_facts(self._lists, profile).items()),
            *(Attribute("office", office, "text", False) for office in self._lists.fields[field].offices),
        ]
        return _done(tuple(one for one in found if _stands(one.value, text)))

    def group(self, task: Task, text: str, attributes: Sequence[Attribute]) -> Steps[tuple[Group, ...]]:
        """By the patterns of the lists, with a group for the event; from the text's halves where these are too few."""
        groups = {"what happened": tuple(one.name for one in attributes if one.category == "event")}
        for title, pattern in self._lists.phrases.groups.items():
            groups[title] = tuple(one.name for one in attributes if re.search(pattern, one.name))
        groups = {title: names for title, names in groups.items() if names}
        middle = (len(attributes) + 1) // 2
        names = [one.name for one in attributes]
        for title, some in (("told first", names[:middle]), ("told later", names[middle:]), ("the whole text", names)):
            if len(groups) < GROUPS[0]:
                groups[title] = tuple(some or names)
        return _done(tuple(Group(title, some) for title, some in list(groups.items())[: GROUPS[1]]))

    def _event(self, task: Task, title: str, rng: Random) -> Event:
        """An event with its own attributes, and some that its field and all events may have."""
        field, event = self._lists.events[title]
        attributes = dict(event.attributes)
        for more, count in ((self._lists.fields[field].attributes, OF_FIELD), (self._lists.phrases.attributes, OF_ALL)):
            fitting = sorted(more.keys() - set(event.without))
            attributes |= {name: more[name] for name in rng.sample(fitting, min(count, len(fitting)))}
        return Event(title, {name: self._value(task, texts, rng) for name, texts in attributes.items()})

    def _value(self, task: Task, texts: Sequence[str], rng: Random) -> str:
        return Writer({}, [], rng, task.values).write(phrase(rng.choice(texts)))


def event_titles(folder: Path = FOLDER) -> list[str]:
    """The titles of all events, which a model is told some of.

    Args:
        folder: of the public lists.
    """
    return list(load(folder).events)


def _done(value: T) -> Steps[T]:
    """A conversation that asks nothing."""
    return value
    yield


def _distinct(text: str) -> float:
    found = words(text)
    return len(set(found)) / max(1, len(found))


def _stands(value: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None
