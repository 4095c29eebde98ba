"""``./run_all.sh PRESET`` and ``./run_all.sh sweep GRID``: pre-flight, the stages, and a table of the arms."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.common import paths, system
from lib.common.errors import DoppelError, Reason
from lib.common.files import read_json, remove_folder, remove_parts
from lib.common.formatting import NOT_PRIVATE
from lib.common.lock import hold
from lib.pipeline import grid
from lib.pipeline.graph import Graph
from lib.pipeline.preflight import preflight
from lib.privacy import advisories
from lib.stage import fingerprint
from lib.stage.condition import version_note
from lib.stage.finished import read_stage, tidy


def run_preset(options: argparse.Namespace) -> int:
    """Run a preset, or print what would run.

    Args:
        options: of the command line: ``preset``, a name or path, and what `lib.cli.__main__` gives all runs.

    Returns:
        Exit code: 0 everything is up to date, 1 a stage failed.

    Raises:
        DoppelError: pre-flight or the budget check refuses the run. Nothing was started then.
    """
    preset = _preset_name(options.preset)
    return _run(preflight(preset, options.run or preset, options.set), options)


def run_sweep(options: argparse.Namespace) -> int:
    """Run a preset over a grid of parameters, or print what would run.

    Args:
        options: of the command line: ``grid``, a name or path, and what `lib.cli.__main__` gives all runs.

    Returns:
        Exit code: 0 everything is up to date, 1 a stage failed.

    Raises:
        DoppelError: pre-flight or the budget check refuses the run. Nothing was started then.
    """
    chosen = grid.read(options.grid, paths.ROOT)
    graph = preflight(chosen.preset, options.run or f"{chosen.name}-sweep", options.set, chosen)
    return _run(graph, options, sweep=True)


def _preset_name(given: str) -> str:
    """The name of a preset that was given by name or path."""
    folder, path = paths.ROOT / "params", Path(given)
    if path.parts == (path.name,):  # a name
        return path.name
    if (paths.ROOT / path).parent.resolve() != folder.resolve():
        raise DoppelError(
            "cli.no_preset_folder",
            f"a preset is a folder of {folder}, given by name or path",
            name="PRESET",
            value=given,
            remedy="copy yours there",
            where=given,
        )
    return path.name


def _run(graph: Graph, options: argparse.Namespace, *, sweep: bool = False) -> int:
    # late: a typo is refused before the accountant is loaded
    from lib.pipeline import asked, memory
    from lib.pipeline.budget_check import check_budget, cost
    from lib.pipeline.choosing import cost_of_choosing

    system.check_writable(graph.folder)
    targets = [stage for name in options.only or () for stage in graph.find(name, "--only")] or list(graph.nodes)
    forced = _forced(graph, options.force, targets)

    def print_costs(steps: Mapping[str, Reason]) -> None:
        choosing = cost_of_choosing(graph, steps) if sweep else []
        _print_lines([*cost(graph, steps), *choosing, *asked.lines(graph, steps), *memory.lines(graph, steps)])

    if options.dry_run:
        steps = graph.plan(targets, forced)
        check_budget(graph, steps)
        _print_plan(graph, steps, targets)
        print_costs(steps)
        print(f"{len(steps)} of {len(graph.nodes)} stages would run; nothing was started")
        return 0
    with hold(graph.folder / ".lock", f"run {graph.run}"):
        remove_parts(graph.folder, "chain.json")
        for stage in graph.nodes:
            tidy(graph.folder / stage)
        steps = graph.plan(targets, forced)
        if steps:
            check_budget(graph, steps)
            print_costs(steps)
            for stage in forced:  # only now: a run that is refused deletes nothing
                (graph.folder / stage / fingerprint.DONE).unlink(missing_ok=True)
                remove_folder(graph.folder / stage / fingerprint.CHECKPOINTS)
            from lib.pipeline import snakemake

            if code := snakemake.run(graph, steps, targets, options.jobs, options.profile):
                return code
        else:
            print("everything is up to date")
    _print_arms(graph)
    _print_lines(_kept(graph, targets))
    return 0


def _forced(graph: Graph, names: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Ids of the stages that ``--force`` names."""
    forced = [stage for name in names for stage in graph.find(name, "--force")]
    needed = graph.needed(targets)
    if outside := [stage for stage in forced if stage not in needed]:
        raise DoppelError(
            "cli.forced_stage_left_out",
            f"--force {outside[0]}: --only leaves it out",
            name="--force",
            value=outside[0],
            remedy="name it there too",
        )
    return forced


def _print_plan(graph: Graph, steps: Mapping[str, Reason], targets: Sequence[str]) -> None:
    width = max(map(len, graph.nodes))
    for stage, reason in steps.items():
        print(f"would run  {stage:<{width}}  {reason}")
    for line in _kept(graph, [stage for stage in targets if stage not in steps]):
        print(f"kept       {line}")


def _kept(graph: Graph, targets: Sequence[str]) -> list[str]:
    """A sentence for each stage that an older version made and that is kept, and one for each fault that it has."""
    sentences = []
    for name, reason in graph.kept(targets).items():
        stage = read_stage(graph.folder / name)
        sentences += [version_note(name, stage.commit, reason), *map(str, advisories.of(stage))]
    return sentences


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def _print_arms(graph: Graph) -> None:
    """Print a table of the run's arms: the stages that are done and wrote synthetic records."""
    rows = [("arm", "epsilon spent", "records", "held-out loss", "files")]
    for stage in graph.nodes:
        folder = graph.folder / stage
        written = any((folder / f"synthetic.{ending}").is_file() for ending in ("jsonl", "parquet"))
        if not (written and (folder / "done.json").is_file()):
            continue
        metrics, epsilon = read_json(folder / "metrics.json"), read_json(folder / "privacy.json").get("epsilon")
        loss = f"{metrics['held_out_loss']:.3f}" if "held_out_loss" in metrics else "-"
        if "held_out_loss_low" in metrics and "held_out_loss_high" in metrics:
            loss += f" ({metrics['held_out_loss_low']:.3f} to {metrics['held_out_loss_high']:.3f})"
        spent = NOT_PRIVATE if epsilon is None else f"{epsilon:.4f}"
        rows.append((stage, spent, str(metrics.get("records", "-")), loss, f"results/{graph.run}/{stage}"))
    if len(rows) > 1:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print()
        for row in rows:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
