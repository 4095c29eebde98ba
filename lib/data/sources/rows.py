"""Rows of tables with all their columns: files of the user's own, and public tables that come with scikit-learn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.sources.columns import EVERY, Cells
from lib.data.sources.corpus import Corpus, SourceRequest, draw
from lib.data.sources.source_file import locate
from lib.data.sources.table_files import READERS

SKLEARN = "sklearn"
TABLES = {  # name -> function of sklearn.datasets, and its target
    "breast-cancer": ("load_breast_cancer", "diagnosis"),
    "wine": ("load_wine", "cultivar"),
    "iris": ("load_iris", "species"),
}
KINDS = (*READERS, SKLEARN)  # of sources that are tables


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table. Private.

    Attributes:
        cells: where each row is, and its cells by column; read once.
        name: what the table is called.
        files: the files that are read and may change.
    """

    cells: Iterator[Cells] = field(repr=False)
    name: str
    files: tuple[Path, ...] = ()


def read_rows(kind: str, argument: str) -> Rows:
    """Open a table.

    Args:
        kind: one of `KINDS`.
        argument: the path of a file, or the name of a table of `TABLES`.

    Raises:
        DoppelError: there is no such file or table; later, with the row, for what cannot be read.
    """
    if kind == SKLEARN:
        check_table(argument)
        return Rows(_public_rows(argument), argument)
    path = locate(argument, kind)
    return Rows(READERS[kind](path, EVERY), path.name, (path,))


def check_table(name: str) -> None:
    """Refuse a ``name`` that is no table of `TABLES`."""
    if name not in TABLES:
        raise DoppelError(
            "data.unknown_table", f"no table {name!r}", name="source", value=name, remedy=nearest(name, TABLES)
        )


def load_public_table(request: SourceRequest) -> Corpus:
    """The rows of a public table as records, whose text names every cell.

    Args:
        request: its ``argument`` is a table of `TABLES`.
    """
    rows = read_rows(SKLEARN, request.argument)
    records = (
        Record(f"{number:06d}", PrivateText(", ".join(f"{name}: {cell}" for name, cell in cells.items())), {})
        for number, (_, cells) in enumerate(rows.cells, 1)
    )
    kept, counts = draw(records, request)
    return Corpus(kept, [], request.argument, f"{counts} of scikit-learn's table {request.argument}")


def _public_rows(name: str) -> Iterator[Cells]:
    from sklearn import datasets

    function, target = TABLES[name]
    table = getattr(datasets, function)()
    names = [str(column).replace(" ", "_") for column in table.feature_names]
    for number, (numbers, code) in enumerate(zip(table.data.tolist(), table.target.tolist(), strict=True), 1):
        yield f"{name}, row {number}", dict(zip(names, numbers, strict=True)) | {target: str(table.target_names[code])}
