"""``./run_all.sh budget [SOURCE]``: what all runs have spent on each corpus, or on one of them charge by charge."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError, nearest

if TYPE_CHECKING:
    from lib.privacy.budget import Status
    from lib.privacy.budget_account import Account, Charge


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: of the command line, after ``budget``.

    Returns:
        Exit code: 0 printed, 1 refused.
    """
    parser = argparse.ArgumentParser(prog="./run_all.sh budget", description=__doc__, allow_abbrev=False)
    parser.add_argument("source", metavar="SOURCE", nargs="?", help="as 00_process_data names it (default: all)")
    source = parser.parse_args(arguments).source
    try:
        _print_all() if source is None else _print_account(source)
    except DoppelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _print_all() -> None:
    from lib.privacy.budget import status
    from lib.privacy.budget_account import accounts  # late, as the others: --help needs no library

    open_accounts = accounts()
    for account in open_accounts:
        print(_summary(account, status(account)))
    if not open_accounts:
        print("nothing was charged yet")


def _print_account(source: str) -> None:
    from lib.privacy.budget import status
    from lib.privacy.budget_account import Account

    account = Account.of(source)
    if not account.open:
        _check_source(source, account)
        print(f"nothing was charged to {source} yet")
        return
    now = status(account)
    print(_summary(account, now))
    print(_charges(now))


def _check_source(source: str, account: "Account") -> None:
    """Refuse a source that has no account and does not exist: "nothing was charged" would hide a typing mistake."""
    from lib.common import paths
    from lib.data.sources import SOURCES, parse
    from lib.privacy.budget_account import accounts

    kind, known = source.partition(":")[0], {open_account.source for open_account in accounts()}
    if kind not in ("file", *SOURCES):
        raise DoppelError(
            "cli.unknown_source",
            "no account and no source",
            name="source",
            value=source,
            remedy=nearest(source, {*known, *SOURCES}),
            where=source,
        )
    if kind != "file":  # which accounts alone are called
        parse(source)
    shared, _, path = account.source.partition(":")
    if shared == "file" and not (paths.ROOT / path).exists():
        raise DoppelError(
            "cli.no_such_file",
            "no account and no such file",
            name="source",
            value=source,
            remedy=nearest(account.source, known) if known else "no account is open yet",
            where=source,
        )


def _summary(account: "Account", now: "Status") -> str:
    limit = "no limit" if now.limit is None else f"limit {now.limit:g}{', EXCEEDED' if now.over else ''}"
    at = f" at delta {now.delta:.3g}, for one {now.unit}" if now.entries else ""
    return (
        f"{account.source}  ({account.shown})\n  epsilon {now.spent:.4f} spent{at}; {limit}; {len(now.entries)} charges"
    )


def _charges(now: "Status") -> str:
    """A line for each run, stage and unit: how often it was charged, and what that comes to without the others."""
    from lib.privacy.composition import composed

    groups: dict[tuple[str, str, str], list[Charge]] = {}
    for charge in now.entries:
        groups.setdefault((charge.run, charge.event.stage, charge.unit), []).append(charge)
    rows = [("run", "stage", "unit", "charges", "epsilon by itself", "last")]
    for key, charges in groups.items():
        alone = composed([charge.event.mechanism for charge in charges], now.delta)
        rows.append((*key, str(len(charges)), f"{alone:.4f}", charges[-1].time))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows if len(rows) > 1)
