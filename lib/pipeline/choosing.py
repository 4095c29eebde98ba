"""What it costs to release the best of the arms that a run makes."""

from collections.abc import Sequence

from lib.pipeline import planned_draws
from lib.pipeline.budget_check import OWN_NOISE, Plan, Steps, plans
from lib.pipeline.graph import Graph
from lib.privacy import copy_count
from lib.privacy.mechanism import Mechanism
from lib.privacy.private_selection import epsilon_of_best


def cost_of_choosing(graph: Graph, steps: Steps) -> list[str]:
    """What it will cost each corpus, in sentences.

    Args:
        graph: the stages of a run.
        steps: of `Graph.plan`.
    """
    lines = []
    for account, plan in plans(graph, steps, steps):
        at, _, after, unit = plan.totals()
        lines.append(
            f"releasing the best of these arms will cost epsilon {after:.4f} at delta {at:.3g}, for one {unit}: "
            f"which is best depends on all that is charged to {account.source}. An arm that is named before it is "
            "made (for_release: true) keeps its own epsilon, with that of others that are named"
        )
        if len(each := tries(graph, plan)) > 1:
            picked = epsilon_of_best(each, tries=len(each), delta=at, others=_beside(plan))
            lines.append(
                f"for comparison: the best of a random number of arms, {len(each)} on average, scored by noisy "
                f"counts, would cost {picked:.4f}. Sweeps do not pick like this: docs/guarantee.md says why"
            )
    return lines


def tries(graph: Graph, plan: Plan) -> Sequence[Sequence[Mechanism]]:
    """What a try of each arm would draw: all that the arm draws, and a score with the noise of its count of copies.

    Args:
        graph: the stages of a run.
        plan: what they would charge to one account.

    Returns:
        The mechanisms of each arm. None at all where an arm has no such count, is paid for in part, or is made from
        texts of an arm that has seen private records: a try would have to make that one too, so the figure would be
        that of less than a try.
    """
    each = []
    for id, charges in plan.arms.items():
        by_kind = {charge.event.what: charge.event.mechanism for charge in charges}
        if by_kind.keys() != {OWN_NOISE, copy_count.WHAT} or planned_draws.spending_behind(graph, graph.nodes[id]):
            return []
        each.append([*(charge.event.mechanism for charge in charges), by_kind[copy_count.WHAT]])
    return each


def _beside(plan: Plan) -> Sequence[Mechanism]:
    """What is drawn once for all arms, and what may be released beside the best: arms that were named before."""
    named = [charge.event.mechanism for charge in plan.charges if charge.named]
    return [*(mechanism for released in plan.released.values() for mechanism in released), *named]
