"""Recompute a certificate offline: ``python -m lib.privacy.verify results/quick/02_generate.eps8``.

Reads privacy.json alone (no private data, no model) and checks every claim that follows from its events.
Ancestors that lie beside the folder are checked by their hash.
"""

import argparse
import math
import sys
from collections.abc import Mapping
from pathlib import Path

from lib.errors import DoppelError
from lib.files import read_json, sha256
from lib.privacy.accounting import ACCOUNTANT, Gaussian
from lib.privacy.ledger import NEIGHBOURS, Ledger, from_statement, not_for_release

SAME_LIBRARY, OTHER_LIBRARY = 1e-9, 1e-2  # relative difference of epsilon that is allowed


def problems(statement: Mapping) -> list[str]:
    """What in a statement does not follow from its own events; empty when all of it does."""
    ledger = from_statement(statement)
    found = []
    if statement["neighbours"] != NEIGHBOURS[ledger.unit]:
        found.append(f"neighbours: {statement['neighbours']!r} is not what unit {ledger.unit!r} means")
    found += [
        f"{event.stage}: Poisson sampling is claimed, but its batches were not checked"
        for event in ledger.events
        if isinstance(event.mechanism, Gaussian) and event.mechanism.sampling_probability < 1 and not event.checked
    ]
    if statement["not_for_release"] != not_for_release(ledger.events):
        found.append("not_for_release does not follow from the events")
    return found + _wrong_epsilon(statement, ledger)


def _wrong_epsilon(statement: Mapping, ledger: Ledger) -> list[str]:
    spent, stated, target = ledger.epsilon, statement["epsilon"], statement["target_epsilon"]
    if stated is None:
        return [] if math.isinf(spent) else [f"epsilon: none is stated, the events compose to {spent:.6f}"]
    same = statement["accountant"] == ACCOUNTANT
    found = []
    if not math.isclose(spent, stated, rel_tol=SAME_LIBRARY if same else OTHER_LIBRARY, abs_tol=1e-12):
        found.append(f"epsilon: {stated:.6f} is stated, the events compose to {spent:.6f}")
    if target is not None and not spent <= target:
        found.append(f"epsilon: {spent:.6f} is over the target {target:g}")
    return found


def changed_ancestors(folder: Path, statement: Mapping) -> list[str]:
    """Ancestors beside ``folder`` whose privacy.json is not the one that was composed."""
    beside = {stage: folder.parent / stage / "privacy.json" for stage in statement["ancestors"]}
    return [
        f"{stage}: its privacy.json has changed since"
        for stage, path in beside.items()
        if path.is_file() and sha256(path) != statement["ancestors"][stage]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.privacy.verify", description=__doc__)
    parser.add_argument("path", type=Path, nargs="+", help="a stage's folder, or its privacy.json")
    failed = False
    for path in parser.parse_args().path:
        folder = path if path.is_dir() else path.parent
        try:
            statement = read_json(folder / "privacy.json")
            found = problems(statement) + changed_ancestors(folder, statement)
        except (DoppelError, OSError, ValueError, KeyError, TypeError) as error:
            found, statement = [f"cannot be read: {type(error).__name__}: {error}"], None
        if statement is not None:
            print(_summary(statement))
        print(
            "\n".join(f"  WRONG  {problem}" for problem in found) or "  VERIFIED: every claim follows from the events"
        )
        failed |= bool(found)
    return int(failed)


def _summary(statement: Mapping) -> str:
    spent, target = statement["epsilon"], statement["target_epsilon"]
    share = f", {spent / target:.4f} of the target {target:g}" if spent is not None and target else ""
    lines = [
        f"{statement['stage']}: epsilon {'unbounded' if spent is None else f'{spent:.6f}'}{share}, delta "
        f"{statement['delta']:.3g}, {statement['units']:,} units: {statement['neighbours']}"
    ]
    for event in statement["events"]:
        details = ", ".join(f"{k} {v:.6g}" for k, v in event["mechanism"].items() if k != "kind")
        lines.append(f"  {event['stage']}: {event['what']}: {event['mechanism']['kind']} {details}".rstrip())
    return "\n".join(lines + [f"  not for release: {reason}" for reason in statement["not_for_release"]])


if __name__ == "__main__":
    sys.exit(main())
