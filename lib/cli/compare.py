"""``./run_all.sh compare [RUN ...]``: runs side by side, with their parameters, metrics and combined epsilon."""

import argparse
import sys
from collections.abc import Sequence

from lib.common.errors import DoppelError

_AT_LEAST = "At least this much was spent: results that were deleted and stages that are not done are not counted here."


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: of the command line, after ``compare``.

    Returns:
        Exit code: 0 compared, 2 a name is no run's, or there is no run.
    """
    parser = argparse.ArgumentParser(prog="./run_all.sh compare", description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", metavar="RUN", nargs="*", help="folders of results/ (default: all)")
    names = parser.parse_args(arguments).runs
    from lib.common import paths  # late, as the other: --help needs no library
    from lib.scorecard import run_comparison

    try:
        runs = run_comparison.gather(paths.ROOT / "results", names)
    except DoppelError as error:
        print(error, file=sys.stderr)
        return 2
    same_corpus, left_out = run_comparison.comparable(runs)
    for title, table in run_comparison.sections(runs, same_corpus):
        print(f"{title}\n")
        print("  none" if table.empty else table.to_string(max_colwidth=60))
        print()
    print(_AT_LEAST)
    for name, why in left_out.items():
        print(f"figures left out, run {name}: {why}")
    return 0
