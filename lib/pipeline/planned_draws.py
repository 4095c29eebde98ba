"""What a stage will draw from its corpus, before it runs: the very mechanisms that its notebook charges. No torch.

Once the corpus stage is done they are exact. Before, the number of units is not known: the corpus' last charge tells
it, else `UNKNOWN_UNITS` are assumed.
"""

from collections.abc import Container, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

from lib.common.errors import DoppelError
from lib.methods import registry
from lib.methods.method import nothing_left, usable_target
from lib.pipeline.graph import Graph, Node
from lib.privacy import copy_count, label_histogram, ledger
from lib.privacy.accounting import Gaussian, Mechanism, NonPrivate, calibrate, default_delta
from lib.privacy.budget_account import Account, Charge
from lib.stage import fingerprint

UNKNOWN_UNITS = 1000  # small: delta is then large, and an epsilon stands for more than it will


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus before the stages run.

    Attributes:
        units: n, the number of its units, or a guess at it.
        delta: in (0, 1/n].
        released: what its own stage releases.
        known: whether that stage is done and stays as it is.
    """

    units: int
    delta: float
    released: Sequence[Mechanism]
    known: bool


def corpus_of(graph: Graph, id: str) -> Node:
    """The stage of 00_process_data behind a stage, through any that scrubbed its records, or the stage itself.

    Args:
        graph: the stages of a run.
        id: of the stage.
    """
    node = graph.nodes[id]
    while (behind := graph.nodes.get(dict(node.parameters.get("inputs", {})).get("corpus"))) is not None:
        node = behind
    return node


def about(graph: Graph, corpus: Node, charges: Sequence[Charge], steps: Container[str]) -> Corpus:
    """What is known of a corpus before the stages run.

    Args:
        graph: the stages of a run.
        corpus: the corpus stage.
        charges: of its account.
        steps: ids of the stages that will run.
    """
    folder = graph.folder / corpus.id
    if corpus.id not in steps and fingerprint.read_done(folder) is not None:
        own = ledger.read(folder)
        return Corpus(own.units, own.delta, own.mechanisms, known=True)
    units = [charge.units for charge in charges if charge.unit == corpus.parameters["unit"]]
    n = units[-1] if units else UNKNOWN_UNITS
    released = label_histogram.mechanism(corpus.parameters)
    return Corpus(n, corpus.parameters["delta"] or default_delta(n), [released] if released else [], known=False)


def mechanism(graph: Graph, node: Node, corpus: Corpus) -> Mechanism | None:
    """What a stage will draw: the corpus stage its label histogram, an arm what the rest of its target buys.

    Args:
        graph: the stages of a run.
        node: the stage.
        corpus: what is known of its corpus.

    Returns:
        None where it draws nothing.
    """
    if "label_histogram_scale" in node.parameters:
        return label_histogram.mechanism(node.parameters)
    if node.parameters.get("target_epsilon") is None:
        return None
    method = registry.spending(node.notebook)
    if method is not None:
        with nullcontext() if corpus.known else suppress(DoppelError):
            others = [*corpus.released, *_before(graph, node, corpus)]
            return method.mechanism(node.parameters, units=corpus.units, delta=corpus.delta, others=others)
    # at the true n the parameters and the target may be within reach, which the notebook will find out
    return Gaussian(calibrate(Gaussian, target_epsilon=usable_target(node.parameters), delta=corpus.delta))


def count(graph: Graph, node: Node, corpus: Corpus) -> Mechanism | None:
    """The count of copied units that an arm draws when its texts are written.

    Args:
        graph: the stages of a run.
        node: the stage.
        corpus: what is known of its corpus.

    Returns:
        None where it draws none.
    """
    spends = trained(graph, node)
    return None if spends is None else copy_count.mechanism(spends.parameters, corpus.delta)


def trained(graph: Graph, node: Node) -> Node | None:
    """The stage that draws the noise of an arm.

    Args:
        graph: the stages of a run.
        node: a stage.

    Returns:
        None for a stage that writes no records.
    """
    try:
        method = registry.of_arm(node.id, node.parameters.get("inputs", {}))
    except KeyError:
        return None
    return graph.nodes[node.parameters["inputs"][method.through]] if method.through else node


def check_room(graph: Graph, node: Node, steps: Container[str]) -> None:
    """Refuse a selection for whose votes the arms behind it leave nothing, as far as it is known yet.

    Args:
        graph: the stages of a run.
        node: a stage with a ``target_epsilon``; one that does not select passes.
        steps: ids of the stages that will run.

    Raises:
        DoppelError: ``methods.nothing_left``; or an arm behind it is not private.
    """
    method, target = registry.spending(node.notebook), node.parameters["target_epsilon"]
    if method is None or not method.selects:
        return
    for up in spending_behind(graph, node):
        if up.parameters["target_epsilon"] is None:
            raise DoppelError(
                "pipeline.candidates_not_private",
                f"{node.id} has a target_epsilon, and its candidates come from {up.id}, which has none",
                name="inputs",
                value=up.id,
                remedy="leave them out, or set target_epsilon: null here too",
            )
        if usable_target(up.parameters) >= target:
            raise nothing_left(target)
    stage = corpus_of(graph, node.id)
    corpus = about(graph, stage, Account.of(stage.parameters["source"]).read()[1], steps)
    if corpus.known:  # else the notebook finds out what the arms leave together
        mechanism(graph, node, corpus)


def _before(graph: Graph, node: Node, corpus: Corpus) -> list[Mechanism]:
    """What the arms that a stage reads will have drawn, each event once."""
    drawn: list[Mechanism | None] = []
    for up in spending_behind(graph, node):
        drawn.append(NonPrivate() if up.parameters["target_epsilon"] is None else mechanism(graph, up, corpus))
    drawn += [count(graph, up, corpus) for up in _behind(graph, node)]
    return [one for one in drawn if one is not None]


def spending_behind(graph: Graph, node: Node) -> list[Node]:
    """The stages behind a stage that draw the noise of an arm.

    Args:
        graph: the stages of a run.
        node: the stage.
    """
    return [up for up in _behind(graph, node) if registry.spending(up.notebook) is not None]


def _behind(graph: Graph, node: Node) -> list[Node]:
    """All stages that a stage reads, directly or not."""
    return [graph.nodes[id] for id in graph.needed([node.id]) if id != node.id]
