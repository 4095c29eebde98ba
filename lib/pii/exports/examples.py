"""A labelled text on its way to a file or from one, and what readers of several formats share."""

import json
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from lib.common.errors import DoppelError
from lib.common.files import read_bounded, write_atomic
from lib.pii.slots import check_characters
from lib.pii.spans import Filled

LARGEST = 2**31  # bytes of a file that is read whole


class Example(NamedTuple):
    """A labelled text.

    Attributes:
        id: different for each text of a set.
        language: a code, ``en``; empty where a file does not say.
        filled: the text and its spans.
        template: id of what it was made from, so that no template is in two folds; empty where a file does not say.
    """

    id: str
    language: str
    filled: Filled
    template: str = ""


class Fields(BaseModel):
    """Base of what a reader expects of a row. Strict types; other keys are ignored, for files of others have more."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    @field_validator("*")
    @classmethod
    def _characters(cls, value: Any) -> Any:
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, str):
                try:
                    check_characters(text)
                except DoppelError as error:
                    raise ValueError(error.sentence) from None
        return value


Row = TypeVar("Row", bound=Fields)


def checked(fields: type[Row], row: object, where: str) -> Row:
    """A decoded row as its fields.

    Whether spans fit their text is not looked at here: `lib.pii.spans.problems` counts it, in files of others too.

    Args:
        fields: what is expected.
        row: a decoded JSON value.
        where: file and line or number, for the refusal.

    Raises:
        DoppelError: ``pii.export_field`` with the first field that is missing, of another type, or text with half a
            surrogate pair. No value is quoted.
    """
    try:
        return fields.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = ".".join(map(str, first["loc"])) or "the row"
        raise DoppelError(
            "pii.export_field",
            f"{name}: {first['msg']}",
            name=name,
            value=first["type"],
            remedy="write the file again in its format",
            where=where,
        ) from None


def read_array(path: Path) -> list[tuple[str, Any]]:
    """The values of a JSON array, each with where it stands (``FILE, item 3``).

    Args:
        path: a file of at most `LARGEST` bytes.

    Raises:
        DoppelError: it is missing or too large, or ``pii.export_array`` where it is no JSON array. Nothing is quoted.
    """
    try:
        values = json.loads(read_bounded(path, LARGEST))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list):
        raise DoppelError(
            "pii.export_array", "not a JSON array", remedy="write it again in its format", where=str(path)
        )
    return [(f"{path}, item {number}", value) for number, value in enumerate(values, 1)]


def write_array(path: Path, values: list[Any]) -> None:
    """Write a JSON array, a value a line, whole or not at all.

    Args:
        path: the file.
        values: JSON values.
    """
    lines = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    write_atomic(path, f"[\n{lines}\n]\n")
