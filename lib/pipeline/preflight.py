"""Pre-flight and plan: every parameter file against its notebook, every edge, and what has to run.

Nothing here starts a kernel or imports a model library.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from lib.common import network, paths
from lib.common.errors import DoppelError, Faults, nearest
from lib.methods.registry import IMAGE_ARMS
from lib.models.pretrained import check_name
from lib.pipeline.graph import Graph, Node
from lib.pipeline.grid import Grid
from lib.pipeline.preset import Given, Preset, Spec, read
from lib.pipeline.stage_checks import CHECKS, WITH_CORPUS, WITH_INPUTS
from lib.pipeline.sweep import expand, record
from lib.privacy.disclosure import PUBLIC
from lib.stage import fingerprint, tracking
from lib.stage import parameters as params
from lib.stage.stage import NAME

_MODELS = ("model", "base_model", "tokens_of")  # parameters that name a language model


def preflight(name: str, run: str, overrides: Sequence[str] = (), grid: Grid | None = None) -> Graph:
    """The checked graph of a preset, or of a sweep of it.

    Args:
        name: of the preset's folder in params/.
        run: the folder in results/ that outputs go to.
        overrides: ``STAGE.KEY=VALUE`` each.
        grid: makes it a sweep.

    Raises:
        DoppelError: every fault of every file at once: unknown preset, notebook, parameter or stage (with the nearest
            name), wrong types and ranges, broken edges, cycles.
    """
    faults = Faults()
    preset = read(name, paths.ROOT, faults)  # first, so that a typo is reported as a bad preset, not a bad run name
    if not NAME.fullmatch(run):
        raise DoppelError(
            "pipeline.run_name",
            f"--run {run!r}",
            name="--run",
            value=run,
            remedy="use letters, digits, '_', '-' and '.' only",
        )
    if grid is None:
        return Graph(name, run, _nodes(preset, run, preset.changes(overrides, faults), faults))
    with faults:
        grid.check(preset.ids, preset.specs, [book.stem for book in (paths.ROOT / "notebooks").glob("*.ipynb")])
    preset = preset.without([id for id in preset.ids if not grid.keeps(id)])
    # the preset by itself first: its faults are told once, and of its files; those of --set come with the copies
    order = _nodes(preset, run, preset.changes(overrides, Faults()), faults)
    copies = expand(grid, {id: preset.defaults(id) | preset.stages[id].values for id in order})
    stages = {
        id: Given(f"{grid.path}: {id}" if copy.point else preset.stages[copy.of].where, copy.values)
        for id, copy in copies.items()
    }
    swept = replace(preset, origin=grid.path, ids=list(copies), stages=stages)
    changes = swept.changes(overrides, faults, {id: copy.point for id, copy in copies.items()})
    return Graph(name, run, _nodes(swept, run, changes, faults), record(grid, copies))


def _nodes(preset: Preset, run: str, changes: Mapping[str, dict[str, object]], faults: Faults) -> dict[str, Node]:
    """The checked stages in running order. Raises with what is wrong with any, and what was found before."""
    nodes: dict[str, Node] = {}
    for id, given in preset.stages.items():
        with faults:
            set_here = changes.get(id, {})
            inputs = (preset.defaults(id) | given.values | set_here).get("inputs")
            _check_edges(given.where, inputs, preset, faults)
            nodes[id] = _node(id, given, preset.spec(id), run, set_here)
    behind = {
        id: {name: nodes[stage] for name, stage in node.parameters.get("inputs", {}).items() if stage in nodes}
        for id, node in nodes.items()
    }
    refused = set()  # what does not fit its corpus is told once, and not again by every stage that reads it
    for id, node in nodes.items():
        if node.notebook in WITH_CORPUS and (corpus := _original(id, behind)) != id:
            told = len(faults.found)
            with faults, _naming(preset.stages[id].where):
                WITH_CORPUS[node.notebook](node.parameters, nodes[corpus].parameters)
            if len(faults.found) > told:
                refused.add(id)
    for id, node in nodes.items():
        if node.notebook in WITH_INPUTS and not any(read.id in refused for read in behind[id].values()):
            with faults, _naming(preset.stages[id].where):
                WITH_INPUTS[node.notebook](
                    node.parameters, {name: read.parameters for name, read in behind[id].items()}
                )
    faults.raise_any()
    try:
        order = list(TopologicalSorter({id: node.inputs for id, node in nodes.items()}).static_order())
    except CycleError as error:
        raise DoppelError(
            "pipeline.cycle",
            f"dependency cycle in inputs: {' -> '.join(error.args[1])}",
            name="inputs",
            value=error.args[1],
            remedy="remove one",
            where=preset.origin,
        ) from None
    return {id: nodes[id] for id in order}


def _original(id: str, behind: Mapping[str, Mapping[str, Node]]) -> str:
    """The stage behind a stage by its input ``corpus``, and by that one's; cycles are refused later."""
    seen = set()
    while id not in seen and "corpus" in behind[id]:
        seen.add(id)
        id = behind[id]["corpus"].id
    return id


def _check_edges(where: str, inputs: object, preset: Preset, faults: Faults) -> None:
    for name, upstream in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(upstream, str) and upstream not in preset.ids:  # other types are told with the other parameters
            faults.add(
                DoppelError(
                    "pipeline.unknown_input",
                    f"inputs: {name}: {upstream}: no such stage in {preset.origin}",
                    name=name,
                    value=upstream,
                    remedy=nearest(upstream, preset.ids),
                    where=where,
                )
            )


def _node(id: str, given: Given, spec: Spec, run: str, changes: dict[str, object]) -> Node:
    resolved = params.check(spec, given.values | {"run": run, "stage": id}, given.where)
    if reserved := [name for name in params.RESERVED if name in changes]:
        raise DoppelError(
            "pipeline.reserved_parameter",
            f"--set {id}.{reserved[0]}: comes from --run and from the file's name",
            name=reserved[0],
            remedy="leave it out",
        )
    changed = params.check(spec, changes, f"--set {id}")
    resolved |= {name: changed[name] for name in changes}
    tracking.mode(resolved)  # online without a key is refused now, not after a kernel has started
    if any(str(value).removeprefix(PUBLIC).startswith("hub:") for value in resolved.values()):
        network.check_environment()
    notebook = id.partition(".")[0]
    for name in () if notebook in IMAGE_ARMS else _MODELS:  # what draws pictures is no language model
        if resolved.get(name) is not None:
            with _naming(given.where):
                check_name(str(resolved[name]))
    if notebook in CHECKS:
        with _naming(given.where):
            CHECKS[notebook](resolved)
    return Node(id, notebook, resolved, fingerprint.made_from(paths.ROOT, notebook, resolved))


@contextmanager
def _naming(where: str) -> Iterator[None]:
    """Refusals name the parameter file."""
    try:
        yield
    except DoppelError as error:
        raise error.at(where) from None
