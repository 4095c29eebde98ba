"""One private record from its person to its groups of attributes: the algorithm of Privasis (arXiv 2602.03183)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from lib.generation.workflow import GaveUp, Steps, Unusable
from lib.private_records import slot_text
from lib.private_records.acceptance import Acceptance
from lib.private_records.author import Author, Life
from lib.private_records.novelty import Sample, unit
from lib.private_records.places import located
from lib.private_records.schema import Attribute, Event, Group, PrivateRecord, Profile, Round, Situation, check_places
from lib.private_records.task import Task

Embed = Callable[[str], np.ndarray]  # a text -> its embedding, (d,)

MOST_GROUPS = 8


@dataclass(frozen=True)
class Recipe:
    """How records are written.

    Attributes:
        events: in each life, at least 1.
        revisions: rounds of revise, judge and accept, at least 0.
        type_and_format: whether each record has a type and a layout of its own; False for the ablation.
        min_words: of a text, at least 1.
        acceptance: of revisions.
    """

    events: int = 1
    revisions: int = 2
    type_and_format: bool = True
    min_words: int = 32
    acceptance: Acceptance = field(default_factory=Acceptance)


class Written(NamedTuple):
    """A record that was written.

    Attributes:
        record: itself.
        embedding: of its text, of length 1, (d,).
        dropped: attributes that the annotator named and the text does not hold.
    """

    record: PrivateRecord
    embedding: np.ndarray
    dropped: int


def write_record(task: Task, author: Author, recipe: Recipe, embed: Embed, sample: Sample) -> Steps[Written]:
    """Write a record.

    Type and context are those of one event, which is drawn where there are several; the attribute to share is of it.

    Args:
        task: of the record.
        author: writes.
        recipe: how.
        embed: of a text alone, so that the result does not depend on what is written beside it.
        sample: of the records before the block.

    Raises:
        GaveUp: a step came to nothing.
    """
    profile, situation = yield from _person(task, author, recipe)
    text = _usable("draft", (yield from author.draft(task, profile, situation)), recipe)
    draft = current = slot_text.filled(text, task)
    embedding = unit(embed(current.text))
    score = sample.vendi(embedding)
    rounds: list[Round] = []
    for number in range(1, recipe.revisions + 1):
        new = _usable("revise", (yield from author.revise(task, profile, situation, text, number)), recipe)
        preferred = yield from _preferred(task, author, profile, situation, text, new, number)
        version = slot_text.filled(new, task)
        moved = unit(embed(version.text))
        moved_score = sample.vendi(moved)
        gain = moved_score - score if len(sample) else None
        accepted = task.rng(f"accept.{number}").random() < recipe.acceptance.probability(preferred, gain)
        rounds.append(Round(version.text, preferred, gain or 0.0, accepted))
        if accepted:
            text, current, embedding, score = new, version, moved, moved_score
    attributes, dropped = located(current, (yield from author.annotate(task, profile, situation, text)))
    groups = (yield from author.group(task, text, attributes)) if attributes else ()
    record = PrivateRecord(
        id=task.id,
        profile=profile,
        situation=situation,
        text=current.text,
        slot_text=text,
        draft=draft.text,
        rounds=tuple(rounds),
        attributes=attributes,
        groups=_of_record(groups, attributes),
    )
    check_places(record.text, record.attributes)
    return Written(record, embedding, dropped)


def _person(task: Task, author: Author, recipe: Recipe) -> Steps[tuple[Profile, Situation]]:
    """The profile, and the situation of the text."""
    life: Life = yield from author.profile(task, recipe.events)
    if len(life.events) != recipe.events or not all(event.attributes for event in life.events):
        raise GaveUp("profile", ("no events",))
    added = {name: value for name, value in life.attributes.items() if name not in task.known}
    profile = Profile(dict(task.person), {**task.known, **added}, life.events)
    situation = Situation("", False, "", "", task.rng("event").randrange(recipe.events))
    event: Event = life.events[situation.event]
    shared = yield from author.attribute(task, profile, situation)
    if shared not in event.attributes:
        raise GaveUp("attribute", ("no attribute of the event",))
    profile = replace(profile, attr_to_share=shared)
    if recipe.type_and_format:
        kind = yield from author.record_type(task, profile, situation)
        situation = replace(situation, record_type=kind.name, formal=kind.formal)
    situation = replace(situation, context=(yield from author.context(task, profile, situation)))
    if recipe.type_and_format:
        situation = replace(situation, format=(yield from author.format(task, profile, situation)))
    return profile, situation


def _usable(step: str, text: str, recipe: Recipe) -> str:
    try:
        return slot_text.usable(text, recipe.min_words)
    except Unusable as unusable:
        raise GaveUp(step, (unusable.reason,)) from None


def _preferred(
    task: Task, author: Author, profile: Profile, situation: Situation, old: str, new: str, number: int
) -> Steps[bool]:
    """Whether the judge prefers the new version; it is shown both in random order."""
    new_first = task.rng(f"order.{number}").random() < 0.5
    pair = (new, old) if new_first else (old, new)
    choice = yield from author.judge(task, profile, situation, pair, number)
    return choice == (0 if new_first else 1)


def _of_record(groups: Sequence[Group], attributes: Sequence[Attribute]) -> tuple[Group, ...]:
    """The groups without names that the record has not, without repeats and empty ones."""
    names = {one.name for one in attributes}
    kept: dict[frozenset[str], Group] = {}
    for group in groups:
        held = tuple(dict.fromkeys(name for name in group.names if name in names))
        if held:
            kept.setdefault(frozenset(held), Group(group.title, held))
    return tuple(kept.values())[:MOST_GROUPS]
