"""The command line behind ``./run_all.sh``: its commands and their options.

What is slow or not in the standard library is imported late, so that ``--help`` works with a bare Python.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from lib.common import paths, system
from lib.common.errors import DoppelError

_USAGE = """
  ./run_all.sh                        set up once, then run preset quick
  ./run_all.sh PRESET [--run NAME]    run a folder of params/, given by name or path
  ./run_all.sh new FILE               a preset for your own CSV, JSONL, Parquet or hub set, by options or questions
  ./run_all.sh sweep GRID [--run NAME]
                                      a preset over a grid of parameters: a file of sweeps/, by name or path
  ./run_all.sh compare [RUN ...]      runs side by side: parameters, metrics, combined epsilon (default: all)
  ./run_all.sh test [PYTEST OPTION]   the tests (the preset of this name: ./run_all.sh params/test)
  ./run_all.sh release STAGE [--run NAME]  pack an arm's records for release, if nothing forbids it
  ./run_all.sh verify PATH ...        recompute the certificate of a stage or of a release pack
  ./run_all.sh budget [SOURCE]        what all runs have spent on each corpus, or on one corpus charge by charge
  ./run_all.sh check-machine          each path in small on this machine: the first thing to run where there is a GPU
  ./run_all.sh lab                    JupyterLab on the notebooks
  ./run_all.sh setup [--cpu]          set up and nothing else; --cpu: for a machine without a GPU, less to download
  ./run_all.sh COMMAND --help         the options of new, sweep, compare, test, release, verify, ..."""

_COMMANDS = {  # by name, the module whose main(arguments) is the command
    "new": "lib.cli.new",
    "compare": "lib.cli.compare",
    "release": "lib.cli.release",
    "verify": "lib.release.verify",
    "budget": "lib.cli.budget",
    "check-machine": "lib.cli.check_machine",
}

MOST_WORKERS = 4  # processes that test at once; each loads torch
_LAB = (
    "--LabApp.default_url=/lab/tree/notebooks",  # the project stays the root, so results/ can be seen too
    # nothing is asked of the user, nor of a server elsewhere
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)


def main(arguments: Sequence[str]) -> int:
    """Run a command.

    Args:
        arguments: of the command line, after ``./run_all.sh``.

    Returns:
        Exit code of a preset or a sweep: 0 everything is up to date, 1 a stage failed, 2 refused before anything was
        started. That of another command is its own.
    """
    try:
        with system.refusals():
            return _command(arguments[:1], arguments[1:], arguments)
    except DoppelError as error:
        print(error, file=sys.stderr)
        return 2


def _command(command: Sequence[str], rest: Sequence[str], arguments: Sequence[str]) -> int:
    if command and command[0] in _COMMANDS:
        return import_module(_COMMANDS[command[0]]).main(rest)
    if command in (["test"], ["lab"]):
        system.ensure_home(paths.HOME)
    if command == ["test"]:
        workers = min(os.cpu_count() or 1, MOST_WORKERS)
        at_once = ["-n", str(workers), "--dist", "loadfile"]  # tests of a file share its fixtures
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *(rest or at_once)])
    if command == ["lab"]:
        os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel before others of the user
        os.execv(sys.executable, [sys.executable, "-m", "jupyter", "lab", *_LAB, *rest])
    sweeping = command == ["sweep"]
    options = _sweep_parser().parse_args(rest) if sweeping else _parser().parse_args(arguments)
    from lib.cli import run  # late: --help needs no library

    system.ensure_home(paths.HOME)
    try:
        return run.run_sweep(options) if sweeping else run.run_preset(options)
    except DoppelError as error:
        print(f"{error}\nnothing was started", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run_all.sh", usage=_USAGE, allow_abbrev=False)
    parser.add_argument("preset", metavar="PRESET", nargs="?", default="quick", help="default: quick")
    return _with_options(parser, "PRESET")


def _sweep_parser() -> argparse.ArgumentParser:
    about = "A preset over a grid of parameters."
    parser = argparse.ArgumentParser(prog="./run_all.sh sweep", description=about, allow_abbrev=False)
    parser.add_argument(
        "grid", metavar="GRID", nargs="?", default="quick", help="a file of sweeps/, by name or path (default: quick)"
    )
    return _with_options(parser, "GRID-sweep")


def _with_options(parser: argparse.ArgumentParser, run: str) -> argparse.ArgumentParser:
    """A parser with the options of presets and sweeps; ``run`` is the default name of a run, as its help shows it."""
    parser.add_argument("--run", metavar="NAME", help=f"outputs go to results/NAME (default: {run})")
    parser.add_argument("--dry-run", action="store_true", help="check everything; print what would run, and why")
    parser.add_argument("--only", metavar="STAGE", action="append", help="run this stage and what it needs; repeatable")
    parser.add_argument(
        "--force",
        metavar="STAGE",
        action="append",
        default=[],
        help="run it even if it is up to date; prints what that costs the corpus",
    )
    parser.add_argument("--set", metavar="STAGE.KEY=VALUE", action="append", default=[], help="change a parameter")
    parser.add_argument("--jobs", metavar="N", type=_positive, help="stages at a time (default: 1)")
    parser.add_argument("--profile", metavar="DIR", help="a Snakemake profile: SLURM, Kubernetes, ...")
    return parser


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
