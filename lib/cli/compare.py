"""``./run_all.sh compare [RUN ...]``: runs side by side, their parameters, figures, and what they spent together."""

import argparse
import sys
from collections.abc import Sequence

from lib.common.errors import DoppelError

_AT_LEAST = "At least so much was spent: results that were deleted, or stages that are not done, are not counted here."


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 told, 2 where a name is no run."""
    parser = argparse.ArgumentParser(prog="./run_all.sh compare", description=__doc__, allow_abbrev=False)
    parser.add_argument("runs", metavar="RUN", nargs="*", help="folders of results/ (default: all)")
    names = parser.parse_args(arguments).runs
    from lib.common import paths  # late, as the other: --help needs no library
    from lib.scorecard import run_comparison

    try:
        found = run_comparison.gather(paths.ROOT / "results", names)
    except DoppelError as error:
        print(error, file=sys.stderr)
        return 2
    same, left_out = run_comparison.comparable(found)
    for title, table in run_comparison.sections(found, same):
        print(f"{title}\n")
        print("  none" if table.empty else table.to_string(max_colwidth=60))
        print()
    print(_AT_LEAST)
    for name, why in left_out.items():
        print(f"figures left out, run {name}: {why}")
    return 0
