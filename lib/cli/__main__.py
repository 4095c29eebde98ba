"""The front door's Python half: options, pre-flight, the chain, and the table at the end.

What is slow or not in the standard library is imported late: --help works with a bare Python.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError

if TYPE_CHECKING:
    from lib.common.errors import Reason
    from lib.pipeline.graph import Graph

_USAGE = """
  ./run_all.sh                        set up once, then run preset quick
  ./run_all.sh PRESET [--run NAME]    run a folder of params/, given by name or path
  ./run_all.sh sweep GRID [--run NAME]
                                      a preset over a grid of parameters: a file of sweeps/, by name or path
  ./run_all.sh compare [RUN ...]      runs side by side: parameters, figures, epsilon spent together (default: all)
  ./run_all.sh test [PYTEST OPTION]   the tests (the preset of this name: ./run_all.sh params/test)
  ./run_all.sh release STAGE [--run NAME]  pack an arm's records to hand them out, if nothing forbids it
  ./run_all.sh verify PATH ...        recompute the certificate of a stage or of a release pack
  ./run_all.sh budget [SOURCE]        what all runs have spent on each corpus, or on one charge by charge
  ./run_all.sh lab                    JupyterLab on the notebooks
  ./run_all.sh setup                  set up and nothing else
  ./run_all.sh COMMAND --help         the options of sweep, compare, test, release, verify, budget or lab"""

_COMMANDS = {  # each is main(arguments) of a module, imported late
    "compare": "lib.cli.compare",
    "release": "lib.cli.release",
    "verify": "lib.release.verify",
    "budget": "lib.cli.budget",
}


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 all is up to date, 1 a stage failed, 2 refused before anything started."""
    command, rest = arguments[:1], arguments[1:]
    if command == ["test"]:
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *rest])
    if command == ["lab"]:
        os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel before the user's others
        opened = "--LabApp.default_url=/lab/tree/notebooks"  # with results/ in sight beside it
        os.execv(sys.executable, [sys.executable, "-m", "jupyter", "lab", opened, *rest])
    if command and command[0] in _COMMANDS:
        return import_module(_COMMANDS[command[0]]).main(rest)
    sweeping = command == ["sweep"]
    options = _sweep_parser().parse_args(rest) if sweeping else _parser().parse_args(arguments)
    try:
        return _run(_sweep(options) if sweeping else _preset(options), options)
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
    """With what all chains take; ``run`` is how a run is called that was not named."""
    parser.add_argument("--run", metavar="NAME", help=f"outputs go to results/NAME (default: {run})")
    parser.add_argument("--dry-run", action="store_true", help="check everything, say what would run and why")
    parser.add_argument("--only", metavar="STAGE", action="append", help="this stage and what it needs; repeatable")
    parser.add_argument(
        "--force",
        metavar="STAGE",
        action="append",
        default=[],
        help="run it though up to date; says what that costs the corpus",
    )
    parser.add_argument("--set", metavar="STAGE.KEY=VALUE", action="append", default=[], help="change a parameter")
    parser.add_argument("--jobs", metavar="N", type=_positive, help="stages at a time (default: 1)")
    parser.add_argument("--profile", metavar="DIR", help="a Snakemake profile: SLURM, Kubernetes, ...")
    return parser


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


def _preset(options: argparse.Namespace) -> "Graph":
    from lib.pipeline.preflight import preflight

    preset = _preset_name(options.preset)
    return preflight(preset, options.run or preset, options.set)


def _preset_name(given: str) -> str:
    """Of a folder of params/, given by name or path."""
    from lib.common import paths

    folder, path = paths.ROOT / "params", Path(given)
    if path.parts == (path.name,):  # a name
        return path.name
    if (paths.ROOT / path).parent.resolve() != folder.resolve():
        raise DoppelError(f"{given}: a preset is a folder of {folder}, given by name or path; copy yours there")
    return path.name


def _sweep(options: argparse.Namespace) -> "Graph":
    from lib.common import paths
    from lib.pipeline.grid import read
    from lib.pipeline.preflight import preflight

    grid = read(options.grid, paths.ROOT)
    return preflight(grid.preset, options.run or f"{grid.name}-sweep", options.set, grid)


def _run(graph: "Graph", options: argparse.Namespace) -> int:
    from lib.common.lock import hold
    from lib.pipeline.budget_check import check_budget, cost

    targets = [id for name in options.only or () for id in graph.find(name, "--only")] or list(graph.nodes)
    forced = [id for name in options.force for id in graph.find(name, "--force")]
    if outside := [id for id in forced if id not in graph.needed(targets)]:
        raise DoppelError(
            "cli.forced_stage_left_out",
            f"--force {outside[0]}: --only leaves it out",
            name="--force",
            value=outside[0],
            remedy="name it there too",
        )
    if options.dry_run:
        steps = graph.plan(targets, forced)
        check_budget(graph, steps)
        _show(graph, steps, targets)
        _print_lines(cost(graph, steps))
        print(f"{len(steps)} of {len(graph.nodes)} stages would run; nothing was started")
        return 0
    with hold(graph.folder / ".lock", f"run {graph.run}"):
        steps = graph.plan(targets, forced)
        if steps:
            check_budget(graph, steps)
            _print_lines(cost(graph, steps))
            for id in forced:  # only now: a run that is refused takes nothing away
                (graph.folder / id / "done.json").unlink(missing_ok=True)
                shutil.rmtree(graph.folder / id / "checkpoints", ignore_errors=True)
            from lib.pipeline.snakemake import run

            if code := run(graph, steps, targets, options.jobs, options.profile):
                return code
        else:
            print("everything is up to date")
    _table(graph)
    _print_lines(_kept(graph, targets))
    return 0


def _show(graph: "Graph", steps: Mapping[str, "Reason"], targets: Sequence[str]) -> None:
    width = max(map(len, graph.nodes))
    for id, reason in steps.items():
        print(f"would run  {id:<{width}}  {reason}")
    for line in _kept(graph, [id for id in targets if id not in steps]):
        print(f"kept       {line}")


def _kept(graph: "Graph", targets: Sequence[str]) -> list[str]:
    """A sentence for each stage that an older version made and that is kept."""
    from lib.stage.condition import version_note
    from lib.stage.finished import read_stage

    kept = graph.kept(targets)
    return [version_note(id, read_stage(graph.folder / id).commit, reason) for id, reason in kept.items()]


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def _table(graph: "Graph") -> None:
    """The arms of a run: each stage that is done and wrote synthetic text."""
    from lib.common.files import read_json

    rows = [("arm", "epsilon spent", "records", "held-out loss", "files")]
    for id in graph.nodes:
        folder = graph.folder / id
        if not ((folder / "synthetic.jsonl").is_file() and (folder / "done.json").is_file()):
            continue
        metrics, epsilon = read_json(folder / "metrics.json"), read_json(folder / "privacy.json").get("epsilon")
        loss = f"{metrics['held_out_loss']:.3f}" if "held_out_loss" in metrics else "-"
        if "held_out_loss_low" in metrics and "held_out_loss_high" in metrics:
            loss += f" ({metrics['held_out_loss_low']:.3f} to {metrics['held_out_loss_high']:.3f})"
        spent = "not private" if epsilon is None else f"{epsilon:.4f}"
        rows.append((id, spent, str(metrics.get("records", "-")), loss, f"results/{graph.run}/{id}"))
    if len(rows) > 1:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print()
        for row in rows:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
