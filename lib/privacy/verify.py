"""Recompute a certificate offline: ``python -m lib.privacy.verify results/quick/02_generate.eps8``.

The folder is a stage's (privacy.json) or a release pack (certificate.json). Nothing else is needed: no private data,
no model. Every claim that follows from the events is checked; of a pack also the hash of every file, that there is no
other file, and whether the parts of the certificate fit each other. Ancestors that lie beside a stage are checked by
their hash.

A hash shows that nothing was changed since. It does not show who made the folder: for that, compare the certificate's
sha256 with one from somebody whom you trust.
"""

import argparse
import math
import sys
from collections.abc import Mapping
from pathlib import Path

from lib.errors import DoppelError
from lib.files import read_json, sha256
from lib.privacy.accounting import ACCOUNTANT, MIN_NOISE_MULTIPLIER, DiscreteGaussian, Gaussian, Mechanism
from lib.privacy.ledger import NEIGHBOURS, Ledger, from_statement, not_for_release
from lib.release import certificate

SAME_LIBRARY, OTHER_LIBRARY = 1e-9, 1e-2  # relative difference of epsilon that is allowed; of another one, upwards
UNREADABLE = (DoppelError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError)


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
    if statement["accountant"]["method"] != ACCOUNTANT["method"]:
        found.append(f"accountant: {statement['accountant']['method']!r} is not recomputed here")
    if impossible := [event.stage for event in ledger.events if not _possible(event.mechanism)]:
        return [*found, f"{', '.join(impossible)}: no mechanism has these figures, so epsilon is not recomputed"]
    return found + _wrong_epsilon(statement, ledger)


def _possible(mechanism: Mechanism) -> bool:
    """Whether Doppel could have run a mechanism of these figures; others might keep the accountant busy for ever."""
    match mechanism:
        case Gaussian(noise, probability, count):
            return MIN_NOISE_MULTIPLIER <= noise < math.inf and 0 < probability <= 1 and _count(count)
        case DiscreteGaussian(scale, sensitivity, count):
            return MIN_NOISE_MULTIPLIER <= scale < math.inf and _count(sensitivity) and _count(count)
    return True  # not private: no figures


def _count(value: object) -> bool:
    return type(value) is int and 1 <= value <= 10**7


def _wrong_epsilon(statement: Mapping, ledger: Ledger) -> list[str]:
    spent, stated, target = ledger.epsilon, statement["epsilon"], statement["target_epsilon"]
    if stated is None:
        return [] if math.isinf(spent) else [f"epsilon: none is stated, the events compose to {spent:.6f}"]
    above = SAME_LIBRARY if statement["accountant"] == ACCOUNTANT else OTHER_LIBRARY  # less is never stated
    found = []
    if not spent * (1 - SAME_LIBRARY) - 1e-12 <= stated <= spent * (1 + above) + 1e-12:
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


def check(folder: Path) -> tuple[Mapping | None, list[str]]:
    """The statement in a stage's folder or a release pack, and everything that is wrong with it.

    A file that cannot be read is one of the faults, and the statement may be None.
    """
    statement, found = None, []
    try:
        if (folder / certificate.NAME).exists() or not (folder / "privacy.json").exists():
            statement = certificate.read(folder)
            found += certificate.changed(folder, statement)
            found += certificate.unfounded(folder, statement)
            found += problems(certificate.ledger_part(statement))
        else:
            statement = read_json(folder / "privacy.json")
            found += problems(statement) + changed_ancestors(folder, statement)
    except UNREADABLE as error:
        found.append(f"cannot be read: {type(error).__name__}: {error}")
    return statement, found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m lib.privacy.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "path", type=Path, nargs="+", help="the folder of a stage or of a release pack, or a file in it"
    )
    failed = False
    for path in parser.parse_args().path:
        statement, found = check(path if path.is_dir() else path.parent)
        try:
            print(f"{path}:" if statement is None else _summary(statement))
        except UNREADABLE:  # what is wrong with it follows
            print(f"{path}:")
        print("\n".join(f"  WRONG  {problem}" for problem in found) or f"  VERIFIED: {_checked(statement)}")
        failed |= bool(found)
    return int(failed)


def _checked(statement: Mapping) -> str:
    if "files" not in statement:
        return "every claim follows from the events"
    return f"every claim follows from the events, {len(statement['files'])} files are as they were packed"


def _summary(statement: Mapping) -> str:
    spent, target = statement["epsilon"], statement["target_epsilon"]
    share = f", {spent / target:.4f} of the target {target:g}" if spent is not None and target else ""
    lines = [
        f"{statement['stage']}: epsilon {'unbounded' if spent is None else f'{spent:.6f}'}{share}, delta "
        f"{statement['delta']:.3g}, {statement['units']:,} units: {statement['neighbours']}"
    ]
    for event in statement["events"]:
        details = ", ".join(f"{k.replace('_', ' ')} {v:.6g}" for k, v in event["mechanism"].items() if k != "kind")
        lines.append(f"  {event['stage']}: {event['what']}: {event['mechanism']['kind']} {details}".rstrip())
    lines += [f"  not for release: {reason}" for reason in statement["not_for_release"]]
    return "\n".join(lines + (_release(statement) if "files" in statement else []))


def _release(statement: Mapping) -> list[str]:
    """What a pack says besides: records, audit, code, and the hash to compare."""
    audit, commits = statement["audit"], {code["commit"] or "unknown" for code in statement["code"].values()}
    dirty = ", with changes that were not committed" if any(c["dirty"] for c in statement["code"].values()) else ""
    return [
        f"  {statement['records']:,} records of run {statement['run']}, finished {statement['finished']}",
        f"  accountant: {statement['accountant']['library']}; public: {', '.join(statement['public'])}",
        f"  audit: {audit['verdict'] or 'none: ' + audit['because']}",
        f"  code: commit {' and '.join(sorted(commits))}{dirty}",
        f"  certificate: sha256 {statement['sha256']}",
    ]


if __name__ == "__main__":
    sys.exit(main())
