"""A set of records, written in parts: a killed run goes on behind its last whole part, with any number of processes.

A part is a file with the records of some hundred numbers. Its content follows from the plan alone, so it does not
matter which process writes it, nor when. Processes and not threads share the work, for Faker's generators are shared
within a process.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from lib.pii.slots import PLAIN, Brackets
from lib.pii.writing import grammar, rows
from lib.pii.writing.grammar import FOLDER, Grammar, SlotText
from lib.pii.writing.plan import Plan
from lib.pii.writing.rows import Row

SIZE = 500  # records of a part

Progress = Callable[[int], object]


def write_set(
    plan: Plan,
    folder: Path,
    *,
    texts: Sequence[SlotText | None] | None = None,
    labels: Sequence[dict[str, str]] | None = None,
    brackets: Brackets = PLAIN,
    grammar_folder: Path = FOLDER,
    workers: int = 1,
    size: int = SIZE,
    progress: Progress = lambda records: None,
) -> list[Row]:
    """Write and fill all texts of a plan.

    Args:
        plan: of the set.
        folder: of the parts; those that are there already are kept.
        texts: slot texts that a model or another arm wrote, one a number; None where it wrote none. None in their
            place: the grammar writes them.
        labels: of the records of ``texts``; None: field, style and locale.
        brackets: what else in brackets of ``texts`` is text.
        grammar_folder: of the grammar, which is read where it writes.
        workers: processes, at least 1; with 1 no further process is started.
        size: records of a part, at least 1.
        progress: called with the number of records newly written.

    Returns:
        The records in the order of their numbers, without those whose text is missing.
    """
    jobs = []
    for start in range(0, plan.samples, size):
        numbers = range(start, min(start + size, plan.samples))
        given = [None if of is None else of[start : numbers.stop] for of in (texts, labels)]  # no more than it needs
        jobs.append(_Job(folder / f"part-{start:08d}.jsonl", numbers, *given))
    missing = [job for job in jobs if not job.path.is_file()]
    progress(plan.samples - sum(len(job.numbers) for job in missing))
    for job in _each(partial(_write, plan, grammar_folder, brackets), missing, workers):
        progress(len(job.numbers))
    return [row for job in jobs for row in rows.read(job.path)]


class _Job(NamedTuple):
    """A part to be written; texts and labels are those of its numbers."""

    path: Path
    numbers: range
    texts: Sequence[SlotText | None] | None
    labels: Sequence[dict[str, str]] | None


def _each(write: Callable[[_Job], None], jobs: Sequence[_Job], workers: int) -> Iterator[_Job]:
    """Write the parts, and give each when it is there."""
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            write(job)
            yield job
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(write, job): job for job in jobs}
        for future in as_completed(futures):
            future.result()
            yield futures[future]


_loaded: dict[Path, Grammar] = {}  # in each process


def _write(plan: Plan, grammar_folder: Path, brackets: Brackets, job: _Job) -> None:
    made: list[Row] = []
    for place, number in enumerate(job.numbers):
        task = plan.task(number)
        if job.texts is None:
            if grammar_folder not in _loaded:
                _loaded[grammar_folder] = grammar.load(grammar_folder)
            made.append(rows.of_task(plan, task, _loaded[grammar_folder]))
        elif (text := job.texts[place]) is not None:
            labels = None if job.labels is None else job.labels[place]
            made.append(rows.of_text(plan, task, text, labels, brackets))
    rows.write(job.path, made)
