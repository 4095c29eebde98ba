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
    """Exit code: 0 told, 1 refused."""
    parser = argparse.ArgumentParser(prog="./run_all.sh budget", description=__doc__, allow_abbrev=False)
    parser.add_argument("source", metavar="SOURCE", nargs="?", help="as 00_process_data names it (default: all)")
    source = parser.parse_args(arguments).source
    try:
        _tell_all() if source is None else _tell(source)
    except DoppelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _tell_all() -> None:
    from lib.privacy.budget import status
    from lib.privacy.budget_account import accounts  # late, as the others: --help needs no library

    found = accounts()
    for account in found:
        print(_summary(account, status(account)))
    if not found:
        print("nothing was charged yet")


def _tell(source: str) -> None:
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
    """Refuse what has no account and is no source either: that nothing was charged to a mistyped name says nothing."""
    from lib.common import paths
    from lib.data.sources import SOURCES, parse
    from lib.privacy.budget_account import accounts

    kind, open_ = source.partition(":")[0], {one.source for one in accounts()}
    if kind not in ("file", *SOURCES):
        raise DoppelError(f"{source}: no account and no source; {nearest(source, {*open_, *SOURCES})}")
    if kind != "file":  # which accounts alone are called
        parse(source)
    shared, _, path = account.source.partition(":")
    if shared == "file" and not (paths.ROOT / path).exists():
        hint = "; " + nearest(account.source, open_) if open_ else "; no account is open yet"
        raise DoppelError(f"{source}: no account and no such file{hint}")


def _summary(account: "Account", now: "Status") -> str:
    limit = "no limit" if now.limit is None else f"limit {now.limit:g}{', EXCEEDED' if now.over else ''}"
    at = f" at delta {now.delta:.3g}, for one {now.unit}" if now.entries else ""
    return (
        f"{account.source}  ({account.shown})\n  epsilon {now.spent:.4f} spent{at}; {limit}; {len(now.entries)} charges"
    )


def _charges(now: "Status") -> str:
    """A line for each run, stage and unit: how often it was charged, and what that comes to without the others."""
    from lib.privacy.budget import composed

    groups: dict[tuple[str, str, str], list[Charge]] = {}
    for one in now.entries:
        groups.setdefault((one.run, one.event.stage, one.unit), []).append(one)
    rows = [("run", "stage", "unit", "charges", "epsilon by itself", "last")]
    for key, charges in groups.items():
        alone = composed([one.event.mechanism for one in charges], now.delta)
        rows.append((*key, str(len(charges)), f"{alone:.4f}", charges[-1].time))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows if len(rows) > 1)
