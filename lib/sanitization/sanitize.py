"""Sanitizes a record, step by step (Privasis, arXiv 2602.03183, section 4): attributes, targets, chunks, strategies,
rewriting, and instructions. Each step is a conversation that may ask nothing (`lib.generation.workflow`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

from lib.generation.workflow import GaveUp, Steps
from lib.private_records.schema import Attribute, Group, Place
from lib.sanitization import instructions
from lib.sanitization.case import Case, Original, unique
from lib.sanitization.chunks import CHARACTERS, chunks, numbers_of
from lib.sanitization.schema import Edit, Sanitized, Strategy, edited
from lib.sanitization.targets import draw, weights

Weighting = Literal["uniform", "sensitivity"]


class Rewritten(NamedTuple):
    """What became of a text.

    Attributes:
        strategies: one for each target.
        edits: that hide the targets, from left to right, disjoint.
        at: where the text tells each target.
        lost: passages that a model named and the text does not have.
    """

    strategies: tuple[Strategy, ...]
    edits: tuple[Edit, ...]
    at: Mapping[str, tuple[Place, ...]]
    lost: int = 0


class Annotator(Protocol):
    """Says what a text tells."""

    def annotate(self, original: Original) -> Steps[tuple[Sequence[Attribute], Sequence[Group]]]:
        """The attributes of a text, with places, and groups of them.

        Args:
            original: the record.
        """
        ...


class Rewriter(Protocol):
    """Ranks, rewrites and asks, by rules or by a model. It keeps nothing of a record."""

    def order(self, case: Case) -> Steps[list[str]]:
        """The names of all attributes, the most sensitive first.

        Args:
            case: the record.
        """
        ...

    def rewrite(self, case: Case) -> Steps[Rewritten]:
        """A strategy for each target, and the edits that hide all of them.

        Args:
            case: the record with its targets and chunks.

        Raises:
            lib.generation.workflow.GaveUp: no try came to a text without the targets.
        """
        ...

    def instruction(self, case: Case, spoken: dict[str, tuple[str, ...]]) -> Steps[str]:
        """What was to be done, as a person might ask for it.

        Args:
            case: the record with its targets.
            spoken: what it names, see `lib.sanitization.instructions.wording`.
        """
        ...


@dataclass(frozen=True)
class Sanitizer:
    """What all records of a stage go through.

    Attributes:
        annotator: finds attributes.
        rewriter: hides those that are drawn.
        weighting: ``uniform``, or ``sensitivity``: attributes that say more are drawn more often.
        chunk_characters: of the longest chunk.
        seed: of all draws.
    """

    annotator: Annotator
    rewriter: Rewriter
    weighting: Weighting = "uniform"
    chunk_characters: int = CHARACTERS
    seed: int = 0

    def sanitize(self, original: Original) -> Steps[Sanitized]:
        """A record without what it should not tell.

        Args:
            original: the record.

        Raises:
            lib.generation.workflow.GaveUp: with the step that came to nothing; ``attributes`` where the text tells
                none.
        """
        attributes, groups = yield from self.annotator.annotate(original)
        original = replace(original, attributes=unique(attributes), groups=tuple(groups))
        if not original.attributes:
            raise GaveUp("attributes", ("none in the text",))
        case = Case(original, self.seed)
        if self.weighting == "sensitivity":
            weight = weights((yield from self.rewriter.order(case)))
        else:
            weight = {one.name: 1.0 for one in original.attributes}
        targets = draw(original.attributes, _present(original), case.tied, weight, case.rng("targets"))
        case = replace(case, targets=targets, chunks=chunks(original.text, self.chunk_characters))
        rewritten = yield from self.rewriter.rewrite(case)
        spoken = instructions.wording(targets, original.groups, case.rng("wording"))
        natural = yield from self.rewriter.instruction(case, spoken)
        return Sanitized(
            id=original.id,
            text=original.text,
            sanitized=edited(original.text, rewritten.edits),
            targets=targets,
            attributes=original.attributes,
            labels=dict(original.labels),
            chunks=case.chunks,
            sequences=dict(rewritten.at),
            mapping={name: numbers_of(case.chunks, places) for name, places in rewritten.at.items()},
            strategies=rewritten.strategies,
            edits=rewritten.edits,
            lost_passages=rewritten.lost,
            instruction=instructions.base(targets),
            natural_instruction=natural,
        )


def _present(original: Original) -> list[Group]:
    """The groups, by the attributes that the text tells."""
    names = {one.name for one in original.attributes}
    told = [Group(group.title, tuple(name for name in group.names if name in names)) for group in original.groups]
    return [group for group in told if group.names]
