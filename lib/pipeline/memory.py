"""How much memory the trainings of a run will take: told before anything is loaded, from config.json and parameters."""

from collections.abc import Iterable

from lib.methods.dp_lora import memory
from lib.methods.dp_lora.method import TRAINS
from lib.models import architecture
from lib.pipeline.graph import Graph


def lines(graph: Graph, steps: Iterable[str]) -> list[str]:
    """A sentence for each training that is to run; stages that take the same have one together.

    Args:
        graph: the stages of a run.
        steps: ids of the stages that will run.
    """
    told: dict[str, list[str]] = {}
    for id in steps:
        node = graph.nodes[id]
        if node.notebook == TRAINS:
            told.setdefault(_needs(node.parameters), []).append(id)
    return [f"{', '.join(ids)}: {needs}" for needs, ids in told.items()]


def _needs(given: dict) -> str:
    model = architecture.read(str(given["model"]))
    if model is None:
        return f"memory not known before the config.json of {given['model']} is here, or of a kind not known"
    width = memory.expected_width(given)
    places = {"a CPU": False, "a card": True}
    if given["device"] != "auto" or given["dtype"] == "4bit":
        places.pop("a card" if given["device"] == "cpu" else "a CPU")
    sizes = [f"on {place} {memory.estimate(given, model, width=width, card=card)}" for place, card in places.items()]
    each = f" in each of {given['processes']} processes" if given["processes"] > 1 else ""
    return f"memory{each} beside the libraries, at {width} tokens a record: {'; '.join(sizes)}"
