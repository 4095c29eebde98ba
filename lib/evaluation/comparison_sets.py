"""The sets that are compared: every arm, the held-out records that all are measured against, and the ceiling."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation.estimate import LEAST, matched_rows
from lib.evaluation.views import CEILING
from lib.models.encoders import Encoder, Progress, embed_private

REFERENCE = "held-out"  # the held-out records; no arm may have this name


@dataclass(frozen=True)
class Sides:
    """Records of the arms, of `REFERENCE` and of `CEILING`. Private: real text is in it.

    The reference is held out: no arm saw it, so an arm that copies its training records gains nothing that the
    training records themselves, which are the ceiling, do not have. ``sizes`` says how many records each arm had.
    """

    records: Mapping[str, Sequence[Record]]
    sizes: Mapping[str, int]

    @property
    def n(self) -> int:
        """Records of each set that is large enough to be matched."""
        return min(len(some) for some in self.records.values() if len(some) >= LEAST)

    @property
    def arms(self) -> list[str]:
        return list(self.sizes)

    @property
    def measured(self) -> list[str]:
        """The sets that are measured against the reference: the arms and the ceiling."""
        return [*self.sizes, CEILING]

    def rows(self, *, seed: int, share: float = 1.0) -> dict[str, np.ndarray]:
        """Which records of each set are compared, sorted: ``share`` of n, drawn at random; of a small arm, all."""
        large = {name: len(some) for name, some in self.records.items() if len(some) >= LEAST}
        drawn = matched_rows(large, seed=seed)
        kept = max(LEAST, round(self.n * share))
        if kept < self.n:
            parts = np.random.default_rng([seed, kept])
            drawn = {name: np.sort(parts.permutation(rows)[:kept]) for name, rows in drawn.items()}
        return {name: drawn.get(name, np.arange(len(some))) for name, some in self.records.items()}

    def texts(self, name: str, rows: np.ndarray | None = None) -> list[str]:
        """Plain texts of a set, private ones too: for metrics alone."""
        some = self.records[name]
        return [some[i].text.reveal() for i in (range(len(some)) if rows is None else rows)]

    def labels(self, name: str, label: str, rows: np.ndarray) -> list[str]:
        """One label's values; a record without it counts as a value of its own, ''."""
        return [self.records[name][i].labels.get(label, "") for i in rows]

    def label_shares(self, label: str, rows: Mapping[str, np.ndarray], values: Sequence[str]) -> dict[str, np.ndarray]:
        """Share of each of a label's ``values`` in every set, (values,), by set."""
        found = {name: np.array(self.labels(name, label, some)) for name, some in rows.items()}
        return {name: np.array([(one == value).mean() for value in values]) for name, one in found.items()}

    def embedded(self, encoder: Encoder, progress: Progress = lambda done: None) -> dict[str, np.ndarray]:
        """Vectors (records, width) of every set; those of the real sets are kept on the disk for the next run."""
        private: dict[str, list[PrivateText]] = {
            name: [record.text for record in self.records[name]] for name in (REFERENCE, CEILING)
        }
        found = {name: embed_private(encoder, some, progress=progress) for name, some in private.items()}
        return {name: encoder.encode(self.texts(name), progress) for name in self.arms} | found


def matched_sides(
    arms: Mapping[str, Sequence[Record]],
    train: Sequence[Record],
    held_out: Sequence[Record],
    *,
    most: int,
    seed: int,
) -> Sides:
    """The sets to compare, each at most ``most`` records.

    The smallest set bounds n, but for arms of fewer than `LEAST` records: they are kept whole, and their metrics
    will say why they are not defined. Of the held-out records twice n are kept, so that another seed draws others.
    Raises DoppelError for a name that is taken, and where real records are too few.
    """
    for name in arms:
        if name in (REFERENCE, CEILING):
            raise DoppelError(f"an arm is named {name!r}, which stands for real records; rename it in inputs")
    if not arms:
        raise DoppelError("there is no arm to compare; name one in inputs")
    for name, some in (("train.jsonl", train), ("test.jsonl", held_out)):
        if len(some) < LEAST:
            raise DoppelError(f"{name} of the corpus has {len(some)} records, a comparison needs {LEAST}; add records")
    sizes = {name: len(some) for name, some in arms.items()}
    n = min([most, len(train), len(held_out), *(size for size in sizes.values() if size >= LEAST)])
    wanted = {**dict.fromkeys(arms, most), REFERENCE: min(most, 2 * n), CEILING: n}
    drawn = {}
    for number, (name, some) in enumerate({**arms, REFERENCE: held_out, CEILING: train}.items()):
        rows = np.random.default_rng([seed, number]).permutation(len(some))[: wanted[name]]
        drawn[name] = [some[i] for i in np.sort(rows)]
    return Sides(drawn, sizes)


def check_independent(encoder: str, arms: Mapping[str, Path]) -> str:
    """The name of the encoder that carries the comparison, refused where an arm was selected in its space.

    ``arms`` are the arms' folders by name.
    """
    for name, folder in arms.items():
        votes_with = yaml.safe_load((folder / "params.yaml").read_text("utf-8")).get("encoder")
        if votes_with == encoder:
            raise DoppelError(
                f"encoder = {encoder!r}: arm {name!r} was selected in its space, so its distances there flatter it; "
                "name another, as hidden:bundled:smollm2-135m-instruct, and this one as voting_encoder"
            )
    return encoder


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


def matched_sets(
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
