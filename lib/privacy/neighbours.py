"""The unit of a guarantee, what its corpus is made of, and what a neighbour adds or removes, in words."""

from typing import Literal

Unit = Literal["record", "user", "none"]
Records = Literal["texts", "pictures", "rows"]
NO_UNIT: Unit = "none"  # of a ledger without a corpus: there is nobody to protect
NEIGHBOURS = {
    "record": "add or remove one record (one {piece} of {file})",
    "user": "add or remove one user (all of the user's {piece}s of {file})",
}
HELD = {  # by what a corpus is made of: a piece of the file whose records train, or vote
    "texts": {"piece": "line", "file": "train.jsonl"},
    "pictures": {"piece": "picture", "file": "train.parquet"},
    "rows": {"piece": "row", "file": "train.jsonl"},
}


def neighbours(unit: str, records: Records = "texts") -> str:
    """What a neighbour adds or removes.

    Args:
        unit: that a ledger may have.
        records: what its corpus is made of, a key of `HELD`.
    """
    return "no private record was read" if unit == NO_UNIT else NEIGHBOURS[unit].format(**HELD[records])


def held(unit: str, said: object) -> Records:
    """What a corpus is made of, by what a statement says of its neighbours.

    Args:
        unit: that a ledger may have.
        said: what `neighbours` gave; where it is anything else, texts.
    """
    return next((records for records in HELD if neighbours(unit, records) == said), "texts")
