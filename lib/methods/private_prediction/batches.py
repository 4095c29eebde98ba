"""Which private units stand behind which text: batches that share no unit, whoever else is there. Private.

Unit: one record, or one user. Neighbours: add or remove one unit. A unit picks its batch by itself: its label cell is
that of its record, or of that record of the user by which the label histogram counts the user; within the cell its
batch is a keyed hash of the record's content, or of the user's name. So one unit more or less changes one batch, by
itself, and no other. The number of batches of each cell follows from the noisy counts of labels, which are released.
Hence the texts of different batches are independent given what was released, and a unit takes part in one text at most
(parallel composition; McSherry 2009).

The key is drawn like noise and never released, so that nobody can send records that meet in one batch. The guarantee
does not rest on it: with a known key, each unit still changes one batch alone. Nor is it counted as a gain that no text
is written from some batches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from lib.data import labels
from lib.data.hash_order import rank
from lib.data.records import Record
from lib.methods.private_prediction.method import check_room
from lib.privacy.mechanisms import random_words

BATCHES = 4  # the stream of the key under an integer privacy_seed
KEY_WORDS = 4  # of 64 bits


class Batch(NamedTuple):
    """A batch by its label cell and its number in it; public."""

    cell: int
    number: int


@dataclass(frozen=True)
class Plan:
    """How many texts are written and how many batches there are, by label cell. Public: it follows from noisy counts.

    Attributes:
        texts: to write of each cell, int, shape (cells,).
        batches: that the units of each cell are parted into, int, shape (cells,); at least as many, and 1.
    """

    texts: np.ndarray
    batches: np.ndarray

    @property
    def written(self) -> list[Batch]:
        """The batch behind each text, cell by cell: the first ones of a cell."""
        return [Batch(cell, number) for cell, count in enumerate(self.texts) for number in range(count)]


def plan(shares: np.ndarray, quota: np.ndarray, *, units: int, expected_batch: float) -> Plan:
    """Divide the units of each cell into batches of the expected size.

    Args:
        shares: share of each cell, from the noisy label histogram; shape (cells,), sum 1.
        quota: texts wanted of each cell, int, shape (cells,).
        units: n, the number of units; treated as public.
        expected_batch: B, units of a batch on average, at least 1.

    Returns:
        The plan. A cell has one batch for each text at least. Where its share is small or its count noisy, its batches
        may be smaller than B; the divisor stays B.

    Raises:
        DoppelError: there are not enough units for so many texts.
    """
    check_room(int(quota.sum()), units, expected_batch)
    return Plan(quota, np.maximum(np.maximum(quota, 1), np.floor(shares * units / expected_batch).astype(int)))


def draw_key(privacy_seed: int | None) -> str:
    """A new key for `assign`, as hexadecimal digits.

    Args:
        privacy_seed: None: the operating system draws it. An integer makes it reproducible, and the result not fit for
            release.
    """
    return random_words(privacy_seed, BATCHES)(KEY_WORDS).tobytes().hex()


def assign(
    records: Sequence[Record], cells: Sequence[Mapping[str, str]], plan: Plan, *, unit: str, key: str
) -> dict[Batch, list[list[Record]]]:
    """Part the units into batches. The result is private.

    Args:
        records: the n private records, all their labels within the domain.
        cells: labels of each cell, name -> value.
        plan: of the same cells.
        unit: ``record`` or ``user``. A user's records of another cell than the user's are left out.
        key: as `draw_key` returns it.

    Returns:
        For each batch that has units, the records of each unit; in an order that follows from the hashes.
    """
    numbers = labels.cell_numbers(records, cells).tolist()
    order = sorted(range(len(records)), key=lambda i: rank(0, "histogram", records[i].content))
    units: dict[object, list[int]] = {}
    for place, i in enumerate(order):  # the first record of a user is the one that the histogram counts
        units.setdefault(records[i].owner if unit == "user" else place, []).append(i)
    parted: dict[Batch, list[list[Record]]] = {}
    for members in units.values():
        first, cell = records[members[0]], numbers[members[0]]
        name = first.owner if unit == "user" else first.content
        batch = Batch(cell, _keyed(key, name) % int(plan.batches[cell]))
        parted.setdefault(batch, []).append([records[i] for i in members if numbers[i] == cell])
    return parted


def _keyed(key: str, name: str) -> int:
    """A hash that nobody without the key can foresee, in [0, 2^64)."""
    hashed = blake2b(name.encode(errors="surrogatepass"), digest_size=8, key=bytes.fromhex(key))
    return int.from_bytes(hashed.digest(), "big")
