"""What pre-flight expects a hybrid to draw: what all arms behind it leave, and a refusal where that is nothing."""

from dataclasses import replace

import pytest
from support.budgets import CORPUS, EVOLVE, TRAIN, corpus, entries, graph_of
from support.errors import refused
from support.project import Project

from lib.methods.selection.method import METHOD
from lib.pipeline import planned_draws
from lib.pipeline.budget_check import check_budget
from lib.pipeline.graph import Graph
from lib.privacy.accounting import epsilon

WRITE, HYBRID = "11_generate.eps8", "13_select.eps8"


def with_hybrid(*changes: str, target: float | None = 8.0, **inputs: str) -> Graph:
    """Preset quick with one more arm, which selects from others."""
    graph = graph_of(*changes)
    given = {"target_epsilon": target, "copy_share": 0.2, "votes": 2, "inputs": {"corpus": CORPUS} | inputs}
    hybrid = replace(graph.nodes[EVOLVE], id=HYBRID, notebook="13_select", parameters=given)
    return replace(graph, nodes=graph.nodes | {HYBRID: hybrid})


def test_a_hybrid_is_planned_with_what_the_arms_behind_it_leave(house: Project) -> None:
    ledger = corpus()
    graph = with_hybrid(f"{TRAIN}.reserve=0.05", eps8=WRITE, base="11_generate.base")
    check_budget(graph, graph.plan(graph.nodes))
    about = planned_draws.about(graph, graph.nodes[CORPUS], entries(), ())
    trained, own = (planned_draws.mechanism(graph, graph.nodes[id], about) for id in (TRAIN, HYBRID))
    counts = [planned_draws.count(graph, graph.nodes[id], about) for id in (WRITE, HYBRID)]
    assert own.count == 2 and planned_draws.count(graph, graph.nodes["11_generate.base"], about) is None
    behind = [*ledger.mechanisms, trained, counts[0]]
    given = graph.nodes[HYBRID].parameters
    assert own == METHOD.mechanism(given, units=ledger.units, delta=ledger.delta, others=behind)
    assert 0.98 * 8 <= epsilon([*behind, own, counts[1]], delta=ledger.delta) <= 8


@pytest.mark.parametrize("known", [False, True], ids=["before the corpus", "after it"])
def test_arms_that_leave_nothing_are_refused_before_anything_runs(house: Project, known: bool) -> None:
    if known:
        corpus()
    graph = with_hybrid(eps8=WRITE)
    with refused("methods.nothing_left", value=8.0):
        check_budget(graph, graph.plan(graph.nodes))
    graph = with_hybrid(nonprivate="11_generate.nonprivate")
    with refused("pipeline.candidates_not_private", name="inputs"):
        check_budget(graph, graph.plan(graph.nodes))
    free = with_hybrid(base="11_generate.base")
    check_budget(free, free.plan(free.nodes))
    check_budget(with_hybrid(nonprivate="11_generate.nonprivate", target=None), [HYBRID])


def test_two_arms_that_only_together_spend_too_much_are_refused_once_the_corpus_is_known(house: Project) -> None:
    corpus()
    graph = with_hybrid(f"{TRAIN}.reserve=0.05", f"{EVOLVE}.reserve=0.05", eps8=WRITE, aug_pe=EVOLVE)
    with refused("methods.nothing_left"):
        check_budget(graph, graph.plan(graph.nodes))
    graph = with_hybrid(f"{TRAIN}.reserve=0.4", f"{EVOLVE}.reserve=0.4", eps8=WRITE, aug_pe=EVOLVE)
    check_budget(graph, graph.plan(graph.nodes))
