"""The front door's Python half: options, pre-flight, the chain, and the table at the end.

What is slow or not in the standard library is imported late: --help works with a bare Python.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib.errors import DoppelError

if TYPE_CHECKING:
    from lib.chain import Graph

_USAGE = """
  ./run_all.sh                        set up once, then run preset quick
  ./run_all.sh PRESET [--run NAME]    run a folder of params/, given by name or path
  ./run_all.sh sweep GRID [--run NAME]
                                      a preset over a grid of parameters: a file of sweeps/, by name or path
  ./run_all.sh compare [RUN ...]      runs side by side: parameters, figures, epsilon spent together (default: all)
  ./run_all.sh test [PYTEST OPTION]   the tests (the preset of this name: ./run_all.sh params/test)
  ./run_all.sh release STAGE [--run NAME]  pack an arm's records to hand them out, if nothing forbids it
  ./run_all.sh lab                    JupyterLab on the notebooks
  ./run_all.sh setup                  set up and nothing else"""


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 all is up to date, 1 a stage failed, 2 refused before anything started."""
    if arguments[:1] == ["test"]:
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments[1:]])
    if arguments[:1] == ["lab"]:
        os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel before the user's others
        opened = "--LabApp.default_url=/lab/tree/notebooks"  # with results/ in sight beside it
        os.execv(sys.executable, [sys.executable, "-m", "jupyter", "lab", opened, *arguments[1:]])
    if arguments[:1] == ["compare"]:
        from lib.compare.runs import main as compare

        return compare(arguments[1:])
    if arguments[:1] == ["release"]:
        from lib.release import command

        return command.main(arguments[1:])
    sweeping = arguments[:1] == ["sweep"]
    options = _parser().parse_args(arguments[1:] if sweeping else arguments)
    try:
        return _run(_sweep(options) if sweeping else _preset(options), options)
    except DoppelError as error:
        print(f"{error}\nnothing was started", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run_all.sh", usage=_USAGE, allow_abbrev=False)
    parser.add_argument("preset", nargs="?", default="quick", help="or, to sweep, GRID; default: quick")
    parser.add_argument("--run", metavar="NAME", help="outputs go to results/NAME (default: PRESET, or GRID-sweep)")
    parser.add_argument("--dry-run", action="store_true", help="check everything, say what would run and why")
    parser.add_argument("--only", metavar="STAGE", action="append", help="this stage and what it needs; repeatable")
    parser.add_argument("--force", metavar="STAGE", action="append", default=[], help="run it though up to date")
    parser.add_argument("--set", metavar="STAGE.KEY=VALUE", action="append", default=[], help="change a parameter")
    parser.add_argument("--jobs", metavar="N", type=_positive, help="stages at a time (default: 1)")
    parser.add_argument("--profile", metavar="DIR", help="a Snakemake profile: SLURM, Kubernetes, ...")
    return parser


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


def _preset(options: argparse.Namespace) -> "Graph":
    from lib.chain import preflight

    preset = options.preset.rstrip("/").removeprefix("./").removeprefix("params/")
    return preflight(preset, options.run or preset, options.set)


def _sweep(options: argparse.Namespace) -> "Graph":
    from lib.chain import preflight
    from lib.grid import read
    from lib.stage import ROOT

    grid = read(options.preset, ROOT)
    return preflight(grid.preset, options.run or f"{grid.name}-sweep", options.set, grid)


def _run(graph: "Graph", options: argparse.Namespace) -> int:
    from lib.lock import hold

    targets = [id for name in options.only or () for id in graph.find(name, "--only")] or list(graph.nodes)
    forced = [id for name in options.force for id in graph.find(name, "--force")]
    if outside := [id for id in forced if id not in graph.needed(targets)]:
        raise DoppelError(f"--force {outside[0]}: --only leaves it out; name it there too")
    if options.dry_run:
        steps = graph.plan(targets, forced)
        graph.check_budget(steps)
        _show(graph, steps)
        return 0
    with hold(graph.folder / ".lock", f"run {graph.run}"):
        steps = graph.plan(targets, forced)
        if steps:
            graph.check_budget(steps)
            for id in forced:  # only now: a run that is refused takes nothing away
                (graph.folder / id / "done.json").unlink(missing_ok=True)
                shutil.rmtree(graph.folder / id / "checkpoints", ignore_errors=True)
            from lib.engine import run

            if code := run(graph, steps, targets, options.jobs, options.profile):
                return code
        else:
            print("everything is up to date")
    _table(graph)
    return 0


def _show(graph: "Graph", steps: dict[str, str]) -> None:
    width = max(map(len, graph.nodes))
    for id, reason in steps.items():
        print(f"would run  {id:<{width}}  {reason}")
    print(f"{len(steps)} of {len(graph.nodes)} stages would run; nothing was started")


def _table(graph: "Graph") -> None:
    """The arms of a run: each stage that is done and wrote synthetic text."""
    from lib.files import read_json

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
