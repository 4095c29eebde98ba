"""The author that asks a language model: 13 calls a record with two revisions (arXiv 2602.03183)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from lib.generation.json_reply import read_list, read_object, texts
from lib.generation.workflow import Steps, Unusable, ask
from lib.pii.detectors.detector import Detector
from lib.private_records import prompting
from lib.private_records.author import Life, RecordType
from lib.private_records.prompting import Prompts
from lib.private_records.schema import Attribute, Category, Event, Group, Profile, Situation
from lib.private_records.slot_text import check_outside, usable
from lib.private_records.task import Task

T = TypeVar("T")

FORMAL = 0.75  # of the records: formal to informal types as 3 to 1
FEWEST_GROUPS = 3  # where there are as many attributes
LONGEST = 400  # characters of a candidate: a type, a context, a layout


class ModelAuthor:
    """Asks a model for each step. It is never told a value that has a slot.

    Args:
        prompts: what it is asked.
        titles: events that happen to people; those of a record are drawn from them.
        tries: how often each step is asked, in the same words, until a reply can be used; at least 1.
        min_words: of a text.
        detector: of data outside slots; a text in which it finds a name, number or address there is asked for again.
    """

    def __init__(self, prompts: Prompts, titles: Sequence[str], tries: int, min_words: int, detector: Detector):
        self._prompts, self._titles, self._tries, self._min_words = prompts, titles, tries, min_words
        self._detector = detector

    def profile(self, task: Task, events: int) -> Steps[Life]:
        """See `lib.private_records.author.Author`; further attributes are the model's, titles ours."""
        titles = task.rng("titles").sample(list(self._titles), events)
        told = {"facts": prompting.listed(prompting.facts(task)), "day": task.person["date"], "count": str(events)}
        return (yield from self._ask("profile", partial(_life, titles), titles="\n".join(titles), **told))

    def attribute(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """See `lib.private_records.author.Author`."""
        event = profile.events[situation.event]
        read = partial(_named, tuple(event.attributes))
        return (yield from self._ask("attribute", read, event=prompting.listed_event(event)))

    def record_type(self, task: Task, profile: Profile, situation: Situation) -> Steps[RecordType]:
        """See `lib.private_records.author.Author`; whether it is a formal one is drawn before ten are asked for."""
        rng = task.rng("record_type")
        formal = rng.random() < FORMAL
        told = self._prompts.situation(profile, situation)
        kinds = yield from self._ask("record_type", _candidates, kind="formal" if formal else "informal", **told)
        return RecordType(rng.choice(kinds), formal)

    def context(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """See `lib.private_records.author.Author`."""
        told = self._prompts.situation(profile, situation)
        return task.rng("context").choice((yield from self._ask("context", _candidates, **told)))

    def format(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """See `lib.private_records.author.Author`."""
        told = self._prompts.situation(profile, situation)
        return task.rng("format").choice((yield from self._ask("format", _candidates, **told)))

    def draft(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """See `lib.private_records.author.Author`."""
        return (yield from self._write("draft", task, profile, situation))

    def revise(self, task: Task, profile: Profile, situation: Situation, text: str, round: int) -> Steps[str]:
        """See `lib.private_records.author.Author`."""
        return (yield from self._write("revise", task, profile, situation, text=text))

    def judge(
        self, task: Task, profile: Profile, situation: Situation, pair: tuple[str, str], round: int
    ) -> Steps[int]:
        """See `lib.private_records.author.Author`."""
        told = self._prompts.situation(profile, situation)
        return (yield from self._ask("judge", _choice, first=pair[0], second=pair[1], **told))

    def annotate(self, task: Task, profile: Profile, situation: Situation, text: str) -> Steps[tuple[Attribute, ...]]:
        """See `lib.private_records.author.Author`: once for the person, once for the event."""
        event = profile.events[situation.event]
        added = {name: value for name, value in profile.attributes.items() if name not in task.known}
        person = prompting.facts(task) | added
        known = {_key(name): "profile" for name in person} | {_key(name): "event" for name in event.attributes}
        read = partial(_told, known)
        of_person = yield from self._ask("annotate_profile", read, text=text, profile=prompting.listed(person))
        of_event = yield from self._ask("annotate_events", read, text=text, event=prompting.listed_event(event))
        merged = {one.name: one for one in (*of_person, *of_event)}
        return tuple(merged.values())

    def group(self, task: Task, text: str, attributes: Sequence[Attribute]) -> Steps[tuple[Group, ...]]:
        """See `lib.private_records.author.Author`."""
        read = partial(_groups, {_key(one.name): one.name for one in attributes})
        return (yield from self._ask("group", read, attributes=prompting.listed_attributes(attributes)))

    def _write(self, step: str, task: Task, profile: Profile, situation: Situation, **told: str) -> Steps[str]:
        told |= self._prompts.situation(profile, situation) | {
            "facts": ", ".join(f"{name}: {value}" for name, value in prompting.facts(task).items()),
            "slots": prompting.listed_slots(),
            "day": task.person["date"],
            "words": str(self._min_words),
        }
        return (yield from self._ask(step, self._read, **told))

    def _read(self, text: str) -> str:
        return check_outside(usable(text, self._min_words), self._detector)

    def _ask(self, step: str, read: Callable[[str], T], **told: str) -> Steps[T]:
        return (yield from ask(self._prompts.call(step, **told), read, self._tries))


def _life(titles: Sequence[str], text: str) -> Life:
    """Further facts, and the details of each event, in the order of the titles."""
    found = read_object(text)
    added, events = found.get("attributes"), found.get("events")
    if not isinstance(added, dict) or not isinstance(events, list):
        raise Unusable("keys missing")
    details = [one.get("attributes") for one in events if isinstance(one, dict)]
    if len(details) < len(titles) or not all(isinstance(one, dict) and _plain(one) for one in details[: len(titles)]):
        raise Unusable("events missing")
    return Life(_plain(added), tuple(Event(*pair) for pair in zip(titles, map(_plain, details), strict=False)))


def _plain(values: dict[str, object]) -> dict[str, str]:
    """Names and values on one line; without those that have square brackets, which are no facts."""
    flat = {_key(name): " ".join(value.split()) for name, value in texts(values).items()}
    return {name: value for name, value in flat.items() if name and not set("[]") & set(value)}


def _named(names: Sequence[str], text: str) -> str:
    """The one name that a reply has: as its whole, or as the only one of them within it."""
    keys = {_key(name): name for name in names}
    if (whole := _key(text)) in keys:
        return keys[whole]
    within = [name for key, name in keys.items() if f"_{key}_" in f"_{whole}_"]
    if len(within) != 1:
        raise Unusable("no such attribute")
    return within[0]


def _candidates(text: str) -> list[str]:
    """Different short texts, at least two."""
    found = [" ".join(one.split()) for one in read_list(text) if isinstance(one, str)]
    kept = [one for one in dict.fromkeys(found) if 0 < len(one) <= LONGEST]
    if len(kept) < 2:
        raise Unusable("too few candidates")
    return kept


def _choice(text: str) -> int:
    better = texts(read_object(text)).get("better", "").upper().removeprefix("VERSION").strip()
    if better not in ("A", "B"):
        raise Unusable("no choice")
    return "AB".index(better)


def _told(known: dict[str, Category], text: str) -> tuple[Attribute, ...]:
    """What the text tells; slots that a reply names all the same are left out."""
    found = {_key(name): value for name, value in texts(read_object(text)).items()}
    return tuple(
        Attribute(name, value, known.get(name, "text"), direct=False)
        for name, value in found.items()
        if name and not set("[]") & set(value)
    )


def _groups(names: dict[str, str], text: str) -> tuple[Group, ...]:
    """The groups of a reply, with the names that the record has."""
    found = read_object(text)
    groups = []
    for title, members in found.items():
        keys = [_key(one) for one in members if isinstance(one, str)] if isinstance(members, list) else []
        held = tuple(dict.fromkeys(names[key] for key in keys if key in names))
        if held:
            groups.append(Group(" ".join(title.split()), held))
    if len(groups) < min(FEWEST_GROUPS, len(names)):
        raise Unusable("too few groups")
    return tuple(groups)


def _key(name: str) -> str:
    """A name as it is compared: small letters and digits, an underscore between words."""
    return "_".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())
