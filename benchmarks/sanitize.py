"""How many records a second are sanitized by rules, and what the check of leaks finds in them.

The grammar writes the records, without revisions. Then they are sanitized in this process, and by two processes that
start first; a line holds records a second of the wall clock and of the processor, and the last lines are what leaks.

    python benchmarks/sanitize.py [--records 500] [--seed 0]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib.generation.engines.base import Sampling  # noqa: E402
from lib.private_records import schema  # noqa: E402
from lib.private_records.grammar_author import GrammarAuthor  # noqa: E402
from lib.private_records.people import new_task  # noqa: E402
from lib.private_records.pipeline import Recipe  # noqa: E402
from lib.private_records.seeds import Table  # noqa: E402
from lib.private_records.writing import write_set  # noqa: E402
from lib.sanitization import inputs, rates  # noqa: E402
from lib.sanitization.annotators import Given  # noqa: E402
from lib.sanitization.blocks import SanitizedSet, sanitize_set  # noqa: E402
from lib.sanitization.case import Original  # noqa: E402
from lib.sanitization.guesses import guess_all  # noqa: E402
from lib.sanitization.rule_guesser import RuleGuesser, values_of  # noqa: E402
from lib.sanitization.rules import Rules  # noqa: E402
from lib.sanitization.sanitize import Sanitizer  # noqa: E402

COUNTRIES = {"United States": 0.7, "United Kingdom": 0.2, "Canada": 0.1}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--records", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    originals = written(options.records, options.seed)
    for workers in (1, 2):
        start, spent = time.perf_counter(), time.process_time()
        made = sanitized(originals, workers, options.seed)
        rate = len(made.records) / (time.perf_counter() - start)
        of_processor = f", {len(made.records) / (time.process_time() - spent):.0f} a processor second"
        print(f"{made}: {rate:.0f} records a second, {workers} process(es){of_processor if workers == 1 else ''}")
    checked = rates.check(made.records, guess_all(made.records, RuleGuesser(values_of(made.records)), None, Sampling()))
    for one in rates.rates(checked, seed=options.seed):
        print(f"{one.side:<12} {one.metric:<18} {one.value:.4f} [{one.low:.4f}, {one.high:.4f}] of {one.of:,}")


def written(records: int, seed: int) -> list[Original]:
    """Records about made-up people."""
    table = Table()
    tasks = [new_task(f"record-{i:06d}", seed, {}, table, COUNTRIES, "plausible") for i in range(records)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = write_set(
            tasks,
            GrammarAuthor(),
            Recipe(revisions=0),
            embed=lambda text: np.ones(1),
            model=None,
            sampling=Sampling(seed=seed),
            window=1,
            sample=1,
            block=64,
            folder=folder,
        )
        schema.write(folder / "records.jsonl", made.records)
        return inputs.read("records", folder, None)


def sanitizer() -> Sanitizer:
    """By rules; a process makes its own."""
    return Sanitizer(Given(), Rules())


def sanitized(originals: list[Original], workers: int, seed: int) -> SanitizedSet:
    """All of them, in blocks that the processes share."""
    how = {"model": None, "sampling": Sampling(seed=seed), "block": 64, "workers": workers}
    with tempfile.TemporaryDirectory() as folder:
        return sanitize_set(originals, sanitizer, **how, folder=Path(folder))


if __name__ == "__main__":
    main()
