"""Recompute a certificate offline: ``./run_all.sh verify results/quick/11_generate.eps8``.

The folder is a stage's (privacy.json) or a release pack (certificate.json). Nothing else is needed: no private data,
no model. Every claim that follows from the events is checked; of a pack also the hash of every file, that there is no
other file, and whether the parts of the certificate fit each other. Of ancestors that lie beside a stage, the hash is
checked, and that no event of theirs is left out.

A hash shows that nothing was changed since. It does not show who made the folder: for that, compare the certificate's
sha256 with one from somebody whom you trust.

``python -m lib.release.verify PATH`` is the same without a set-up, where dp-accounting and pyarrow are installed.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.common.errors import DoppelError, Reason, nearest

UNREADABLE = (DoppelError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError)


def check(folder: Path) -> tuple[Mapping | None, list[Reason]]:
    """The statement in a stage's folder or a release pack, and everything that is wrong with it.

    A file that cannot be read is one of the faults, and the statement may be None.
    """
    from lib.common.files import read_json  # late, as the others: --help and a mistyped path need no library
    from lib.privacy.statement_check import problems, wrong_ancestors
    from lib.release import certificate

    statement, found = None, []
    try:
        if (folder / certificate.NAME).exists() or not (folder / "privacy.json").exists():
            statement = certificate.read(folder)
            found += certificate.changed(folder, statement)
            found += certificate.unfounded(folder, statement)
            found += problems(certificate.ledger_part(statement))
        else:
            statement = read_json(folder / "privacy.json")
            found += problems(statement) + wrong_ancestors(folder, statement)
    except UNREADABLE as error:
        found.append(Reason("release.unreadable", f"cannot be read: {type(error).__name__}: {error}"))
    return statement, found


def main(arguments: Sequence[str], prog: str = "./run_all.sh verify") -> int:
    """Exit code: 0 all is verified, 1 something is wrong, 2 refused before anything was checked."""
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "path", metavar="PATH", type=Path, nargs="+", help="the folder of a stage or of a release pack, or a file in it"
    )
    paths = parser.parse_args(arguments).path
    try:
        for path in paths:
            _check_there(path)
        wrong = [_tell(path) for path in paths]
        return int(any(wrong))
    except DoppelError as error:
        print(error, file=sys.stderr)
    except ModuleNotFoundError as error:
        print(f"not checked: this Python has no {error.name}; ./run_all.sh verify sets up its own", file=sys.stderr)
    return 2


def _check_there(path: Path) -> None:
    """Refuse a path that leads nowhere."""
    if path.exists():
        return
    marks = ("privacy.json", "certificate.json")
    beside = {one.parent.name for mark in marks for one in path.absolute().parent.glob(f"*/{mark}")}
    hint = "; " + nearest(path.name, beside) if beside else "; give the folder of a stage or of a release pack"
    raise DoppelError(f"{path.absolute()}: there is no such file or folder{hint}")


def _tell(path: Path) -> bool:
    """Print what was found at a path; whether anything is wrong."""
    statement, found = check(path if path.is_dir() else path.parent)
    try:
        print(f"{path}:" if statement is None else _summary(statement))
    except UNREADABLE:  # what is wrong with it follows
        print(f"{path}:")
    print("\n".join(f"  WRONG  {problem}" for problem in found) or f"  VERIFIED: {_checked(statement)}")
    return bool(found)


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
    sys.exit(main(sys.argv[1:], prog="python -m lib.release.verify"))
