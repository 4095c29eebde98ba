"""The rules of the rewriter without a model: what kinds of attributes there are, and what stands in their place."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from lib.common.errors import DoppelError
from lib.generation.prompt_parts import STRICT, Text, Texts
from lib.pii.classes import classes
from lib.pii.writing.grammar import checked
from lib.private_records.fields import slots
from lib.private_records.schema import Attribute, Group
from lib.sanitization.vaguer import VAGUER

TABLE = Path("prompts/sanitization/rules.yaml")
OTHER = "other"  # the kind of what no other kind fits
_NUMBER = re.compile(r"(?:_\d+)+$")


class Kind(BaseModel):
    """A kind of attribute; see ``prompts/sanitization/rules.yaml`` for its fields."""

    model_config = STRICT
    labels: list[Text] = []
    names: str | None = None
    values: str | None = None
    rank: Annotated[int, Field(ge=1)]
    how: Text
    vaguer: str | None = None
    text: Texts
    field: Text

    @cached_property
    def name_pattern(self) -> re.Pattern[str] | None:
        """Of ``names``."""
        return None if self.names is None else re.compile(self.names, re.IGNORECASE)

    @cached_property
    def value_pattern(self) -> re.Pattern[str] | None:
        """Of ``values``, which must fit the whole value."""
        return None if self.values is None else re.compile(self.values, re.IGNORECASE | re.DOTALL)


class Family(BaseModel):
    """Kinds whose pieces are written once where they stand side by side; "": as the first of them is."""

    model_config = STRICT
    kinds: list[Text]
    text: str


class Dropped(BaseModel):
    """What stands where something cannot be left out."""

    model_config = STRICT
    person: Text
    greeting: Text
    phrase: Text


class RuleTable(BaseModel):
    """The whole table."""

    model_config = STRICT
    kinds: dict[str, Kind]
    families: dict[str, Family]
    groups: dict[Text, list[Text]]
    roles: dict[Text, Text]
    person: Text
    others: Texts
    drop: Dropped

    def kind(self, attribute: Attribute) -> str:
        """The kind of an attribute: by its class, else the form of its value, else its name.

        Args:
            attribute: of a record.
        """
        return self._kind(attribute.label, _NUMBER.sub("", attribute.name), attribute.value)

    def _kind(self, label: str, name: str, value: str) -> str:
        if label in self._of_label:
            return self._of_label[label]
        for of, kind in self.kinds.items():
            if kind.value_pattern is not None and kind.value_pattern.fullmatch(value):
                return of
        return next(of for of, kind in self.kinds.items() if kind.name_pattern and kind.name_pattern.search(name))

    @cached_property
    def _of_label(self) -> dict[str, str]:
        return {label: of for of, kind in self.kinds.items() for label in kind.labels}

    @cached_property
    def family(self) -> dict[str, str]:
        """Kind -> its family; kinds that have none are absent."""
        return {kind: name for name, family in self.families.items() for kind in family.kinds}

    def grouped(self, attributes: Sequence[Attribute]) -> tuple[Group, ...]:
        """Attributes that nobody grouped, in the groups of the table by their kinds; those without any are left out.

        Args:
            attributes: of a record.
        """
        kinds = {one.name: self.kind(one) for one in attributes}
        held = {title: tuple(n for n, kind in kinds.items() if kind in of) for title, of in self.groups.items()}
        return tuple(Group(title, names) for title, names in held.items() if names)

    def role(self, told: Iterable[str]) -> str:
        """What the person of a record is called, without an article.

        Args:
            told: words that say what the record is about: its labels.
        """
        words = " ".join(told)
        return next(
            (role for role, pattern in self.roles.items() if re.search(rf"\b(?:{pattern})", words, re.IGNORECASE)),
            self.person,
        )


@cache
def table(path: Path = TABLE) -> RuleTable:
    """The table of a file.

    Args:
        path: of the file.

    Raises:
        DoppelError: ``pii.file_shape``, or ``sanitization.rules``: a class, a function or a pattern that there is not.
    """
    rules = checked(RuleTable, path)
    for name, kind in rules.kinds.items():
        for label in kind.labels:
            if label not in classes() and label not in slots():
                raise _wrong(path, f"kinds: {name}: no class is called {label}", label)
        if kind.vaguer is not None and kind.vaguer not in VAGUER:
            raise _wrong(path, f"kinds: {name}: vaguer is one of {', '.join(VAGUER)}", kind.vaguer)
    for pattern in [
        *rules.roles.values(),
        *(p for kind in rules.kinds.values() for p in (kind.names, kind.values) if p),
    ]:
        try:
            re.compile(pattern)
        except re.error:
            raise _wrong(path, "a pattern is no regular expression", pattern) from None
    if OTHER not in rules.kinds or rules.kinds[OTHER].names != ".*":
        raise _wrong(path, f"the last kind is {OTHER}, with names: .*", OTHER)
    return rules


def _wrong(path: Path, sentence: str, value: str) -> DoppelError:
    return DoppelError(
        "sanitization.rules",
        sentence,
        name=value,
        value=value,
        remedy="see prompts/sanitization/rules.yaml",
        where=path.as_posix(),
    )
