"""The sets that are compared: every arm, the held-out records that all are measured against, and the ceiling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from lib.embedding import Encoder, Progress, embed_private
from lib.errors import DoppelError
from lib.fidelity.metric import LEAST, matched_rows
from lib.private import PrivateText
from lib.records import Record
from lib.views import CEILING

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


def matched(
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
