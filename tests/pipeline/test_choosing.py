"""What a sweep says before it starts: the cost of releasing the best of its arms."""

import re

import pytest
from support.budgets import EVOLVE, TRAIN, corpus, entries, finish, graph_of
from support.project import Project

from lib.pipeline.choosing import cost_of_choosing
from lib.privacy import budget
from lib.privacy.accounting import DiscreteGaussian, epsilon
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
