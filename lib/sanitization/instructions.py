"""What was to be done to a text, in words: in one plain form, and as a person might ask for it."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from pydantic import BaseModel

from lib.common.errors import DoppelError
from lib.generation.prompt_parts import STRICT, Text, Texts
from lib.pii.writing.grammar import checked
from lib.private_records.schema import Group
from lib.sanitization.schema import Targets

FILE = Path("prompts/sanitization/instructions.yaml")
BY_GROUP = 0.5  # share of natural instructions that name groups where groups were drawn
WITH_KEEP = 0.25  # share of them that say what to keep
_NUMBER = re.compile(r" (\d+)$")
_ORDINALS = ("second", "third", "fourth", "fifth")


class _Base(BaseModel):
    model_config = STRICT
    abstract: Text
    drop: Text
    keep: Text


class _File(BaseModel):
    model_config = STRICT
    base: _Base
    openings: list[str]
    abstract: Texts
    drop: Texts
    keep: Texts
    closings: list[str]


def base(targets: Targets) -> str:
    """The instruction in its plain form: each list of attributes by name.

    Args:
        targets: of a record.
    """
    lists = {"abstract": targets.abstract, "drop": targets.drop, "keep": targets.keep}
    forms = _file().base
    return " ".join(getattr(forms, key).replace(f"{{{key}}}", _listed(names)) for key, names in lists.items() if names)


def wording(targets: Targets, groups: Sequence[Group], rng: Random) -> dict[str, tuple[str, ...]]:
    """What a natural instruction speaks of: group titles or attributes, and whether it says what to keep.

    Args:
        targets: of a record.
        groups: of the record.
        rng: of the record.

    Returns:
        ``abstract``, ``drop`` and ``keep`` -> words for each; a list of which nothing is said is left out.
    """
    by_group, with_keep = rng.random() < BY_GROUP, rng.random() < WITH_KEEP
    named: dict[str, tuple[str, ...]] = {}
    for key, names, titles in (
        ("abstract", targets.abstract, targets.abstract_groups),
        ("drop", targets.drop, targets.drop_groups),
    ):
        covered = {name for group in groups if by_group and group.title in titles for name in group.names}
        named[key] = (*(titles if by_group else ()), *(_plain(name) for name in names if name not in covered))
    named["keep"] = tuple(map(_plain, targets.keep)) if with_keep else ()
    return {key: words for key, words in named.items() if words}


def natural(spoken: dict[str, tuple[str, ...]], rng: Random) -> str:
    """A natural instruction, put together from phrases.

    Args:
        spoken: of `wording`.
        rng: of the record.
    """
    file = _file()
    sentences = [rng.choice(file.openings)]
    for key in ("abstract", "drop", "keep"):
        if key in spoken:
            sentences.append(rng.choice(getattr(file, key)).replace(f"{{{key}}}", _listed(spoken[key])))
    return " ".join(filter(None, [*sentences, rng.choice(file.closings)]))


@cache
def _file() -> _File:
    file = checked(_File, FILE)
    for key in ("abstract", "drop", "keep"):
        if any(f"{{{key}}}" not in form for form in [getattr(file.base, key), *getattr(file, key)]):
            raise DoppelError(
                "sanitization.instruction_place",
                f"{key}: a form has no {{{key}}}",
                name=key,
                remedy="every form of a list names it",
                where=FILE.as_posix(),
            )
    return file


def _plain(name: str) -> str:
    """An attribute's name as people say it: ``second phone``."""
    words = " ".join(name.replace("_", " ").split())
    number = _NUMBER.search(words)
    if number is None or not 2 <= int(number[1]) < 2 + len(_ORDINALS):
        return words
    return f"{_ORDINALS[int(number[1]) - 2]} {words[: number.start()]}"


def _listed(names: Sequence[str]) -> str:
    names = [_plain(name) for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
