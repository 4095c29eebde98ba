"""What the models of a run are expected to be asked, and what that costs: told before the first request is paid for."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from lib.generation.engines.names import is_remote
from lib.generation.expected import Expected
from lib.pipeline.graph import Graph

# notebook -> module:function; parameters, those of its inputs by name -> what ``model`` will be asked
ESTIMATES: Mapping[str, str] = {
    "50_private_records": "lib.private_records.expected:expected",
    "51_sanitize": "lib.sanitization.expected:expected",
}


def lines(graph: Graph, steps: Iterable[str]) -> list[str]:
    """A sentence for each stage that is to ask a model of another machine.

    Args:
        graph: the stages of a run.
        steps: ids of the stages that will run.
    """
    told = []
    for id in steps:
        node = graph.nodes[id]
        model = node.parameters.get("model")
        if node.notebook not in ESTIMATES or model is None or not is_remote(str(model)):
            continue
        behind = {name: graph.nodes[stage].parameters for name, stage in node.parameters["inputs"].items()}
        expected = _function(ESTIMATES[node.notebook])(node.parameters, behind)
        if expected.calls:
            told.append(f"{id} {expected.told(str(model), node.parameters['prices'])}")
    return told


def _function(named: str) -> Callable[[Mapping[str, object], Mapping[str, Mapping]], Expected]:
    module, _, function = named.partition(":")
    return getattr(import_module(module), function)
