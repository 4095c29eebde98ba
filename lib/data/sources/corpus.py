"""What loaders are given and give back, and a draw of records that looks at each of them, or its user, alone."""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.common.paths import DATA
from lib.data.hash_order import rank
from lib.data.records import Domain, Record, fit_labels
from lib.data.shelf import Shelf

FIELDS = ("text", "user", "id")  # of a record; a label is written labels.NAME
Columns = Mapping[str, str] | None  # field -> column


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What a loader is asked for: a parsed source, and the settings of `lib.data.sources.load`.

    Attributes:
        kind: what stands before the colon, a key of `lib.data.sources.SOURCES`.
        argument: what stands behind it, or an empty string.
        columns: field of a record -> column; None for columns that bear the fields' names.
        share: the probability that a record, or a user, is read, in (0, 1].
        unit: what is drawn, ``record`` or ``user``.
        seed: fixes the draw.
        label_domain: the declared values of each label, as which the records' labels are read.
        root: the data folder.
        default_path: the file to read where the argument names none; None where the source has none.
    """

    kind: str
    argument: str = ""
    columns: Columns = None
    share: float = 1.0
    unit: str = "record"
    seed: int = 0
    label_domain: Domain = field(default_factory=dict)
    root: Path = DATA
    default_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Corpus:
    """Private records, and the public label values that may be declared beside them.

    Attributes:
        records: the private records.
        catalogue: rows of label values from a public catalogue (product metadata, never the records); empty where
            there is none.
        name: what the corpus is called.
        note: a sentence on what was read.
        files: the files that were read and may change; a stage registers them with `lib.stage.stage.Stage.uses`.
            Doppel's own assets are not among them, since their content is pinned by a hash.
    """

    records: Sequence[Record] = field(repr=False)
    catalogue: list[dict[str, str]] = field(repr=False)
    name: str
    note: str
    files: tuple[Path, ...] = ()


def draw(
    records: Iterable[Record], request: SourceRequest, keep: Callable[[Iterable[Record]], Sequence[Record]] = Shelf
) -> tuple[Sequence[Record], str]:
    """Keep the records whose hash lies below the share, in one pass.

    The hash is of the record's content, or of its user where users are drawn. So one record, or one user, that the
    source has more changes nothing about whether another is kept; a fixed number of records could not be drawn so.

    Args:
        records: all records of the source, in any order.
        request: with ``share``, ``unit`` and ``seed`` of the draw, and the label domain, by which no record is drawn.
        keep: makes a sequence of them.

    Returns:
        the records, their labels as they are declared, and how many they are: ``20 of 200 records``.

    Raises:
        DoppelError: for a source without a record, and a share so small that none was drawn.
    """
    counter = itertools.count()
    counted = (record for record, _ in zip(records, counter, strict=False))  # stops before it counts one too many
    drawn = (record for record in counted if request.share == 1 or _hash(record, request) < request.share * 2**64)
    kept = keep(fit_labels(drawn, request.label_domain))
    total = next(counter)
    check_drawn(len(kept), total, request)
    return kept, f"{len(kept):,} of {total:,} records"


def _hash(record: Record, request: SourceRequest) -> int:
    whole_user = request.unit == "user" and record.user is not None
    return rank(request.seed, "share", record.user if whole_user else record.content)


def check_drawn(kept: int, total: int, request: SourceRequest) -> None:
    """Refuse a source without a record, and a ``request`` that drew none: ``kept`` of ``total`` records."""
    if not total:
        raise DoppelError(
            "data.no_record",
            "the source holds no record",
            name="source",
            value=request.kind,
            remedy="name one that has at least one row",
            where=request.argument or request.kind,
        )
    if not kept:
        raise DoppelError(
            "data.none_drawn",
            f"share = {request.share}: none of {total:,} records was drawn",
            name="share",
            value=request.share,
            remedy="raise share",
        )


def check_fields(columns: Columns) -> None:
    """Refuse a key of ``columns`` that is not a field of a record."""
    for name in columns or {}:
        if name not in FIELDS and not re.fullmatch(r"labels\..+", name):
            raise DoppelError(
                "data.unknown_field",
                f"columns: {name!r} is not a field of a record",
                name="columns",
                value=name,
                remedy=f"{nearest(name, [*FIELDS, 'labels.NAME'])}; a label is written labels.{name}",
            )
