"""Hands a plan to Snakemake, which runs it: order, parallel stages, cards, other machines."""

import logging
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lib.common import paths
from lib.common.errors import Reason
from lib.common.files import write_json
from lib.pipeline import budget_check, cards
from lib.pipeline.graph import Graph
from lib.stage import fingerprint
from lib.stage.provenance import usable_cores

_PROFILES = (
    "look into the profile (--profile, or the variable SNAKEMAKE_PROFILE) for dry-run, touch, until and the like"
)
_NO_ROOM = "why stands above, since nothing could be written"


class _Errors(logging.Filter):
    """Keeps what Snakemake logs of its own errors, of which it shows and writes nothing when it is quiet."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            self.lines.append(record.getMessage())
        return True


def run(
    graph: Graph, steps: Mapping[str, Reason], targets: Iterable[str], jobs: int | None, profile: str | None
) -> int:
    """Run the stages of a plan.

    Whether a stage is up to date is decided by content (`lib.stage.fingerprint`), so Snakemake is shown marks in
    ``.chain/`` for those that are, made anew each time, and never looks at the outputs themselves.

    Args:
        graph: the stages of the run.
        steps: those that have to run, with the reason.
        targets: ids of the stages that are wanted.
        jobs: stages at a time; None: 1, or what the profile says.
        profile: a Snakemake profile's folder or name.

    Returns:
        0, or 1 with the reason printed.
    """
    cores = usable_cores()
    threads = 1 if profile else max(1, cores // (jobs or 1))
    targets = list(targets)
    stages = {
        id: {
            "notebook": node.notebook,
            "parameters": node.parameters,
            "inputs": node.inputs,
            "gpu": cards_of(node.parameters),
        }
        for id, node in graph.nodes.items()
    }
    base = {"root": str(paths.ROOT), "python": sys.executable, "preset": graph.preset, "run": graph.run}
    base |= {"sweep": graph.sweep} if graph.sweep else {}
    write_json(graph.folder / "chain.json", base | {"threads": threads, "targets": targets, "stages": stages})
    marks = graph.folder / ".chain"
    shutil.rmtree(marks, ignore_errors=True)
    marks.mkdir(parents=True)
    for id in graph.needed(targets):  # in running order, so that no mark is older than one before it
        if id not in steps:
            (marks / id).touch()
    where = ["--profile", _profile(profile)] if profile else ["--cores", str(cores)]
    where += ["--jobs", str(jobs)] if profile and jobs else []
    began, errors = datetime.now(UTC), _Errors()
    if profile:
        print(f"stages run where the profile sends them; see {graph.folder.relative_to(paths.ROOT)}/STAGE/log.txt")
    elif cards.count():
        where += ["--resources", f"gpu={cards.count()}"]
    code = _snakemake(graph.folder, where, errors)
    missing = [id for id in steps if not (graph.folder / id / fingerprint.DONE).is_file()]
    if code:
        _explain(graph, steps, began, errors.lines)
    elif missing:  # a profile can make Snakemake only print, or only mark, what it should run
        print(f"\nSnakemake ended without an error, but {missing[0]} is not done: {_PROFILES}", file=sys.stderr)
    return 1 if code or missing else 0


def _snakemake(folder: Path, where: list[str], errors: logging.Filter) -> int:
    from snakemake.cli import main  # slow to import, and an up-to-date run does not need it
    from snakemake.logging import logger

    logger.addFilter(errors)
    options = ["--snakefile", str(paths.ROOT / "Snakefile"), "--directory", str(folder)]
    options += ["--configfile", str(folder / "chain.json"), "--rerun-triggers", "mtime", "--scheduler", "greedy"]
    options += ["--nolock", "--rerun-incomplete", "--quiet", "all"]  # the front door holds a lock that a kill releases
    try:
        main([*options, *where])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _profile(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).is_dir() else name


def cards_of(parameters: Mapping[str, object]) -> int:
    """How many cards a stage asks for: none on a processor, else one for each of its ``processes``.

    Args:
        parameters: of the stage.
    """
    return 0 if parameters.get("device", "cpu") == "cpu" else int(parameters.get("processes") or 1)


def _explain(graph: Graph, steps: Mapping[str, Reason], began: datetime, errors: Sequence[str]) -> None:
    """Print why the chain stopped: what each failed stage said and charged, or what Snakemake said."""
    failed = {id: graph.folder / ".chain" / f"{id}.failed" for id in steps}
    failed = {id: path for id, path in failed.items() if path.is_file()}
    for id, path in failed.items():
        print(f"\n{id} failed: {path.read_text('utf-8', 'replace') or _NO_ROOM}", file=sys.stderr)
        if charged := budget_check.charged_since(graph, id, began):
            print(charged, file=sys.stderr)
    if not failed:
        print("\n".join(["\nSnakemake stopped before any stage failed:", *errors]), file=sys.stderr)
    print("\nwhat is done stays done; the same command goes on from there", file=sys.stderr)
