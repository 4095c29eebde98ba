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
    paths = [folder / f"part-{start:08d}.jsonl" for start in range(0, plan.samples, size)]
    write = partial(_write_part, plan, grammar_folder, texts, labels, brackets, size)
    missing = [(number, path) for number, path in enumerate(paths) if not path.is_file()]
    sizes = [min(size, plan.samples - number * size) for number in range(len(paths))]
    progress(plan.samples - sum(sizes[number] for number, _ in missing))
    for number in _each(write, missing, workers):
        progress(sizes[number])
    return [row for path in paths for row in rows.read(path)]


def _each(write: Callable[[int, Path], None], missing: Sequence[tuple[int, Path]], workers: int) -> Iterator[int]:
    """Write the missing parts, and give the number of each when it is there."""
    if workers == 1 or len(missing) < 2:
        for number, path in missing:
            write(number, path)
            yield number
        return
    with ProcessPoolExecutor(min(workers, len(missing)), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(write, number, path): number for number, path in missing}
        for future in as_completed(futures):
            future.result()
            yield futures[future]


_loaded: dict[Path, Grammar] = {}  # in each process


def _write_part(
    plan: Plan,
    grammar_folder: Path,
    texts: Sequence[SlotText | None] | None,
    labels: Sequence[dict[str, str]] | None,
    brackets: Brackets,
    size: int,
    number: int,
    path: Path,
) -> None:
    made: list[Row] = []
    for position in range(number * size, min((number + 1) * size, plan.samples)):
        task = plan.task(position)
        if texts is None:
            if grammar_folder not in _loaded:
                _loaded[grammar_folder] = grammar.load(grammar_folder)
            made.append(rows.of_task(plan, task, _loaded[grammar_folder]))
        elif (text := texts[position]) is not None:
            made.append(rows.of_text(plan, task, text, None if labels is None else labels[position], brackets))
    rows.write(path, made)
