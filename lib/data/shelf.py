"""Records that need not fit into memory: a sequence of which only the places are held there, 8 bytes a record."""

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from lib.common import system
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.spill import FOLDER, Spill

IN_MEMORY = 2**24  # bytes of a shelf that stay in memory; small corpora never touch the disk
BLOCK = 2**20  # bytes that are written and read at a time


class Shelf(Sequence[Record]):
    """Records in the order in which they came. It is read as a list is, by one thread at a time; a slice is a list.

    Args:
        records: the first of them; read once.
        in_memory: bytes from which on they lie on the disk (`lib.data.spill.Spill`), at least 1.
    """

    def __init__(self, records: Iterable[Record] = (), in_memory: int = IN_MEMORY):
        self._file, self._ends, self._block = Spill(in_memory), array("Q", [0]), min(BLOCK, in_memory)
        self._waiting, self._size = [], 0
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Put ``record`` behind all others."""
        line = json.dumps([record.id, record.text.reveal(), dict(record.labels), record.user]).encode() + b"\n"
        self._waiting.append(line)
        self._size += len(line)
        self._ends.append(self._ends[-1] + len(line))
        if self._size >= self._block:
            self._write()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[Record]:
        start = 0
        while start < len(self):
            stop = max(start + 1, bisect_right(self._ends, self._ends[start] + BLOCK) - 1)
            yield from self._read(start, stop)
            start = stop

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._read(start, stop) if step == 1 else [self[place] for place in range(start, stop, step)]
        place = range(len(self))[index]
        return self._read(place, place + 1)[0]

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Sequence) and len(other) == len(self)
        return same and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # it changes

    def __repr__(self) -> str:
        return f"<{len(self):,} records>"

    def _write(self) -> None:
        with system.refusals(FOLDER):
            self._file.seek(0, 2)
            self._file.write(b"".join(self._waiting))
        self._waiting, self._size = [], 0

    def _read(self, start: int, stop: int) -> list[Record]:
        if self._waiting:
            self._write()
        if stop <= start:
            return []
        with system.refusals(FOLDER):
            self._file.seek(self._ends[start])
            lines = self._file.read(self._ends[stop] - self._ends[start])
        return [Record(i, PrivateText(text), labels, user) for i, text, labels, user in map(json.loads, _lines(lines))]


def _lines(block: bytes) -> list[bytes]:
    return block.removesuffix(b"\n").split(b"\n")
