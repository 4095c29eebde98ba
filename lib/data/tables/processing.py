"""Rows of a source as records, and their split into train and test.

Unit: one record (a row), or one user. Neighbours: tables *as they are read* that differ by one row, or by all rows of
one user. Stability: whether a row is kept, what it becomes and on which side it stands depends on that row, or on the
rows of its user, alone. Rows are no set: two people may have equal rows, and each of them counts. So a row more adds
that row to train, or to test, and changes nothing else.

A row without a user is split by a hash of its content, so equal rows stand on one side. A refusal may depend on any
row; it comes before anything is released. The test set is for evaluation only; sizes are treated as public.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lib.common.errors import DoppelError
from lib.data.hash_order import rank
from lib.data.private_text import PrivateText
from lib.data.processing import Step, at_most, out_of_range, side_empty
from lib.data.records import Record, check_bound, check_users
from lib.data.sources.rows import Rows
from lib.data.tables.domain import Column, as_text, fit


@dataclass(frozen=True, slots=True)
class Processed:
    """The processed table.

    Attributes:
        train: the private rows to learn from, ordered by a hash of each.
        test: the private rows held out.
        steps: the rules in the order in which they ran.
    """

    train: list[Record] = field(repr=False)
    test: list[Record] = field(repr=False)
    steps: list[Step]


def process(
    rows: Rows,
    columns: Sequence[Column],
    *,
    label: str | None,
    user: str | None = None,
    max_records_per_user: int | None = None,
    test_fraction: float = 0.3,
    unit: str = "record",
    seed: int = 0,
) -> Processed:
    """Fit rows to the declared domain, bound what a user has, and split.

    Args:
        rows: of the source.
        columns: the declared domain.
        label: the category by which rows vote, and which evaluation predicts; None: there is none.
        user: the column that says whose a row is; None: nobody knows.
        max_records_per_user: most rows that a user keeps, at least 1, drawn by a hash; None does not bound them.
        test_fraction: the probability that a user, or a row without one, is held out, in (0, 1).
        unit: ``record`` or ``user``, the unit of the guarantee.
        seed: fixes all draws; none of them is a privacy mechanism.

    Returns:
        train and test set: records whose text is the row as JSON (`lib.data.tables.domain.as_text`).

    Raises:
        DoppelError: a row does not fit the domain, ``label`` is no category, a setting is out of its range, a bound
            for users with ``unit`` record, a row without a user with ``unit`` user, or no row on one side.
    """
    if not 0 < test_fraction < 1:
        raise out_of_range("test_fraction", test_fraction, "lie between 0 and 1")
    check_label(columns, label)
    check_bound(max_records_per_user, unit)
    records = []
    for number, (where, cells) in enumerate(rows.cells, 1):
        row = fit(cells, columns, where)
        owner = None if user is None else str(cells.get(user) or "").strip() or None
        labels = {} if label is None else {label: str(row[label])}
        records.append(Record(f"{number:06d}", PrivateText(as_text(row)), labels, owner))
    check_users(records, unit)
    records.sort(key=lambda record: (rank(seed, "keep", record.content), record.id))
    steps = [Step("read, within the declared domain", len(records), 0)]
    if max_records_per_user is not None:
        kept = at_most(max_records_per_user, (record.owner for record in records))
        left = [record for record, keep in zip(records, kept, strict=True) if keep]
        steps.append(Step(f"at most {max_records_per_user} rows a user", len(left), len(records) - len(left)))
        records = left
    sides: tuple[list[Record], list[Record]] = [], []
    for record in records:
        name = record.text.reveal() if record.user is None else record.user
        sides[rank(seed, "split", name) < test_fraction * 2**64].append(record)
    if not all(sides):
        raise side_empty("test" if sides[0] else "train", test_fraction, steps)
    return Processed(*sides, steps)


def check_label(columns: Sequence[Column], label: str | None) -> None:
    """Refuse a label that is no declared category, or that may be missing.

    Args:
        columns: the declared domain.
        label: name of a column, or None.
    """
    if label is None:
        return
    found = next((column for column in columns if column.name == label), None)
    if found is None or found.is_number or found.missing:
        raise DoppelError(
            "data.label_no_category",
            f"label = {label!r} is no declared category whose cells are all filled",
            name="label",
            value=label,
            remedy="declare its values as a list, or set label: null",
        )
