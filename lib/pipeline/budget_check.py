"""Pre-flight of budgets: what the stages about to run would charge, beside what is spent. No kernel, no torch.

What each stage will draw is planned in `lib.pipeline.planned_draws`: exactly once the corpus stage is done. Before, the
number of units is guessed, and the notebook decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lib.common import system
from lib.common.errors import DoppelError, Faults, Reason
from lib.pipeline import planned_draws
from lib.pipeline.graph import FORCED, Graph, Node
from lib.privacy import budget, composition, copy_count, label_histogram, ledger
from lib.privacy.accounting import Mechanism, epsilon
from lib.privacy.budget_account import Account, Charge
from lib.privacy.budget_terms import Terms
from lib.privacy.ledger import Event
from lib.stage import fingerprint
from lib.stage.notebook_roles import CORPUS, Parameters

OWN_NOISE = "planned"  # as plans call what a stage draws; a count of copies has its own name

_SHOWN = 6  # stages that a refusal names

Steps = Mapping[str, Reason | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the stages of a run would charge to one account.

    Attributes:
        terms: of the account.
        charges: that it holds.
        planned: what the stages would add, in running order.
        arms: of what is planned, that of each arm by the id of the stage that draws its noise.
        released: by id of a corpus stage, what it has released or would.
        guessed: whether the number of units is not known yet.
    """

    terms: Terms
    charges: Sequence[Charge]
    planned: Sequence[Charge]
    arms: Mapping[str, Sequence[Charge]]
    released: Mapping[str, Sequence[Mechanism]]
    guessed: bool

    def totals(self) -> tuple[float, float, float, str]:
        """Delta of the account; the epsilon at it of what is spent, and with what is planned; and the unit."""
        both = [*self.charges, *self.planned]
        at = budget.total_delta(self.terms, both)
        before, after = (composition.composed(budget.all_of(charges), at) for charges in (self.charges, both))
        return at, before, after, budget.unit_of(both)


def check_budget(graph: Graph, names: Iterable[str]) -> None:
    """Refuse what cannot be spent. Slower than the rest of pre-flight, so it is asked for stages that will run.

    Args:
        graph: the stages of a run.
        names: ids of the stages that will run, or the plan of `Graph.plan`.

    Raises:
        DoppelError: the corpus' own releases exceed a target, the arms that a stage selects from leave nothing of its
            target, or the budget of a corpus would be exceeded by all runs together if these stages ran, or its account
            cannot be written.
    """
    steps = names if isinstance(names, Mapping) else dict.fromkeys(names)
    faults = Faults()
    for id in steps:
        node = graph.nodes[id]
        corpus = planned_draws.corpus_of(graph, id)
        if node.parameters.get("target_epsilon") is not None and corpus is not node:
            with faults:
                affordable(node.parameters, corpus.parameters, graph.folder / corpus.id)
                planned_draws.check_room(graph, node, steps)
    if not faults.found:
        for account, ids in _by_account(graph, steps).items():
            with faults:
                system.check_writable(account.path.parent)
                _check(graph, account, ids, steps)
    faults.raise_any()


def cost(graph: Graph, steps: Steps) -> list[str]:
    """What it costs each corpus to make stages again that drew noise before; empty where none is made again.

    Args:
        graph: the stages of a run.
        steps: of `Graph.plan`.
    """
    lines = []
    for account, plan in plans(graph, [id for id in steps if fingerprint.drew_noise(graph.folder / id)], steps):
        at, before, after, unit = plan.totals()
        names = ", ".join(dict.fromkeys(charge.event.stage for charge in plan.planned))
        lines.append(
            f"made again, with fresh noise: {names}; all that was spent on {account.source} goes from epsilon "
            f"{before:.4f} to {after:.4f} at delta {at:.3g}, for one {unit}"
        )
    return lines


def charged_since(graph: Graph, id: str, began: datetime) -> str | None:
    """What a stage that failed has charged to its corpus all the same, as a sentence; None where that is nothing.

    Args:
        graph: the stages of a run.
        id: of the stage.
        began: when the run began.
    """
    node, source = graph.nodes[id], planned_draws.corpus_of(graph, id).parameters.get("source")
    charges = Account.of(source).read()[1] if source is not None else []
    own = [charge for charge in charges if (charge.run, charge.event.stage) == (graph.run, id)]
    new = [charge for charge in own if datetime.fromisoformat(charge.time) >= began.replace(microsecond=0)]
    if not new:
        return None
    spent = composition.composed([charge.event.mechanism for charge in new], new[-1].delta)
    again = "going on costs nothing more" if _paid(graph, node, charges, {id: None}) else "another attempt costs again"
    return f"before it failed it charged {source}: epsilon {spent:.4f} by itself, which stays spent; {again}"


def plans(graph: Graph, names: Iterable[str], steps: Steps) -> Iterator[tuple[Account, Plan]]:
    """Each account that some stages will charge, with what they will.

    Args:
        graph: the stages of a run.
        names: ids of the stages.
        steps: of `Graph.plan`.
    """
    for account, ids in _by_account(graph, names).items():
        plan = _planned(graph, account, ids, steps)
        if plan.planned:
            yield account, plan


def _by_account(graph: Graph, steps: Iterable[str]) -> dict[Account, list[str]]:
    accounts: dict[Account, list[str]] = {}
    for id in steps:
        if (source := planned_draws.corpus_of(graph, id).parameters.get("source")) is not None:
            accounts.setdefault(Account.of(source), []).append(id)
    return accounts


def _planned(graph: Graph, account: Account, ids: Sequence[str], steps: Steps) -> Plan:
    terms, charges = account.read()
    planned: list[Charge] = []
    arms: dict[str, list[Charge]] = defaultdict(list)
    released, guessed = {}, False
    for id in ids:
        node, corpus = graph.nodes[id], planned_draws.corpus_of(graph, id)
        about, unit = planned_draws.about(graph, corpus, charges, steps), corpus.parameters["unit"]
        own = None if _paid(graph, node, charges, steps) else planned_draws.mechanism(graph, node, about)
        count = planned_draws.count(graph, node, about)
        for what, mechanism in ((OWN_NOISE, own), (copy_count.WHAT, count)):
            if mechanism is None:
                continue
            budget.check_unit(account, terms, unit)
            planned.append(Charge("", graph.run, Event(id, what, mechanism), unit, about.units, about.delta, ""))
            if node is not corpus:
                arms[(planned_draws.trained(graph, node) or node).id].append(planned[-1])
                released[corpus.id] = about.released
            guessed |= not about.known
    return Plan(terms, charges, planned, arms, released, guessed)


def _check(graph: Graph, account: Account, ids: Sequence[str], steps: Steps) -> None:
    terms, _ = account.read()
    where = f"params/{graph.preset}"
    if terms.epsilon is None and terms.unit is None:
        return  # nothing can be exceeded
    try:
        plan = _planned(graph, account, ids, steps)
    except DoppelError as error:
        raise error.at(where) from None
    if terms.epsilon is not None and plan.planned:
        at, before, total, unit = plan.totals()
        if budget.exceeds(total, terms.epsilon):
            by_stage = {one.event.stage: [] for one in plan.planned}
            for one in plan.planned:
                by_stage[one.event.stage].append(one.event.mechanism)
            alone = [f"{stage} ({composition.composed(mechanisms, at):.3f})" for stage, mechanisms in by_stage.items()]
            stages = ", ".join(alone[:_SHOWN]) + (f" and {len(alone) - _SHOWN} more" if len(alone) > _SHOWN else "")
            unsure = f". How many units there are is not known before {CORPUS} has run" if plan.guessed else ""
            raise DoppelError(
                "pipeline.budget_exceeded",
                f"the corpus {account.source} has a budget of epsilon {terms.epsilon:g}; {before:.4f} is spent, and "
                f"this run would make it {total:.4f} at delta {at:.3g}, for one {unit}: {stages}{unsure}",
                name=account.source,
                value=total,
                remedy="leave stages out (--only), lower their target_epsilon, or let whoever answers for the data "
                f"raise epsilon in {account.shown}",
                where=where,
            )


def _paid(graph: Graph, node: Node, charges: Sequence[Charge], steps: Steps) -> bool:
    """Whether the stage goes on with work that was paid for: not when it is forced, or an input is made anew."""
    if steps[node.id] == FORCED or set(node.inputs) & steps.keys():
        return False
    digests = {name: (fingerprint.read_done(graph.folder / name) or {}).get("digest", "") for name in node.inputs}
    work = graph.folder / node.id / fingerprint.CHECKPOINTS / fingerprint.work_key(node.made, digests)
    return any(budget.paid(token, charges, graph.run, node.id) for token in work.rglob(budget.TOKEN))


def affordable(parameters: Parameters, corpus: Parameters, folder: Path) -> None:
    """Refuse a target that what the corpus stage releases already exceeds, as far as it is known yet.

    Args:
        parameters: of a stage with a ``target_epsilon``.
        corpus: parameters of its input ``corpus``.
        folder: of that input; when it is done, its own ledger says what is spent. Else a ``delta`` in its
            parameters is enough to tell; without one (it depends on n) the stage itself will.

    Raises:
        DoppelError: the target is not above what the label histogram spends.
    """
    target, released = parameters["target_epsilon"], label_histogram.mechanism(corpus)
    if (folder / fingerprint.DONE).is_file():
        spent = ledger.read(folder).epsilon
    elif corpus["delta"] is not None and released is not None:
        spent = epsilon([released], delta=corpus["delta"])
    else:
        return
    if target is not None and spent >= target:
        scale = corpus["label_histogram_scale"]
        raise DoppelError(
            "pipeline.target_below_histogram",
            f"target_epsilon = {target:g} cannot be reached: the label histogram alone spends {spent:.3f}",
            name="target_epsilon",
            value=target,
            remedy=f"raise target_epsilon above {spent:.3f}, or label_histogram_scale above {scale:g}",
        )
