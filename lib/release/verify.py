"""Recompute a certificate offline: ``./run_all.sh verify results/quick/11_generate.eps8``.

The folder is a stage's (privacy.json) or a release pack (certificate.json). Nothing else is needed: no private data and
no model. Every claim that follows from the events is checked. Of a pack, also the hash of every file is checked, that
there is no other file, and that the parts of the certificate fit each other. Of ancestors that lie beside a stage, the
hash is checked, and that none of their events is left out.

A hash shows that nothing was changed since. It does not show who made the folder: for that, compare the certificate's
sha256 with one from somebody whom you trust.

``python -m lib.release.verify PATH`` does the same without a set-up, where dp-accounting and pyarrow are installed.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.common.errors import DoppelError, Reason, nearest

UNREADABLE = (DoppelError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError)


def check(folder: Path) -> tuple[Mapping | None, list[Reason]]:
    """Check the statement in a stage's folder, or a release pack.

    Args:
        folder: of the stage or the pack.

    Returns:
        The statement or certificate, None where it cannot be read; and everything that is wrong with it, empty when
        nothing is. A file that cannot be read is one of the reasons and raises nothing.
    """
    from lib.common.files import read_json  # late, as the others: --help and a mistyped path need no library
    from lib.privacy.statement_check import problems, wrong_ancestors
    from lib.release import certificate

    statement, wrong = None, []
    try:
        if (folder / certificate.NAME).exists() or not (folder / "privacy.json").exists():
            statement = certificate.read(folder)
            wrong += certificate.changed(folder, statement)
            wrong += certificate.unfounded(folder, statement)
            wrong += problems(certificate.ledger_part(statement))
        else:
            statement = read_json(folder / "privacy.json")
            wrong += problems(statement) + wrong_ancestors(folder, statement)
    except DoppelError as error:
        wrong.append(Reason(error.code, f"cannot be read: {error}"))
    except UNREADABLE as error:
        wrong.append(Reason("release.unreadable", f"cannot be read: {type(error).__name__}: {error}"))
    return statement, wrong


def main(arguments: Sequence[str], prog: str = "./run_all.sh verify") -> int:
    """Run the command.

    Args:
        arguments: of the command line, after ``verify``.
        prog: how the command was called, for its help.

    Returns:
        Exit code: 0 all is verified, 1 something is wrong, 2 refused before anything was checked.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "path", metavar="PATH", type=Path, nargs="+", help="the folder of a stage or of a release pack, or a file in it"
    )
    paths = parser.parse_args(arguments).path
    try:
        for path in paths:
            _check_exists(path)
        verified = [_report(path) for path in paths]
        return 0 if all(verified) else 1
    except DoppelError as error:
        print(error, file=sys.stderr)
    except ModuleNotFoundError as error:
        print(f"not checked: this Python has no {error.name}; ./run_all.sh verify sets up its own", file=sys.stderr)
    return 2


def _check_exists(path: Path) -> None:
    """Refuse a path that does not exist, even if a certificate lies beside it."""
    if path.exists():
        return
    statements = ("privacy.json", "certificate.json")
    beside = {file.parent.name for name in statements for file in path.absolute().parent.glob(f"*/{name}")}
    raise DoppelError(
        "release.no_such_path",
        "there is no such file or folder",
        name="PATH",
        value=str(path),
        remedy=nearest(path.name, beside) if beside else "give the folder of a stage or of a release pack",
        where=str(path.absolute()),
    )


def _report(path: Path) -> bool:
    """Print what the check of a path says; True when nothing is wrong."""
    statement, wrong = check(path if path.is_dir() else path.parent)
    try:
        print(f"{path}:" if statement is None else _summary(statement))
    except UNREADABLE:  # the reasons below say what is wrong with it
        print(f"{path}:")
    print("\n".join(f"  WRONG  {reason}" for reason in wrong) or f"  VERIFIED: {_verified(statement)}")
    return not wrong


def _verified(statement: Mapping) -> str:
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
        figures = {name: figure for name, figure in event["mechanism"].items() if name != "kind"}
        details = ", ".join(f"{name.replace('_', ' ')} {figure:.6g}" for name, figure in figures.items())
        lines.append(f"  {event['stage']}: {event['what']}: {event['mechanism']['kind']} {details}".rstrip())
    lines += [f"  not for release: {reason}" for reason in statement["not_for_release"]]
    return "\n".join(lines + (_release(statement) if "files" in statement else []))


def _release(statement: Mapping) -> list[str]:
    """The lines that only a pack has: records, audit, code, and the hash to compare."""
    audit, stages = statement["audit"], statement["code"].values()
    commits = {code["commit"] or "unknown" for code in stages}
    dirty = ", with changes that were not committed" if any(code["dirty"] for code in stages) else ""
    return [
        f"  {statement['records']:,} records of run {statement['run']}, finished {statement['finished']}",
        f"  accountant: {statement['accountant']['library']}; public: {', '.join(statement['public'])}",
        f"  audit: {audit['verdict'] or 'none: ' + audit['because']}",
        f"  code: commit {' and '.join(sorted(commits))}{dirty}",
        f"  certificate: sha256 {statement['sha256']}",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], prog="python -m lib.release.verify"))
