"""The candidates of a selection: what other arms wrote. No private record is seen here.

Each text is post-processing of what its arm released, so the candidates are the same whichever unit is added or removed
once the events of those arms are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.common.errors import DoppelError
from lib.data import labels, near_duplicates, records
from lib.data.records import Record
from lib.methods.private_evolution.candidates import Generation

FILE = "candidates.jsonl"  # of a stage of 13_select: ids begin with the stage that wrote the text
TEXTS = "synthetic.jsonl"
ITERATIONS = "evolution/iteration-*.jsonl"  # of an arm that evolved its texts


@dataclass(frozen=True)
class Candidates:
    """The m candidates.

    Attributes:
        records: their texts and labels; an id is ``STAGE/`` and the id that the text has there.
        cells: number of each one's label cell, int, shape (m,).
        offered: texts that each stage offered, by its id. Those that are no candidates are like another.
    """

    records: list[Record]
    cells: np.ndarray
    offered: dict[str, int]

    @property
    def sources(self) -> list[str]:
        """Id of the stage that wrote each candidate."""
        return [source(record) for record in self.records]

    @property
    def generation(self) -> Generation:
        """The candidates as a vote takes them."""
        return Generation.of(self.records, self.cells.tolist())


def source(candidate: Record) -> str:
    """The id of the stage that wrote a ``candidate``."""
    return candidate.id.partition("/")[0]


def gather(
    arms: Sequence[Path],
    cells: Sequence[dict[str, str]],
    *,
    near_duplicate_similarity: float,
    all_iterations: bool = False,
) -> Candidates:
    """Read the texts of several arms, and keep one of those that are alike.

    Near-duplicates would split the votes that one of them would get, and could both be selected.

    Args:
        arms: folders of finished arms of this corpus; of texts that are alike the one of the first arm stays.
        cells: labels of each cell, name -> value.
        near_duplicate_similarity: the least Jaccard similarity of word triples at which two texts of a cell are alike
            (`lib.data.near_duplicates.first_of_each`), in (0, 1]; with 1 only those that have the same triples.
        all_iterations: whether texts that an evolution selected in any iteration are candidates, not only its last.

    Returns:
        The candidates, arm by arm.

    Raises:
        DoppelError: a stage writes no texts, or the arms have none at all.
    """
    offered = [record for arm in arms for record in _read(arm, all_iterations)]
    if not offered:
        raise DoppelError(
            "methods.no_candidates",
            "the arms have no text, so there are no candidates",
            name="inputs",
            remedy="name arms that wrote records",
        )
    numbers = labels.cell_numbers(offered, cells)
    keep = np.zeros(len(offered), bool)
    for cell in range(len(cells)):
        members = np.flatnonzero(numbers == cell)
        if len(members):
            texts = [offered[i].text.reveal() for i in members]
            keep[members[near_duplicates.first_of_each(texts, near_duplicate_similarity)]] = True
    kept = [offered[i] for i in np.flatnonzero(keep)]
    return Candidates(kept, numbers[keep], {arm.name: sum(source(r) == arm.name for r in offered) for arm in arms})


def read(arm: Path, cells: Sequence[dict[str, str]]) -> Candidates:
    """The candidates that a finished selection had.

    Args:
        arm: its folder.
        cells: labels of each cell, name -> value.
    """
    kept = records.read(arm / FILE)
    return Candidates(kept, labels.cell_numbers(kept, cells), {})


def _read(arm: Path, all_iterations: bool) -> list[Record]:
    """The texts of an arm, its records first."""
    if not (arm / TEXTS).is_file():
        raise DoppelError(
            "methods.input_without_texts",
            f"{arm.name} wrote no {TEXTS}, so it has no candidates",
            name="inputs",
            value=arm.name,
            remedy="name stages that write records",
        )
    earlier = sorted(arm.glob(ITERATIONS)) if all_iterations else []
    files = {"": arm / TEXTS} | {f"{path.stem}/": path for path in earlier}
    return [
        Record(f"{arm.name}/{part}{record.id}", record.text, record.labels)
        for part, path in files.items()
        for record in records.read(path)
    ]
