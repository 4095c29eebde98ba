"""The texts that are compared: every arm and two real sets of the same size, and the held-out records that judge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.errors import DoppelError
from lib.fidelity.metric import LEAST
from lib.records import Record

REAL, REAL_AGAIN, HELD_OUT = "real", "real again", "held-out"  # names that no arm may have


@dataclass(frozen=True)
class Sets:
    """One pool of texts, and which of its rows belong to which set. Private: real text is in it.

    ``rows`` has every arm, `REAL` (the ceiling) and `REAL_AGAIN`, drawn from the training records without overlap, all
    of size ``n``; and `HELD_OUT`, in random order. ``sizes`` says how many records each arm had.
    """

    texts: list[str]
    labels: list[Mapping[str, str]]
    rows: dict[str, np.ndarray]
    sizes: dict[str, int]

    @property
    def n(self) -> int:
        return len(self.rows[REAL])

    @property
    def arms(self) -> list[str]:
        return list(self.sizes)

    def halved(self) -> "Sets":
        """The same sets with half of the records of each, the same held-out ones judging."""
        half = {name: rows if name == HELD_OUT else rows[: self.n // 2] for name, rows in self.rows.items()}
        return replace(self, rows=half)

    def judged_by(self, most: int) -> "Sets":
        """The same sets with at most so many held-out records."""
        if most < LEAST:
            raise DoppelError(f"{most} held-out records were to judge, an interval needs {LEAST}; name more")
        return replace(self, rows=self.rows | {HELD_OUT: self.rows[HELD_OUT][:most]})

    def encoded(self, encode: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        """Vectors of all texts but those of `REAL_AGAIN`, which no embedding is asked of: they are 0; (texts, d)."""
        rows = np.sort(np.concatenate([rows for name, rows in self.rows.items() if name != REAL_AGAIN]))
        found = encode([self.texts[i] for i in rows])
        vectors = np.zeros((len(self.texts), found.shape[1]), found.dtype)
        vectors[rows] = found
        return vectors

    def codes(self, label: str) -> tuple[np.ndarray, list[str]]:
        """The label of every text as a number, -1 where it has none, (texts,), and the values they stand for.

        Raises DoppelError where a held-out record has none.
        """
        values = sorted({one[label] for one in self.labels if label in one})
        number = {value: code for code, value in enumerate(values)}
        codes = np.array([number.get(one.get(label), -1) for one in self.labels])
        if missing := int((codes[self.rows[HELD_OUT]] < 0).sum()):
            raise DoppelError(
                f"label {label!r}: {missing} of {len(self.rows[HELD_OUT])} held-out records do not have it; "
                "name other labels"
            )
        return codes, values


def matched(
    arms: Mapping[str, Sequence[Record]],
    train: Sequence[Record],
    held_out: Sequence[Record],
    *,
    most: int,
    evaluate: int,
    seed: int,
) -> Sets:
    """Equally many records of every arm and of two halves of ``train``, at most ``most``; ``evaluate`` held-out ones.

    Raises DoppelError for a name that is taken, and for a set too small for an interval.
    """
    for name in arms:
        if name in (REAL, REAL_AGAIN, HELD_OUT):
            raise DoppelError(f"an arm is named {name!r}, which stands for real records; rename it in inputs")
    if not arms:
        raise DoppelError("there is no arm to compare; name one in inputs")
    available = {**{name: len(rows) for name, rows in arms.items()}, "half of train": len(train) // 2}
    for name, size in {**available, HELD_OUT: len(held_out)}.items():
        if size < LEAST:
            raise DoppelError(f"{name!r} has {size} records, a comparison needs {LEAST}; add records, or leave it out")
    n = min(*available.values(), most)
    wanted = {**dict.fromkeys(arms, n), "train": 2 * n, HELD_OUT: min(len(held_out), evaluate)}
    pool: list[Record] = []
    rows: dict[str, np.ndarray] = {}
    for number, (name, records) in enumerate({**arms, "train": train, HELD_OUT: held_out}.items()):
        drawn = np.random.default_rng([seed, number]).permutation(len(records))[: wanted[name]]
        rows[name] = np.arange(len(pool), len(pool) + len(drawn))
        pool += [records[i] for i in drawn]
    rows[REAL], rows[REAL_AGAIN] = np.split(rows.pop("train"), 2)
    sizes = {name: len(records) for name, records in arms.items()}
    return Sets([record.text.reveal() for record in pool], [record.labels for record in pool], rows, sizes)
