"""What a sweep says before it starts: the cost of releasing the best of its arms."""

import re

import pytest
from support.budgets import EVOLVE, TRAIN, corpus, entries, finish, graph_of
from support.project import Project

from lib.pipeline.budget_check import OWN_NOISE, Plan
from lib.pipeline.choosing import cost_of_choosing, tries
from lib.pipeline.graph import Graph, Node
from lib.privacy import budget, copy_count
from lib.privacy.accounting import DiscreteGaussian, Gaussian, epsilon
from lib.privacy.budget_account import Charge
from lib.privacy.budget_terms import Terms
from lib.privacy.ledger import Event
from lib.privacy.private_selection import epsilon_of_best


def test_releasing_the_best_of_several_costs_what_all_of_them_cost(house: Project) -> None:
    corpus()
    graph = graph_of()
    assert cost_of_choosing(graph, {}) == []
    line, _ = cost_of_choosing(graph, graph.plan(graph.nodes, ()))
    after = float(re.search(r"will cost epsilon (\d+\.\d+) at delta", line)[1])
    for arm in (TRAIN, EVOLVE):
        finish(arm)
    assert 11 < budget.status("amazon-snippets").spent < after < 12  # the counts of copies are still to come
    assert "for_release: true" in line


@pytest.mark.parametrize("known", [True, False])
def test_the_best_of_a_random_number_of_them_would_cost_what_the_theorem_says(house: Project, known: bool) -> None:
    corpus()
    graph = graph_of()
    steps = graph.plan(graph.nodes, () if known else ("00_process_data",))
    _, line = cost_of_choosing(graph, steps)
    picked = float(re.search(r"2 on average, scored by noisy counts, would cost (\d+\.\d+)\.", line)[1])
    histogram, delta = entries()[0].event.mechanism, entries()[0].delta
    copies = DiscreteGaussian(2.92)
    arms = [[finish(arm).mechanism, copies, copies] for arm in (TRAIN, EVOLVE)]
    price = epsilon_of_best(arms, tries=2, delta=delta, others=[histogram])
    assert picked == pytest.approx(price, rel=1e-2)
    assert epsilon([*arms[0], histogram], delta=delta) < picked < epsilon([*arms[0], *arms[1], histogram], delta=delta)


def test_nothing_is_compared_where_an_arm_is_paid_for_in_part(house: Project) -> None:
    corpus()
    finish(EVOLVE)
    graph = graph_of()
    (line,) = cost_of_choosing(graph, graph.plan(graph.nodes, ()))
    assert "releasing the best" in line


def test_a_try_draws_all_that_its_arm_draws_and_no_other_arm() -> None:
    """A training whose texts are written twice draws two counts of copies; an arm made from others is no try."""
    own, count = Gaussian(1.0, 0.1, 5), DiscreteGaussian(3.0)
    drawn = {"10_finetune_dp_lora.a": [own, count, count], "12_aug_pe.b": [own, count]}

    def tried(**read: str) -> object:
        nodes = {id: Node(id, id.partition(".")[0], {"inputs": read if id[-1] == "b" else {}}, {}) for id in drawn}
        arms = {
            id: [
                Charge("", "a", Event(id, copy_count.WHAT if one is count else OWN_NOISE, one), "record", 99, 1e-3, "")
                for one in mechanisms
            ]
            for id, mechanisms in drawn.items()
        }
        planned = [charge for arm in arms.values() for charge in arm]
        return tries(Graph("a", "a", nodes), Plan(Terms("a", None, None, None), [], planned, arms, {}, False))

    assert tried() == [[own, count, count, count], [own, count, count]]  # the last is the noise of the score
    assert tried(start="10_finetune_dp_lora.a") == []
