"""What a run is going to ask for: requests to models and what they cost, pictures, files that are not there yet."""

from collections.abc import Callable, Collection, Iterator, Mapping
from importlib import import_module

from lib.generation.engines.names import is_remote
from lib.generation.expected import Expected
from lib.generation.images import checkpoint
from lib.methods.private_evolution.image_method import EVOLVES
from lib.methods.private_evolution.published import STUDIES
from lib.methods.private_evolution.settings import Settings
from lib.methods.public_images.method import CHECKPOINT, DRAWS
from lib.pipeline.graph import Graph, Node
from lib.stage.notebook_roles import notebook_of

# notebook -> module:function; parameters, those of its inputs by name -> what ``model`` will be asked
ESTIMATES: Mapping[str, str] = {
    "50_private_records": "lib.private_records.expected:expected",
    "51_sanitize": "lib.sanitization.expected:expected",
}


def lines(graph: Graph, steps: Collection[str]) -> list[str]:
    """A sentence for each stage that is to ask a model of another machine, or to make pictures.

    Args:
        graph: the stages of a run.
        steps: ids of the stages that will run.
    """
    told = []
    for id in steps:
        node = graph.nodes[id]
        told += _pictures(node)
        model = node.parameters.get("model")
        if node.notebook not in ESTIMATES or model is None or not is_remote(str(model)):
            continue
        behind = {name: graph.nodes[stage].parameters for name, stage in node.parameters["inputs"].items()}
        expected = _function(ESTIMATES[node.notebook])(node.parameters, behind)
        if expected.calls:
            told.append(f"{id} {expected.told(str(model), node.parameters['prices'])}")
    if (study := STUDIES.get(graph.preset)) is not None and any(notebook_of(id) == EVOLVES for id in steps):
        told.append(f"{graph.preset}: {study.differ}")
    return list(dict.fromkeys(told))


def _pictures(node: Node) -> Iterator[str]:
    """How many pictures a stage will make, and what it needs for that is not there yet."""
    given = node.parameters
    if node.notebook == EVOLVES:
        plan = Settings.of(given, None)
        ahead = plan.candidates * plan.lookahead_degree / plan.asked
        share = f", {ahead:.0%} of them to look ahead" if ahead else ""
        yield f"{node.id} will make {plan.asked:,} pictures{share}"
    elif node.notebook == DRAWS:
        yield f"{node.id} will make {given['samples']:,} pictures"
    else:
        return
    if given["api"] == CHECKPOINT:
        file = checkpoint.locate(given["model"])
        if not file.is_file():
            yield f"{file} is not there: download it from {checkpoint.PUBLISHED_AT}"
        if given["model_sha256"] is None:
            yield "model_sha256 is not declared: until it is, the stages that draw with that file stop"


def _function(named: str) -> Callable[[Mapping[str, object], Mapping[str, Mapping]], Expected]:
    module, _, function = named.partition(":")
    return getattr(import_module(module), function)
