"""What somebody who reads a text concludes about its attributes: guesses by a model, or by rules.

The same guesser reads the original, the sanitized text, and the original with everything masked. The first says what
can be read there at all, the last what is guessed by chance; what the second says beyond that leaks. A guesser is told
the names of attributes, never a value, nor which of them were hidden.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, get_args

from lib.common.errors import DoppelError
from lib.generation.engines.base import ChatModel, Sampling
from lib.generation.json_reply import read_object, texts
from lib.generation.prompt_parts import Text
from lib.generation.step_prompts import Step
from lib.generation.workflow import GaveUp, Steps, Unusable, ask, run
from lib.pii.writing.grammar import checked
from lib.private_records.schema import Attribute, Place
from lib.sanitization.schema import Sanitized

Side = Literal["unsanitized", "sanitized", "masked"]
SIDES: tuple[Side, ...] = get_args(Side)

FILE = Path("prompts/sanitization/guess.yaml")
MASK = "____"


class Asked(NamedTuple):
    """What is guessed.

    Attributes:
        name: of the attribute: ``blood_type``.
        label: its class, ``EMAIL``; "" where it has none.
    """

    name: str
    label: str


class Guesser(Protocol):
    """Guesses attributes from a text.

    Attributes:
        name: for tables: the model's, or ``rules``.
    """

    name: str

    def guess(self, text: str, asked: Sequence[Asked]) -> Steps[dict[str, str]]:
        """Guess.

        Args:
            text: that is read.
            asked: attributes.

        Returns:
            Name -> guess; "" where there is none.

        Raises:
            GaveUp: no try had a reply that could be used.
        """
        ...


class _File(Step):
    system: Text


class ModelGuesser:
    """A language model guesses, all attributes of a text in one request.

    Args:
        name: of the model.
        tries: at least 1.
        path: of the prompt file.

    Raises:
        DoppelError: ``sanitization.prompt_place``, or the file has another shape.
    """

    def __init__(self, name: str, tries: int = 2, path: Path = FILE):
        self.name, self._tries, self._file = name, tries, checked(_File, path)
        for place in ("text", "attributes"):
            if place not in self._file.places:
                raise DoppelError(
                    "sanitization.prompt_place",
                    f"ask has no {{{place}}}",
                    name=place,
                    remedy=f"see {FILE}",
                    where=path.as_posix(),
                )

    def guess(self, text: str, asked: Sequence[Asked]) -> Steps[dict[str, str]]:
        told = {"text": text, "attributes": "\n".join(f"- {one.name}" for one in asked)}
        call = self._file.call("guess", self._file.system, told)
        return (yield from ask(call, lambda reply: _read(reply, [one.name for one in asked]), self._tries))


@dataclass(frozen=True)
class Guesses:
    """What was guessed.

    Attributes:
        by: the guesser's name.
        made: record's id and side -> name -> guess.
        failures: record's id and side -> why there is none.
        calls: of the model, further tries included.
    """

    by: str
    made: Mapping[tuple[str, Side], Mapping[str, str]]
    failures: Mapping[tuple[str, Side], GaveUp]
    calls: Counter[str]


def guess_all(
    records: Iterable[Sanitized],
    guesser: Guesser,
    model: ChatModel | None,
    sampling: Sampling,
    sides: Sequence[Side] = SIDES,
) -> Guesses:
    """Guess the targets of records, and what they were to keep, from each of their texts.

    Args:
        records: with ids that differ.
        guesser: reads the texts.
        model: answers; None for a guesser that asks nothing.
        sampling: seed and other draws; the temperature is that of the prompt file.
        sides: whose texts are read.

    Raises:
        DoppelError: the model cannot be asked, see `lib.generation.workflow.run`.
    """
    keys: dict[str, tuple[str, Side]] = {}
    conversations = {}
    for record in records:
        asked = tuple(sorted(Asked(one.name, one.label) for one in checked_attributes(record)))
        for side in sides if asked else ():
            name = f"guess {side} {record.id}"
            keys[name] = record.id, side
            conversations[name] = guesser.guess(text_of(record, side), asked)
    outcome = run(conversations, model, sampling)
    return Guesses(
        guesser.name,
        {keys[name]: guess for name, guess in outcome.results.items()},
        {keys[name]: failure for name, failure in outcome.failures.items()},
        outcome.calls,
    )


def checked_attributes(record: Sanitized) -> tuple[Attribute, ...]:
    """The attributes that a record is checked for: its targets, then what it was to keep.

    Args:
        record: sanitized.
    """
    return record.named((*record.targets.names, *record.targets.keep))


def text_of(record: Sanitized, side: Side) -> str:
    """A text of a record.

    Args:
        record: sanitized.
        side: ``masked``: the original with `MASK` in place of every attribute, kept ones too.
    """
    if side == "masked":
        return masked(record.text, [place for one in record.attributes for place in one.places])
    return record.text if side == "unsanitized" else record.sanitized


def masked(text: str, places: Iterable[Place]) -> str:
    """A text with `MASK` at some places.

    Args:
        text: any.
        places: in code points; they may overlap, and are then masked as one.
    """
    pieces, done = [], 0
    for start, end in sorted(places):
        if start >= done:
            pieces += [text[done:start], MASK]
        done = max(done, end)
    return "".join(pieces) + text[done:]


def _read(reply: str, names: Sequence[str]) -> dict[str, str]:
    """The guesses of a reply, whose object may stand within another one."""
    given = read_object(reply)
    for found in (given, *(inner for inner in given.values() if isinstance(inner, dict))):
        guesses = {_key(name): guess for name, guess in texts(found).items()}
        if any(_key(name) in map(_key, found) for name in names):
            return {name: guesses.get(_key(name), "") for name in names}
    raise Unusable("other names")


def _key(name: str) -> str:
    """A name as a reply may spell it."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")
