"""Recompute a certificate offline: ``./run_all.sh verify results/quick/11_generate.eps8``.

The folder is a stage's (privacy.json) or a release pack (certificate.json). Nothing else is needed: no private data and
no model. What is shown is arithmetic: epsilon follows from the events that the holder reports. Of a pack, also that its
events are those that its settings ask for, that its card and the certificate say the same, and that its files are those
that were packed. Of ancestors that lie beside a stage, the hash is checked, and that none of their events is left out.

Nothing here shows that the events took place as they are reported. A hash shows that nothing was changed since; it does
not show who made the folder: for that, compare the certificate's sha256 with one from somebody whom you trust.

``python -m lib.release.verify PATH`` does the same without a set-up. It needs dp-accounting, pyarrow and regex.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from lib.common import limited
from lib.common.errors import DoppelError, Reason, nearest
from lib.common.printable import printable

SECONDS, MEMORY = 10, 2 * 2**30  # processor time and memory for a folder, and time for the size of its records
PER_SECOND = 2_000_000  # bytes of records
UNREADABLE = {"release.file_missing", "release.no_regular_file", "release.file_too_large"}  # then no file is opened

NOT_SHOWN = "that the events took place as reported, and who reports them"
NOT_SHOWN_OF_A_PACK = "that events and audit took place as reported, and who made the pack: ask for its sha256"


def check(folder: Path) -> tuple[Mapping | None, list[Reason]]:
    """Check the statement in a stage's folder, or a release pack.

    Args:
        folder: of the stage or the pack.

    Returns:
        The statement or certificate, None where it cannot be read; and everything that is wrong with it, empty when
        nothing is. A file that cannot be read is one of the reasons and raises nothing.
    """
    from lib.release import certificate  # late, as the others: --help and a mistyped path need no library

    wrong: list[Reason] = []
    statement = None
    try:
        is_pack = (folder / certificate.NAME).exists() or not (folder / "privacy.json").exists()
        statement, faults = _pack(folder) if is_pack else _stage(folder)
        for reason in faults:
            wrong.append(reason)
    except ModuleNotFoundError:
        raise
    except DoppelError as error:
        wrong.append(Reason(error.code, f"cannot be read: {error}"))
    except Exception as error:  # whatever a damaged or forged file brings about
        wrong.append(Reason("release.unreadable", f"cannot be read: {type(error).__name__}: {error}"))
    return statement, wrong


def _pack(folder: Path) -> tuple[Mapping | None, Iterator[Reason] | list[Reason]]:
    """The certificate of a pack, None where its values make no sense, and what is wrong with the pack."""
    from lib.release import certificate
    from lib.release.certificate_shape import malformed

    whole = certificate.read(folder)
    if wrong := malformed(whole):
        return None, wrong
    return whole, _wrong_pack(folder, whole)


def _wrong_pack(folder: Path, whole: Mapping) -> Iterator[Reason]:
    from lib.privacy.statement_check import problems
    from lib.release import certificate, cross_checks

    changed = list(certificate.changed(folder, whole))
    yield from changed
    yield from problems(certificate.ledger_part(whole))
    yield from cross_checks.unfounded(whole)
    if not any(reason.code in UNREADABLE for reason in changed):
        yield from cross_checks.in_files(folder, whole)


def _stage(folder: Path) -> tuple[Mapping | None, list[Reason]]:
    """The statement of a stage, None where its values make no sense, and what is wrong with it."""
    from lib.common.files import read_bounded
    from lib.privacy.statement_check import MOST_BYTES, problems, wrong_ancestors
    from lib.release.cross_checks import missing_events

    statement = json.loads(read_bounded(folder / "privacy.json", MOST_BYTES))
    wrong = problems(statement)
    if any(reason.code == "privacy.statement_malformed" for reason in wrong):
        return None, wrong
    return statement, [*wrong, *missing_events(statement), *wrong_ancestors(folder, statement)]


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
    parser.add_argument("--key", metavar="FILE", type=Path, help="the public key of who must have signed the packs")
    given = parser.parse_args(arguments)
    paths = given.path
    try:
        for path in paths:
            _check_exists(path)
        for name in ("dp_accounting", "pyarrow", "regex"):
            if find_spec(name) is None:
                raise ModuleNotFoundError(name=name)
        verified = [_report(path, given.key) for path in paths]
        return 0 if all(verified) else 1
    except DoppelError as error:
        print(printable(error, 1000), file=sys.stderr)
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


def _report(path: Path, key: Path | None) -> bool:
    """Print what the check of a path says; True when nothing is wrong. Each line begins with a word of its own."""
    from lib.release import signature  # late, as in `check`

    folder = path if path.is_dir() else path.parent
    statement, wrong = _limited(folder)
    signed = None
    try:
        signed = signature.signer(folder, key)
    except DoppelError as error:
        wrong = [*wrong, Reason(error.code, str(error))]
    lines = ["", *([] if statement is None else _summary(statement))]
    if signed is not None:
        whose = "the key that was given" if key else "the key below; ask its owner whether it is theirs, or give --key"
        lines += [f"signed: by {whose}", f"key: {signed}"]
    lines += [f"WRONG  {reason}" for reason in wrong]
    if not wrong:
        in_pack = "files" in statement
        lines += [f"VERIFIED: {_verified(statement)}", f"not shown: {NOT_SHOWN_OF_A_PACK if in_pack else NOT_SHOWN}"]
    print(f"{printable(path)}:" + "\n  ".join(printable(line, 1000) for line in lines))
    return not wrong


def _limited(folder: Path) -> tuple[Mapping | None, list[Reason]]:
    """What `check` says, in bounded time and memory: the folder may be made so that it takes for ever."""
    names = ("records.jsonl", "records.csv", "records.parquet", "labelled.jsonl")
    sizes = [path.stat().st_size for path in (folder / name for name in names) if path.is_file()]
    seconds = SECONDS + min(sum(sizes), 2**29) // PER_SECOND
    try:
        return limited.call(check, folder, seconds=seconds, memory=MEMORY)
    except DoppelError as error:
        return None, [Reason(error.code, str(error))]


def _verified(statement: Mapping) -> str:
    from lib.release.certificate import FORMAT

    epsilon = "epsilon follows from the events that the holder reports"
    if "guarantee" in statement:
        epsilon += ", and the guarantee from the draws"
    if "files" not in statement:
        return epsilon
    card = "is what Doppel writes from it" if statement["format"] == FORMAT else "names its figures"
    return (
        f"{epsilon}, and these from the settings that the certificate lists; the card {card}; "
        f"{len(statement['files'])} files are as they were packed"
    )


def _summary(statement: Mapping) -> Iterator[str]:
    """Lines on a statement whose values make sense, each behind a word that says what it is."""
    spent, target = statement["epsilon"], statement["target_epsilon"]
    share = f", {spent / target:.4f} of the target {target:g}" if spent is not None and target else ""
    yield (
        f"stage {statement['stage']}: epsilon {'unbounded' if spent is None else f'{spent:.6f}'}{share}, delta "
        f"{statement['delta']:.3g}, {statement['units']:,} units: {statement['neighbours']}"
    )
    for event in statement["events"]:
        figures = {name: figure for name, figure in event["mechanism"].items() if name != "kind"}
        details = ", ".join(f"{name.replace('_', ' ')} {figure}" for name, figure in figures.items())
        yield f"event {event['stage']}: {event['what']}: {event['mechanism']['kind']} {details}"
    for reason in statement["not_for_release"]:
        yield f"not for release: {reason}"
    if "files" in statement:
        yield from _release(statement)


def _release(statement: Mapping) -> Iterator[str]:
    """The lines that only a pack has: records, audit, code, and the hash to compare."""
    audit, stages = statement["audit"], statement["code"].values()
    commits = {code["commit"] or "unknown" for code in stages}
    dirty = ", with changes that were not committed" if any(code["dirty"] for code in stages) else ""
    yield f"{statement['records']:,} records of run {statement['run']}, finished {statement['finished']}"
    yield f"accountant: {statement['accountant']['library']}; public: {', '.join(statement['public'])}"
    if "guarantee" in statement:
        whole = statement["guarantee"]
        yield (
            f"guarantee: epsilon {whole['epsilon']:.6f}, of {whole['covers']} ({whole['charges']:,} draws); "
            f"{whole['epsilon_replacing']:.6f} where one unit is replaced by another"
        )
    run = audit["verdict"] if "verdict" in audit else audit["attacked"] and "run"
    yield f"audit, as reported: {run or 'none: ' + audit['because']}"
    yield f"code, as reported: commit {' and '.join(sorted(commits))}{dirty}"
    yield f"certificate: sha256 {statement['sha256']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], prog="python -m lib.release.verify"))
