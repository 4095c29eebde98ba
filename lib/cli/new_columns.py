"""Which column of a user's file holds what, by the options of ``./run_all.sh new`` and by answers."""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lib.cli.dialog import NONE, Dialog
from lib.common.errors import DoppelError, nearest

if TYPE_CHECKING:
    from lib.data.sources.survey import Column

LEAST_IN_A_CELL = 20  # records for each combination of labels: with fewer, counts are mostly noise


def choose_columns(
    columns: Sequence["Column"], options: argparse.Namespace, declared: Mapping[str, list[str]], dialog: Dialog
) -> dict[str, str]:
    """Field -> column, as `lib.data.sources.load` takes it.

    Args:
        columns: of the file.
        options: of the command line; ``text``, ``label``, ``no_labels`` and ``user`` are read.
        declared: labels whose values are given. One that ``label`` does not name is read from the column of its name.
        dialog: asks for what no option says.

    Raises:
        DoppelError: no such column, one that is read as two things, a name that a label cannot have.
    """
    from lib.data.sources.survey import guess_labels, guess_text, guess_user

    def column(given: str) -> str:
        return _column(given, columns)

    def user(given: str) -> str | None:
        return None if given == NONE else column(given)

    def chosen(given: str) -> dict[str, str]:
        return {} if given == NONE else _labels([part.strip() for part in given.split(",")], columns)

    _print_columns(columns)
    text = column(options.text) if options.text else dialog.ask("column of the text", guess_text(columns), column)
    if options.label or declared or options.no_labels:
        labels = _labels(options.label or [], columns)
        labels |= _labels([f"{name}={name}" for name in declared if name not in labels], columns)
    else:
        guess = guess_labels(columns, (text,), columns[0].rows / LEAST_IN_A_CELL)
        question = f"columns of labels, as COLUMN or NAME=COLUMN, with commas between; {NONE}: none"
        labels = dialog.ask(question, ",".join(_reference(name, columns) for name in guess) or NONE, chosen)
    if options.user:
        who = user(options.user)
    else:
        who = dialog.ask(f"column of who wrote a record; {NONE}: not known", guess_user(columns) or NONE, user)
    fields = {"text": text, **{f"labels.{name}": source for name, source in labels.items()}}
    fields |= {"user": who} if who else {}
    print("read as " + ", ".join(f"{field}: {_shown(source)}" for field, source in fields.items()))
    if twice := [name for name in fields.values() if list(fields.values()).count(name) > 1]:
        raise DoppelError(
            "cli.column_twice",
            f"column {_shown(twice[0])!r} is read as two things",
            name=twice[0],
            remedy="name another column for one of them",
        )
    return fields


def _print_columns(columns: Sequence["Column"]) -> None:
    print("the columns (their texts are never shown):")
    width = max(len(_shown(column.name)) for column in columns)
    for number, column in enumerate(columns, 1):
        if not column.is_plain:
            holds = "lists or objects"
        elif column.has_many:
            holds = f"about {column.length:.0f} characters a value"
        else:
            holds = f"{len(column.values)} different values" + (", some are missing" if column.empty else "")
        print(f"  {number:>2}  {_shown(column.name):<{width}}  {holds}")


def _shown(name: str) -> str:
    from lib.common.printable import printable

    return printable(name, 40)


def _column(given: str, columns: Sequence["Column"]) -> str:
    """The name of the column that is meant by its name or number."""
    names = [column.name for column in columns]
    if given in names:
        return given
    if given.isdecimal() and 0 < int(given) <= len(names):
        return names[int(given) - 1]
    raise DoppelError(
        "cli.no_such_column",
        f"no column {_shown(given)!r}, or it is there twice",
        name=given,
        remedy=nearest(given, map(_shown, names)),
    )


def _labels(given: Sequence[str], columns: Sequence["Column"]) -> dict[str, str]:
    """Label name -> column, of labels as ``NAME=COLUMN`` or ``COLUMN``."""
    found: dict[str, str] = {}
    for name, source in map(label_of, given):
        column = _column(source, columns)
        name = name or _label_name(column)
        if not name.isidentifier() or name == "text" or name in found:
            raise DoppelError(
                "cli.label_name",
                f"{_shown(name)!r} is no name for a label, or is there twice",
                name=name,
                remedy="write NAME=COLUMN, with a NAME of letters, digits and '_' that is not text",
            )
        found[name] = column
    return found


def _label_name(column: str) -> str:
    """A name for the label of a column that can stand in a prompt."""
    name = re.sub(r"\W+", "_", column).strip("_")
    return name if name.isidentifier() and name != "text" else f"label_{name}"


def _reference(name: str, columns: Sequence["Column"]) -> str:
    """How a column is named in an answer: by its number where its name would be read as another thing."""
    clear = name.strip() and not re.search("[,=]", name) and name != NONE
    return name if clear else str([column.name for column in columns].index(name) + 1)


def label_of(given: str) -> tuple[str, str]:
    """The name, empty where none is given, and the column of a label.

    Args:
        given: ``NAME=COLUMN`` or ``COLUMN``.
    """
    name, equals, column = given.partition("=")
    return (name.strip(), column.strip()) if equals else ("", given.strip())


def declared_label(given: str) -> tuple[str, list[str]]:
    """The name and the values of a label that is declared.

    Args:
        given: ``NAME=A,B,C``.

    Raises:
        DoppelError: it is written in another way.
    """
    name, equals, values = given.partition("=")
    listed = [value.strip() for value in values.split(",")]
    if not equals or not all(listed) or not name.strip():
        raise DoppelError(
            "cli.labels_form", f"--labels {_shown(given)}: not NAME=A,B,C", name="--labels", remedy="write it so"
        )
    return name.strip(), listed
