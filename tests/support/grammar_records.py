"""Records that the grammar writes, with two revisions each, for tests."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from lib.pii.slots import parse
from lib.pii.spans import fill
from lib.private_records.fields import slots
from lib.private_records.grammar_author import GrammarAuthor
from lib.private_records.schema import Profile, Situation
from lib.private_records.task import Task
from support.record_toys import tasks

RECORDS = 150


class Made(NamedTuple):
    task: Task
    profile: Profile
    situation: Situation
    versions: tuple[str, ...]

    def filled(self, version: int) -> str:
        return fill(parse(self.versions[version], slots()), self.task.value).text


def done(steps: Iterator) -> object:
    """What a conversation comes to that asks nothing."""
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise AssertionError("it asks something")


def make(author: GrammarAuthor, task: Task, *, events: int = 1, event: int = 0, plain: bool = False) -> Made:
    life = done(author.profile(task, events))
    profile = Profile({}, {**task.known, **life.attributes}, life.events)
    situation = Situation("", False, "", "", event)
    profile = replace(profile, attr_to_share=done(author.attribute(task, profile, situation)))
    if not plain:
        kind = done(author.record_type(task, profile, situation))
        situation = replace(situation, record_type=kind.name, formal=kind.formal)
    situation = replace(situation, context=done(author.context(task, profile, situation)))
    if not plain:
        situation = replace(situation, format=done(author.format(task, profile, situation)))
    versions = [done(author.draft(task, profile, situation))]
    versions += [done(author.revise(task, profile, situation, versions[-1], round)) for round in (1, 2)]
    return Made(task, profile, situation, tuple(versions))


@cache
def made() -> tuple[Made, ...]:
    """The records of `RECORDS` tasks."""
    author = GrammarAuthor()
    return tuple(make(author, task) for task in tasks(RECORDS))


def told(author: GrammarAuthor, one: Made, version: int) -> set[str]:
    return {found.name for found in done(author.annotate(*one[:3], one.versions[version]))}
