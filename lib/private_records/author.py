"""Who writes private records: one method for each step of the pipeline, whether a model is asked or a grammar draws."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from lib.generation.workflow import Steps
from lib.private_records.schema import Attribute, Event, Group, Profile, Situation
from lib.private_records.task import Task


class Life(NamedTuple):
    """What an author adds to a person.

    Attributes:
        attributes: name -> value; names that `Task.known` has already are dropped.
        events: as many as were asked for.
    """

    attributes: dict[str, str]
    events: tuple[Event, ...]


class RecordType(NamedTuple):
    """A kind of text.

    Attributes:
        name: ``discharge letter``.
        formal: whether it is of the formal types.
    """

    name: str
    formal: bool


class Author(Protocol):
    """Writes the steps of a record, each a conversation (`lib.generation.workflow`) that may ask nothing.

    An author keeps nothing of a record: what it draws comes from ``task.rng(purpose)``, so that a record is the same
    whatever else is written beside it. ``situation`` is filled step by step; what is not yet known in it is "".

    **Slots.** `draft` and `revise` return texts in which fields of the person, and names and numbers of others, stand
    as slots: ``[FIRSTNAME]``, ``[DOB]``, ``[LASTNAME_2]`` (`lib.private_records.fields.slots`; number 1 is the person
    of the record). All else is written as plain words. The values that will stand there: `Task.value`.
    """

    def profile(self, task: Task, events: int) -> Steps[Life]:
        """What happened to the person, and what else is to be known of them.

        Args:
            task: of the record.
            events: how many, at least 1.
        """
        ...

    def attribute(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """The attribute that the record is about.

        Args:
            task: of the record.
            profile: of the person.
            situation: ``event`` alone is known.

        Returns:
            a name of ``profile.events[situation.event].attributes``.
        """
        ...

    def record_type(self, task: Task, profile: Profile, situation: Situation) -> Steps[RecordType]:
        """The kind of text: ten candidates, formal to informal as 3 to 1, of which one is drawn.

        Args:
            task: of the record.
            profile: of the person, with ``attr_to_share``.
            situation: ``event`` alone is known.
        """
        ...

    def context(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """Who writes to whom and why, in a sentence or two: five candidates, of which one is drawn.

        Args:
            task: of the record.
            profile: of the person.
            situation: with the record type, unless the stage asks for none.
        """
        ...

    def format(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """How the text is laid out: ten candidates, of which one is drawn.

        Args:
            task: of the record.
            profile: of the person.
            situation: with record type and context.
        """
        ...

    def draft(self, task: Task, profile: Profile, situation: Situation) -> Steps[str]:
        """The first version, as a slot text.

        Args:
            task: of the record.
            profile: of the person.
            situation: all of it; record type and format are "" where the stage asks for none, and the author then
                writes its plainest text.
        """
        ...

    def revise(self, task: Task, profile: Profile, situation: Situation, text: str, round: int) -> Steps[str]:
        """A version that is more varied and specific, as a slot text.

        Args:
            task: of the record.
            profile: of the person.
            situation: of the text.
            text: the version so far, a slot text.
            round: from 1.
        """
        ...

    def judge(
        self, task: Task, profile: Profile, situation: Situation, pair: tuple[str, str], round: int
    ) -> Steps[int]:
        """Which of two versions is better.

        Args:
            task: of the record.
            profile: of the person.
            situation: of both.
            pair: slot texts, the old and the new one in random order.
            round: from 1.

        Returns:
            0 for the first of the pair, 1 for the second.
        """
        ...

    def annotate(self, task: Task, profile: Profile, situation: Situation, text: str) -> Steps[tuple[Attribute, ...]]:
        """What the text tells in plain words, beside its slots.

        Args:
            task: of the record.
            profile: of the person.
            situation: of the text.
            text: the slot text.

        Returns:
            attributes without places, with values as they stand in the text, letter by letter. The pipeline looks for
            their places, drops those that are not there, and adds those of the slots itself.
        """
        ...

    def group(self, task: Task, text: str, attributes: Sequence[Attribute]) -> Steps[tuple[Group, ...]]:
        """Three to eight groups of attributes, which may overlap.

        Args:
            task: of the record.
            text: the slot text.
            attributes: all that the text tells, with their places in the filled text; never empty.
        """
        ...
