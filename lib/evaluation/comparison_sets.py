"""The sets that are compared: `Sides` for fidelity, `Sets` for utility. Both hold real text: *evaluation only*."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lib.common.errors import DoppelError
from lib.data.images.decoding import read_pixels
from lib.data.images.private_image import ImageRecord
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation.estimate import MIN_RECORDS, matched_rows, too_few_records
from lib.evaluation.views import CEILING
from lib.models.encoders import Encoder, Progress, embed_private
from lib.stage.original import parameters as parameters_of

# Names that no arm may have.
REFERENCE = "held-out"  # in `Sides`: the held-out records
REAL, REAL_AGAIN, HELD_OUT = "real", "real again", "held-out"  # in `Sets`: two halves of train, and held-out records


@dataclass(frozen=True)
class Sides:
    """Records of the arms, of `REFERENCE` and of `CEILING`. Private: real text is in it.

    The reference is held out: no arm saw it, so an arm that copies its training records gains nothing over the ceiling,
    which is those training records themselves.

    Args:
        records: by set.
        sizes: how many records each arm had.
    """

    records: Mapping[str, Sequence[Record]]
    sizes: Mapping[str, int]

    @property
    def n(self) -> int:
        """Records of each set that is large enough to be matched."""
        return min(len(records) for records in self.records.values() if len(records) >= MIN_RECORDS)

    @property
    def arms(self) -> list[str]:
        """Names of the arms."""
        return list(self.sizes)

    @property
    def measured(self) -> list[str]:
        """The sets that are measured against the reference: the arms and the ceiling."""
        return [*self.sizes, CEILING]

    def rows(self, *, seed: int, share: float = 1.0) -> dict[str, np.ndarray]:
        """Which records of each set are compared, sorted; of an arm that is too small to be matched, all.

        Args:
            seed: of the draw.
            share: of n, in (0, 1]; at least `MIN_RECORDS` records are kept.
        """
        large = {name: len(records) for name, records in self.records.items() if len(records) >= MIN_RECORDS}
        drawn = matched_rows(large, seed=seed)
        kept = max(MIN_RECORDS, round(self.n * share))
        if kept < self.n:
            rng = np.random.default_rng([seed, kept])
            drawn = {name: np.sort(rng.permutation(rows)[:kept]) for name, rows in drawn.items()}
        return {name: drawn.get(name, np.arange(len(records))) for name, records in self.records.items()}

    @property
    def of_texts(self) -> bool:
        """Whether the records are texts, and not pictures."""
        return all(isinstance(record, Record) for records in self.records.values() for record in records[:1])

    def texts(self, name: str, rows: np.ndarray | None = None) -> list[str]:
        """Plain texts of the set ``name``, private ones too, for metrics alone: those of ``rows``, or all."""
        records = self.records[name]
        return [records[i].text.reveal() for i in (range(len(records)) if rows is None else rows)]

    def labels(self, name: str, label: str, rows: np.ndarray) -> list[str]:
        """The values of ``label`` in the ``rows`` of the set ``name``; a record without it has the value ''."""
        return [self.records[name][i].labels.get(label, "") for i in rows]

    def label_shares(self, label: str, rows: Mapping[str, np.ndarray], values: Sequence[str]) -> dict[str, np.ndarray]:
        """Share of each of a label's values in every set, (values,), by set.

        Args:
            label: name of the label.
            rows: the records that count, by set.
            values: the label's values.
        """
        labels = {name: np.array(self.labels(name, label, chosen)) for name, chosen in rows.items()}
        return {name: np.array([(own == value).mean() for value in values]) for name, own in labels.items()}

    def embedded(self, encoder: Encoder, progress: Progress = lambda done: None) -> dict[str, np.ndarray]:
        """Vectors (records, width) of every set; those of the real sets are kept on disk for the next run.

        Args:
            encoder: embeds texts.
            progress: called with the number of texts that are done.
        """
        private: dict[str, list[PrivateText]] = {
            name: [record.text for record in self.records[name]] for name in (REFERENCE, CEILING)
        }
        real = {name: embed_private(encoder, texts, progress=progress) for name, texts in private.items()}
        return {name: encoder.encode(self.texts(name), progress) for name in self.arms} | real


def matched_sides(
    arms: Mapping[str, Sequence[Record]],
    train: Sequence[Record],
    held_out: Sequence[Record],
    *,
    most: int,
    seed: int,
) -> Sides:
    """The sets to compare.

    The smallest set bounds n; but an arm of fewer than `MIN_RECORDS` records is kept whole, and its metrics will say
    why they are not defined. Of the held-out records 2 n are kept, so that another seed draws others.

    Args:
        arms: records of each arm.
        train: training records of the corpus: the ceiling.
        held_out: held-out records of the corpus: the reference.
        most: records of each set, at most.
        seed: of the draw.

    Raises:
        DoppelError: there is no arm, an arm has a name that is taken, or there are too few real records.
    """
    _check_arms(arms, taken=(REFERENCE, CEILING))
    for name, records in (("train.jsonl", train), ("test.jsonl", held_out)):
        if len(records) < MIN_RECORDS:
            raise DoppelError(
                "evaluation.too_few_real_records",
                f"{name} of the corpus has {len(records)} records, a comparison needs {MIN_RECORDS}",
                name=name,
                value=len(records),
                remedy="add records",
            )
    sizes = {name: len(records) for name, records in arms.items()}
    n = min([most, len(train), len(held_out), *(size for size in sizes.values() if size >= MIN_RECORDS)])
    wanted = {**dict.fromkeys(arms, most), REFERENCE: min(most, 2 * n), CEILING: n}
    drawn = {}
    for number, (name, records) in enumerate({**arms, REFERENCE: held_out, CEILING: train}.items()):
        rows = np.random.default_rng([seed, number]).permutation(len(records))[: wanted[name]]
        drawn[name] = [records[i] for i in np.sort(rows)]
    return Sides(drawn, sizes)


def check_independent(encoder: str, arms: Mapping[str, Path]) -> str:
    """The name of the encoder that carries the comparison, refused where an arm was selected in its space.

    Args:
        encoder: name of the encoder.
        arms: folder of each arm.

    Raises:
        DoppelError: the parameters of an arm name the same encoder.
    """
    for name, folder in arms.items():
        votes_with = parameters_of(folder).get("encoder")
        if votes_with == encoder:
            raise DoppelError(
                "evaluation.encoder_not_independent",
                f"encoder = {encoder!r}: arm {name!r} was selected in its space, so its distances there flatter it",
                name="encoder",
                value=encoder,
                remedy="name another, such as hidden:bundled:smollm2-135m-instruct, and this one as voting_encoder",
            )
    return encoder


@dataclass(frozen=True)
class Sets:
    """One pool of texts, or of pictures, and which of its rows belong to which set. Private: real text is in it.

    Args:
        texts: of the pool: all records of the arms, of train and of the held-out ones; of pictures their pixels, uint8.
        labels: of each text, by name.
        rows: by set: every arm, `REAL` (the ceiling) and `REAL_AGAIN`, drawn from the training records without
            overlap, all of size n; and `HELD_OUT`, in random order.
        sizes: how many records each arm had.
        whole: all rows of every arm, and of the training records as `REAL`, in random order; those of ``rows`` are the
            first ones.
    """

    texts: list[Any]
    labels: list[Mapping[str, str]]
    rows: dict[str, np.ndarray]
    sizes: dict[str, int]
    whole: dict[str, np.ndarray]

    @property
    def n(self) -> int:
        """Records of each set that models are trained on."""
        return len(self.rows[REAL])

    @property
    def arms(self) -> list[str]:
        """Names of the arms."""
        return list(self.sizes)

    def halved(self) -> "Sets":
        """The same sets with half of the records of each; the held-out records stay the same."""
        half = {name: rows if name == HELD_OUT else rows[: self.n // 2] for name, rows in self.rows.items()}
        return replace(self, rows=half)

    def judged_by(self, most: int) -> "Sets":
        """The same sets with at most ``most`` held-out records.

        Raises:
            DoppelError: ``most`` is below `MIN_RECORDS`.
        """
        if most < MIN_RECORDS:
            raise DoppelError(
                "evaluation.too_few_judges",
                f"{most} held-out records are to judge, an interval needs {MIN_RECORDS}",
                name=HELD_OUT,
                value=most,
                remedy="allow more",
            )
        return replace(self, rows=self.rows | {HELD_OUT: self.rows[HELD_OUT][:most]})

    def embedded(self, encoder: Encoder) -> np.ndarray:
        """Vectors of the whole pool, (texts, width); those of the real texts are kept on disk for the next run.

        Args:
            encoder: embeds texts.
        """
        real = min(self.whole[REAL])  # the pool begins with the arms; train and held-out records follow
        private = [PrivateText(text) for text in self.texts[real:]]
        train = len(self.whole[REAL])  # alone on disk, as private evolution votes with them in the same order
        sides = [embed_private(encoder, side) for side in (private[:train], private[train:])]
        return np.concatenate([encoder.encode(self.texts[:real]), *sides])

    def encoded(self, encode: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        """Vectors of the texts in ``rows``, (texts, d); the others', and those of `REAL_AGAIN`, which no metric needs,
        stay 0.

        Args:
            encode: returns the vectors (n, d) of n texts.
        """
        rows = np.sort(np.concatenate([rows for name, rows in self.rows.items() if name != REAL_AGAIN]))
        made = encode([self.texts[i] for i in rows])
        vectors = np.zeros((len(self.texts), made.shape[1]), made.dtype)
        vectors[rows] = made
        return vectors

    def codes(self, label: str) -> tuple[np.ndarray, list[str]]:
        """The ``label`` of every text as a number, -1 where it has none, (texts,), and the values they stand for.

        Raises:
            DoppelError: a held-out record does not have the label.
        """
        values = sorted({labels[label] for labels in self.labels if label in labels})
        number = {value: code for code, value in enumerate(values)}
        codes = np.array([number.get(labels.get(label), -1) for labels in self.labels])
        if missing := int((codes[self.rows[HELD_OUT]] < 0).sum()):
            raise DoppelError(
                "evaluation.label_missing",
                f"label {label!r}: {missing} of {len(self.rows[HELD_OUT])} held-out records do not have it",
                name=label,
                value=missing,
                remedy="name other labels",
            )
        return codes, values


def matched_sets(
    arms: Mapping[str, Sequence[Record]],
    train: Sequence[Record],
    held_out: Sequence[Record],
    *,
    most: int,
    evaluate: int | None,
    seed: int,
) -> Sets:
    """Equally many records of every arm and of two halves of the training records, and held-out records.

    Args:
        arms: records of each arm.
        train: training records of the corpus.
        held_out: held-out records of the corpus.
        most: records of each set, at most.
        evaluate: held-out records, at most; None takes all.
        seed: of the draw.

    Raises:
        DoppelError: there is no arm, an arm has a name that is taken, or a set is too small for an interval.
    """
    _check_arms(arms, taken=(REAL, REAL_AGAIN, HELD_OUT))
    available = {**{name: len(records) for name, records in arms.items()}, "half of train": len(train) // 2}
    for name, size in {**available, HELD_OUT: len(held_out)}.items():
        if size < MIN_RECORDS:
            raise too_few_records(name, size)
    n = min(*available.values(), most)
    pool: list[Record] = []
    whole: dict[str, np.ndarray] = {}
    for number, (name, records) in enumerate({**arms, REAL: train, HELD_OUT: held_out}.items()):
        whole[name] = len(pool) + np.random.default_rng([seed, number]).permutation(len(records))
        pool += records
    judges = whole.pop(HELD_OUT)[:evaluate]
    rows = {name: drawn[:n] for name, drawn in whole.items()}
    rows |= {REAL_AGAIN: whole[REAL][n : 2 * n], HELD_OUT: judges}
    texts, labels = [*map(_revealed, pool)], [record.labels for record in pool]
    return Sets(texts, labels, rows, {name: len(records) for name, records in arms.items()}, whole)


def _revealed(record: Record | ImageRecord) -> Any:
    """The text of a record, or its pixels."""
    return record.text.reveal() if isinstance(record, Record) else read_pixels(record.image.reveal())


def _check_arms(arms: Collection[str], *, taken: Collection[str]) -> None:
    for name in arms:
        if name in taken:
            raise DoppelError(
                "evaluation.arm_name_taken",
                f"an arm is named {name!r}, which stands for real records",
                name="inputs",
                value=name,
                remedy="rename it in inputs",
            )
    if not arms:
        raise DoppelError("evaluation.no_arm", "there is no arm to compare", name="inputs", remedy="name one in inputs")
