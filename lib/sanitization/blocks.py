"""A set of records, sanitized block by block. A finished block is a file, so a killed run goes on behind the last one.

A record's targets and words depend on the seed and its id alone, so neither on its block nor on the number of workers;
a model's tokens depend on its block too. With rules the blocks are shared by processes; with a model the records of a
block are conversations side by side.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_json
from lib.generation.engines.base import ChatModel, Sampling
from lib.generation.workflow import run
from lib.private_records.schema import Failed
from lib.sanitization import schema
from lib.sanitization.case import Original
from lib.sanitization.sanitize import Sanitizer
from lib.sanitization.schema import Sanitized

Make = Callable[[], Sanitizer]
Progress = Callable[[int], object]


@dataclass
class SanitizedSet:
    """What became of the records.

    Attributes:
        records: in the order of their originals.
        failed: originals that came to nothing, in order.
        calls: of each step, further tries included; empty where no model was asked.
    """

    records: list[Sanitized] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        asked = len(self.records) + len(self.failed)
        steps = Counter(one.step for one in self.failed)
        told = ", ".join(f"{count} {step}" for step, count in steps.most_common()) or "none"
        return f"{len(self.records):,} of {asked:,} records; failed: {told}"

    def require(self) -> "SanitizedSet":
        """Itself.

        Raises:
            DoppelError: ``sanitization.nothing_written``.
        """
        if not self.records:
            reasons = Counter(f"{one.step}: {reason}" for one in self.failed for reason in one.reasons)
            raise DoppelError(
                "sanitization.nothing_written",
                f"none of {len(self.failed)} records was sanitized "
                f"({', '.join(f'{count} {reason}' for reason, count in reasons.most_common(5))})",
                value=len(self.failed),
                remedy="use a better model, raise max_new_tokens in the prompt file if replies are truncated, or tries",
            )
        return self


def sanitize_set(
    originals: Sequence[Original],
    make: Make,
    *,
    model: ChatModel | None,
    sampling: Sampling,
    block: int,
    folder: Path,
    workers: int = 1,
    progress: Progress = lambda records: None,
) -> SanitizedSet:
    """Sanitize records.

    Args:
        originals: with different ids.
        make: gives the sanitizer; called once in each process, so it is pickled where ``workers`` is above 1.
        model: answers; None where the sanitizer asks nothing.
        sampling: how its tokens are drawn; each block has a seed of its own, made from ``sampling.seed``.
        block: records of a block, at least 1.
        folder: of the finished blocks; those that are there are kept.
        workers: processes, at least 1; one where a model is asked, whose requests are in flight side by side anyway.
        progress: called with the number of records newly finished, failed ones included.

    Raises:
        DoppelError: ``sanitization.repeated_id``; ``sanitization.lost`` where a record is neither sanitized nor failed,
            or both; what `lib.generation.workflow.run` raises.
    """
    if len({one.id for one in originals}) < len(originals):
        raise DoppelError("sanitization.repeated_id", "two records have one id", name="id", remedy="let ids differ")
    jobs = [
        _Job(folder / f"block-{start:08d}.json", number, originals[start : start + block])
        for number, start in enumerate(range(0, len(originals), block))
    ]
    missing = [job for job in jobs if not job.path.is_file()]
    progress(len(originals) - sum(len(job.originals) for job in missing))
    for job in _each(make, missing, model, sampling, workers):
        progress(len(job.originals))
    made = SanitizedSet()
    for job in jobs:
        part = read_json(job.path)
        made.records += map(schema.sanitized, part["records"])
        made.failed += [Failed(row["id"], row["step"], tuple(row["reasons"])) for row in part["failed"]]
        made.calls.update(part["calls"])
    _check_each_once(originals, made)
    return made


class _Job(NamedTuple):
    """A block that is to be written."""

    path: Path
    number: int
    originals: Sequence[Original]


def _each(
    make: Make, jobs: Sequence[_Job], model: ChatModel | None, sampling: Sampling, workers: int
) -> Iterator[_Job]:
    """Write the blocks, and give each when it is there."""
    if model is not None or workers == 1 or len(jobs) < 2:
        sanitizer = make() if jobs else None
        for job in jobs:
            _write(sanitizer, model, sampling, job)
            yield job
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), get_context("spawn"), _open, (make,)) as pool:
        futures = {pool.submit(partial(_write_here, sampling), job): job for job in jobs}
        for future in as_completed(futures):
            future.result()
            yield futures[future]


_opened: list[Sanitizer] = []  # in each process


def _open(make: Make) -> None:
    _opened.append(make())


def _write_here(sampling: Sampling, job: _Job) -> None:
    _write(_opened[0], None, sampling, job)


def _write(sanitizer: Sanitizer, model: ChatModel | None, sampling: Sampling, job: _Job) -> None:
    """Sanitize the records of a block."""
    conversations = {one.id: sanitizer.sanitize(one) for one in job.originals}
    outcome = run(conversations, model, replace(sampling, seed=sampling.seed_for(job.number)))
    ids = [one.id for one in job.originals]
    failures = outcome.failures
    rows = {
        "records": [asdict(outcome.results[id]) for id in ids if id in outcome.results],
        "failed": [asdict(Failed(id, failures[id].step, failures[id].reasons)) for id in ids if id in failures],
        "calls": dict(sorted(outcome.calls.items())),
    }
    write_json(job.path, rows)


def _check_each_once(originals: Sequence[Original], made: SanitizedSet) -> None:
    """Refuse a set in which a record is missing, or there twice."""
    asked = Counter(one.id for one in originals)
    found = Counter(one.id for one in (*made.records, *made.failed))
    if wrong := asked - found | found - asked:
        raise DoppelError(
            "sanitization.lost",
            f"{len(wrong)} records are not there once",
            value=len(wrong),
            remedy="remove the stage's checkpoints and run it again; please report it",
        )
