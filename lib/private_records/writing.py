"""A set of private records, written block by block: each block sees the records of the blocks before it, and none of
its own. So what is written does not depend on how many are written side by side, and a killed run goes on behind its
last whole block.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_array, write_json
from lib.data.hash_order import rank
from lib.generation.engines.base import ChatModel, Sampling
from lib.generation.workflow import run
from lib.private_records import schema
from lib.private_records.author import Author
from lib.private_records.novelty import History
from lib.private_records.pipeline import Embed, Recipe, Written, write_record
from lib.private_records.schema import Failed, PrivateRecord
from lib.private_records.task import Task

Progress = Callable[[int], object]


@dataclass
class RecordSet:
    """What was written.

    Attributes:
        records: in the order of their tasks.
        failed: records that came to nothing, in the order of their tasks.
        dropped: attributes that an annotator named and the text does not hold.
        calls: of each step, further tries included; empty where no model was asked.
        embeddings: of the texts of ``records``, of length 1, (n, d).
    """

    records: list[PrivateRecord]
    failed: list[Failed]
    dropped: int
    calls: Counter[str]
    embeddings: np.ndarray

    def __str__(self) -> str:
        asked = len(self.records) + len(self.failed)
        steps = Counter(one.step for one in self.failed)
        told = ", ".join(f"{count} {step}" for step, count in steps.most_common()) or "none"
        return f"{len(self.records):,} of {asked:,} records; failed: {told}"

    def require(self) -> "RecordSet":
        """Itself.

        Raises:
            DoppelError: ``private_records.nothing_written``.
        """
        if not self.records:
            reasons = Counter(reason for one in self.failed for reason in one.reasons)
            raise DoppelError(
                "private_records.nothing_written",
                f"none of {len(self.failed)} records was written "
                f"({', '.join(f'{count} {reason}' for reason, count in reasons.most_common(5))})",
                value=len(self.failed),
                remedy="use a better model, or raise max_new_tokens if replies are truncated, or tries",
            )
        return self


def write_set(
    tasks: Sequence[Task],
    author: Author,
    recipe: Recipe,
    *,
    embed: Embed,
    model: ChatModel | None,
    sampling: Sampling,
    window: int,
    sample: int,
    block: int,
    folder: Path,
    progress: Progress = lambda records: None,
) -> RecordSet:
    """Write the records of tasks.

    Args:
        tasks: with different ids.
        author: writes; one that asks no model goes with ``model`` None.
        recipe: how.
        embed: of a text.
        model: answers.
        sampling: how its tokens are drawn; each block has a seed of its own, made from ``sampling.seed``.
        window: of the history, at least 1: so many of the last records count.
        sample: of the window, at least 1: so many are drawn for a block.
        block: most records that are written side by side, at least 1 (`blocks`). Another number gives another history
            to each record.
        folder: of the finished blocks; those that are there are kept.
        progress: called with the number of records newly finished, failed ones included.

    Raises:
        DoppelError: ``private_records.lost`` where a record is neither written nor failed, or both; what
            `lib.generation.workflow.run` raises.
    """
    history = History(window, sample)
    written = RecordSet([], [], 0, Counter(), np.empty((0, 0), np.float32))
    embeddings: list[np.ndarray] = []
    for number, places in enumerate(blocks(len(tasks), block)):
        part = tasks[places.start : places.stop]
        path = folder / f"block-{places.start:08d}.json"
        vectors = path.with_suffix(".npy")
        if not path.is_file():
            drawn = history.draw(rank(sampling.seed, "private_records.sample", str(number)))
            write_one = partial(write_record, author=author, recipe=recipe, embed=embed, sample=drawn)
            seeded = replace(sampling, seed=sampling.seed_for(number))
            outcome = run({task.id: write_one(task) for task in part}, model, seeded)
            made: list[Written] = [outcome.results[task.id] for task in part if task.id in outcome.results]
            failed = [Failed(id, failure.step, failure.reasons) for id, failure in outcome.failures.items()]
            write_array(vectors, np.array([one.embedding for one in made], np.float32))
            write_json(path, _as_json(made, sorted(failed, key=lambda one: one.id), outcome.calls))
        finished = read_json(path)
        embeddings += list(np.load(vectors))
        history.add(embeddings[len(written.records) :])
        written.records += [schema.record(row) for row in finished["records"]]
        written.failed += [Failed(row["id"], row["step"], tuple(row["reasons"])) for row in finished["failed"]]
        written.dropped += finished["dropped"]
        written.calls.update(finished["calls"])
        progress(len(part))
    written.embeddings = np.array(embeddings, np.float32)
    check_each_once([task.id for task in tasks], written)
    return written


def blocks(count: int, most: int) -> Iterator[range]:
    """The places of each block. The first ones are small, so that few records have little to be compared with: an
    eighth of the largest size, then twice as many each time.

    Args:
        count: of all records.
        most: of a block.
    """
    start, size = 0, max(1, most // 8)
    while start < count:
        yield range(start, min(start + size, count))
        start, size = start + size, min(2 * size, most)


def check_each_once(ids: Sequence[str], written: RecordSet) -> None:
    """Refuse a set in which a record is missing, or there twice.

    Args:
        ids: that were asked for.
        written: what came of them.

    Raises:
        DoppelError: ``private_records.lost``.
    """
    found = Counter(one.id for one in (*written.records, *written.failed))
    if wrong := Counter(ids) - found | found - Counter(ids):
        raise DoppelError(
            "private_records.lost",
            f"{len(wrong)} records are not there once, the first of them {min(wrong)}",
            name=min(wrong),
            value=len(wrong),
            remedy="remove the stage's checkpoints and run it again; please report it",
        )


def _as_json(made: Sequence[Written], failed: Sequence[Failed], calls: Counter[str]) -> dict:
    """A finished block."""
    return {
        "records": [asdict(one.record) for one in made],
        "failed": [asdict(one) for one in failed],
        "dropped": sum(one.dropped for one in made),
        "calls": dict(sorted(calls.items())),
    }
