"""``./run_all.sh release STAGE [--run NAME]``: pack an arm for release, or print every reason that forbids it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError, nearest
from lib.common.lock import hold

if TYPE_CHECKING:
    from lib.release.candidate import Candidate


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: of the command line, after ``release``.

    Returns:
        Exit code: 0 packed (with ``--look``: nothing was found), 1 exact copies were found by ``--look``, 2 refused.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.stage is None and options.new_key is None:
        parser.error("name an arm: STAGE")
    from lib.common import paths  # late, as the others: --help needs no library

    try:
        if options.new_key is not None:
            from lib.release.signature import new_key

            public = new_key(options.new_key)
            print(f"the private key is {options.new_key}: keep it to yourself; give {public} to others")
            return 0
        run = _run(options.run, options.stage)
        with hold(run / ".lock", f"run {run.name}"):  # so that no stage changes while it is packed
            from lib.release.candidate import Candidate
            from lib.release.pack import pack
            from lib.release.signature import private_key

            candidate = Candidate(run, options.stage)
            if options.look:
                return _look(candidate)
            folder = pack(
                candidate,
                scorecard=_scorecard(run),
                licence=options.license,
                language=options.language,
                block_copies=options.block_copies,
                key=None if options.sign is None else private_key(options.sign),
            )
    except DoppelError as error:
        print(f"{error}\nnothing was written", file=sys.stderr)
        return 2
    shown = folder.relative_to(paths.ROOT) if folder.is_relative_to(paths.ROOT) else folder
    print(f"{shown} may be released; check it with: ./run_all.sh verify {shown}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run_all.sh release", description=__doc__, allow_abbrev=False)
    parser.add_argument("stage", metavar="STAGE", nargs="?", help="an arm: a stage that wrote synthetic records")
    parser.add_argument("--run", metavar="NAME", default="quick", help="the run in results/ (default: quick)")
    parser.add_argument("--look", action="store_true", help="print copies of private records, for you alone; no pack")
    parser.add_argument(
        "--block-copies", action="store_true", help="refuse exact copies too; epsilon does not cover that decision"
    )
    parser.add_argument("--sign", metavar="KEY", type=Path, help="sign the pack with this private key (Ed25519, PEM)")
    parser.add_argument("--new-key", metavar="FILE", type=Path, help="make such a key, FILE and FILE.pub, and no pack")
    parser.add_argument("--license", metavar="ID", help="for the card, as Hugging Face spells it: cc-by-4.0, mit, ...")
    parser.add_argument("--language", metavar="CODE", help="of the texts, for the card: en, de, ...")
    return parser


def _look(candidate: "Candidate") -> int:
    """Print what an exact search finds. It decides nothing; who decides by it decides by private text."""
    from lib.release import gate

    findings = gate.copies(candidate, {candidate.file.name: candidate.texts})
    print("\n".join(map(str, findings)) or "no copy of a private record was found")
    print("this is for you alone: a release that depends on it is not covered by epsilon (docs/guarantee.md)")
    return 1 if findings else 0


def _run(name: str, stage: str) -> Path:
    """The folder of a run. Refuses a run or stage that does not exist, or whose name is no name."""
    from lib.common import paths
    from lib.stage.stage import NAME

    for option, value in (("--run", name), ("STAGE", stage)):
        if not NAME.fullmatch(value):
            raise DoppelError(
                "cli.not_a_name",
                f"{option} {value!r}",
                name=option,
                value=value,
                remedy="use letters, digits, '_', '-' and '.' only",
            )
    run = paths.ROOT / "results" / name
    if not run.is_dir():
        known = [path.name for path in run.parent.glob("*") if path.is_dir()]
        raise DoppelError(
            "cli.no_such_run",
            f"--run {name}: no such run in results",
            name="--run",
            value=name,
            remedy=nearest(name, known) if known else "start one with ./run_all.sh",
        )
    arms = sorted({path.parent.name for path in run.glob("*/synthetic.*")})
    if stage not in arms and not (run / stage).is_dir():
        raise DoppelError(
            "cli.no_such_arm",
            f"{stage}: no such arm in results/{name}",
            name="STAGE",
            value=stage,
            remedy=nearest(stage, arms) if arms else "this run has no arm yet",
        )
    return run


def _scorecard(run: Path) -> dict | None:
    """The run's scorecard, for the metrics of the card. Prints why there is none, and skips one that is out of date."""
    from lib.common.files import read_json
    from lib.stage import condition
    from lib.stage.notebook_roles import COMPARES

    files = sorted(run.glob(f"{COMPARES}*/scorecard.json"))
    for file in files:
        if (reason := condition.outdated(run, file.parent.name)) is None:
            return read_json(file)
        print(f"the card has no metrics of {file.parent.name}: {reason}")
    if not files:
        print(f"the card has no metrics: no {COMPARES} is done in {run.name}")
    return None
