"""What every loader gives back, and the draw that the order of a file cannot change."""

import heapq
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.paths import DATA
from lib.data.hash_order import rank
from lib.data.records import Record


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed source: what stands after the colon, and the settings of `lib.data.sources.load`."""

    kind: str
    argument: str = ""
    columns: Mapping[str, str] | None = None
    limit: int | None = None
    seed: int = 0
    root: Path = DATA


@dataclass(frozen=True, slots=True)
class Corpus:
    """Private records, and the public label values that may be declared beside them.

    ``catalogue`` holds rows of label values from a public catalogue (product metadata, never the
    records); it is empty where there is none. ``note`` says in a sentence what was read. ``files`` are those that were
    read and may change: a stage names them as its own (`lib.stage.stage.Stage.uses`). Doppel's own assets are pinned instead.
    """

    records: list[Record] = field(repr=False)
    catalogue: list[dict[str, str]] = field(repr=False)
    name: str
    note: str
    files: tuple[Path, ...] = ()


def draw(records: Iterable[Record], request: Request) -> tuple[list[Record], str]:
    """At most ``limit`` records, those of smallest rank, one pass in bounded memory; and "n of N records"."""
    counter = itertools.count()
    counted = (record for record, _ in zip(records, counter, strict=False))  # the last turn takes no count
    if request.limit is None:
        kept = list(counted)
    else:
        kept = heapq.nsmallest(request.limit, counted, key=lambda r: rank(request.seed, "limit", r.id))
    total = next(counter)
    if not total:
        raise DoppelError(f"{request.kind}: the source holds no record")
    return kept, f"{len(kept):,} of {total:,} records"
