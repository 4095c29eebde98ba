"""Pre-flight of budgets: what the stages about to run would charge, beside what is spent. No kernel, no torch.

It plans the very mechanisms that the notebooks charge, once the corpus stage is done. Before, the number of units is
not known: the corpus' last charge tells it, else `UNKNOWN_UNITS` are assumed. The notebook has the last word then.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError, Faults
from lib.data import labels
from lib.methods import registry
from lib.privacy import budget, ledger
from lib.privacy.accounting import DiscreteGaussian, Gaussian, Mechanism, calibrate, default_delta, epsilon
from lib.privacy.budget_account import Account, Charge
from lib.privacy.ledger import Event, read
from lib.stage import fingerprint
from lib.stage.notebook_roles import Parameters

if TYPE_CHECKING:
    from lib.pipeline.graph import Graph, Node

UNKNOWN_UNITS = 1000  # small: delta is then large, and an epsilon stands for more than it will

_SHOWN = 6  # stages that a refusal names


@dataclass(frozen=True, slots=True)
class _Corpus:
    """A corpus before the stages run; ``released`` by its own stage, ``known`` when that is done and stays."""

    units: int
    delta: float
    released: Sequence[Mechanism]
    known: bool


def check_budget(graph: "Graph", names: Iterable[str]) -> None:
    """Refuse what cannot be spent. Slower than the rest of pre-flight, so it is asked for stages that will run.

    That is a target which the corpus' own releases exceed, and a run after which the corpus' budget, of all
    runs together, would be exceeded.
    """
    faults, names = Faults(), names if isinstance(names, Mapping) else list(names)
    for id in names:
        node = graph.nodes[id]
        corpus = node.parameters.get("inputs", {}).get("corpus")
        if node.parameters.get("target_epsilon") is not None and corpus is not None:
            with faults:
                affordable(node.parameters, graph.nodes[corpus].parameters, graph.folder / corpus)
    if not faults.found:
        faults.found += map(DoppelError, refusals(graph, names))
    faults.raise_any()


def refusals(graph: "Graph", steps: Iterable[str]) -> list[str]:
    """A line for each corpus whose budget would be exceeded if all of ``steps`` ran (the plan, or ids alone)."""
    steps = steps if isinstance(steps, Mapping) else dict.fromkeys(steps, "")
    by_account: dict[Account, list[str]] = {}
    for id in steps:
        if (source := _corpus(graph, id).parameters.get("source")) is not None:
            by_account.setdefault(Account.of(source), []).append(id)
    found = []
    for account, ids in by_account.items():
        try:
            _check(graph, account, ids, steps)
        except DoppelError as error:
            found.append(f"params/{graph.preset}: {error}")
    return found


def _check(graph: "Graph", account: Account, ids: Sequence[str], steps: Mapping[str, str]) -> None:
    terms, charges = account.read()
    if terms.epsilon is None and terms.unit is None:
        return  # nothing can be exceeded
    planned, guessed = [], False
    for id in ids:
        node, corpus = graph.nodes[id], _corpus(graph, id)
        about = _about(graph, corpus, charges, steps)
        mechanism = None if _paid(graph, node, charges, steps) else _mechanism(node, about)
        if mechanism is not None:
            unit = corpus.parameters["unit"]
            budget.check_unit(account, terms, unit)
            planned.append(Charge("", graph.run, Event(id, "planned", mechanism), unit, about.units, about.delta, ""))
            guessed |= not about.known
    for unit in {one.unit for one in planned} if terms.epsilon is not None else ():
        spent, more = budget.mechanisms(charges, unit), budget.mechanisms(planned, unit)
        at = budget.total_delta(terms, [*charges, *planned])
        before, total = budget.composed(spent, at), budget.composed([*spent, *more], at)
        if budget.exceeds(total, terms.epsilon):
            alone = [f"{one.event.stage} ({budget.composed([one.event.mechanism], at):.3f})" for one in planned]
            stages = ", ".join(alone[:_SHOWN]) + (f" and {len(alone) - _SHOWN} more" if len(alone) > _SHOWN else "")
            about = "; how many units there are is not known before 00_process_data has run" if guessed else ""
            raise DoppelError(
                f"the corpus {account.source} has a budget of epsilon {terms.epsilon:g}; {before:.4f} is spent, and "
                f"this run would make it {total:.4f} at delta {at:.3g}, for one {unit}: {stages}{about}. Leave stages "
                "out (--only), lower their target_epsilon, or let whoever answers for the data raise epsilon in "
                f"{account.shown}"
            )


def _corpus(graph: "Graph", id: str) -> "Node":
    """The corpus stage that a stage reads, or the stage itself."""
    node = graph.nodes[id]
    return graph.nodes.get(dict(node.parameters.get("inputs", {})).get("corpus"), node)


def _about(graph: "Graph", corpus: "Node", charges: Sequence[Charge], steps: Mapping[str, str]) -> _Corpus:
    folder = graph.folder / corpus.id
    if corpus.id not in steps and fingerprint.read_done(folder) is not None:
        own = ledger.read(folder)
        return _Corpus(own.units, own.delta, own.mechanisms, known=True)
    units = [one.units for one in charges if one.unit == corpus.parameters["unit"]]
    n = units[-1] if units else UNKNOWN_UNITS
    released = _histogram(corpus.parameters)
    return _Corpus(n, corpus.parameters["delta"] or default_delta(n), [released] if released else [], known=False)


def _mechanism(node: "Node", about: _Corpus) -> Mechanism | None:
    """What a stage will draw: the corpus stage its label histogram, an arm what the rest of its target buys."""
    if "label_histogram_scale" in node.parameters:
        return _histogram(node.parameters)
    if node.parameters.get("target_epsilon") is None:
        return None
    method = registry.spending(node.notebook)
    if method is not None:
        with suppress(DoppelError) if not about.known else nullcontext():
            return method.mechanism(node.parameters, units=about.units, delta=about.delta, others=about.released)
    # at the true n the parameters and the target may be within reach, which the notebook will find out
    target = node.parameters["target_epsilon"]
    return Gaussian(calibrate(Gaussian, target_epsilon=target, delta=about.delta))


def _histogram(parameters: Parameters) -> Mechanism | None:
    scale = parameters["label_histogram_scale"]
    return None if scale is None or len(labels.cells(parameters["label_domain"])) == 1 else DiscreteGaussian(scale)


def _paid(graph: "Graph", node: "Node", charges: Sequence[Charge], steps: Mapping[str, str]) -> bool:
    """Whether the stage goes on with work that was paid for: not when it is forced, or an input is made anew."""
    if steps[node.id] == "forced" or set(node.inputs) & steps.keys():
        return False
    digests = {name: (fingerprint.read_done(graph.folder / name) or {}).get("digest", "") for name in node.inputs}
    work = graph.folder / node.id / "checkpoints" / fingerprint.work_key(node.made, digests)
    return any(budget.paid(token, charges, graph.run, node.id) for token in work.rglob(budget.TOKEN))


def affordable(parameters: Parameters, corpus: Parameters, folder: Path) -> None:
    """Refuse a target that what the corpus stage releases already exceeds, as far as it is known yet.

    Args:
        parameters: of a stage with a ``target_epsilon``. corpus: of its input ``corpus``.
        folder: of that input; when it is done, its own ledger says what is spent. Else a ``delta`` in its
            parameters is enough to tell; without one (it depends on n) the stage itself will.
    """
    target, scale = parameters["target_epsilon"], corpus["label_histogram_scale"]
    if (folder / "done.json").is_file():
        spent = read(folder).epsilon
    elif corpus["delta"] is not None and scale is not None:
        spent = epsilon([DiscreteGaussian(scale)], delta=corpus["delta"])
    else:
        return
    if target is not None and spent >= target:
        raise DoppelError(
            f"target_epsilon = {target:g} cannot be reached: the label histogram alone spends {spent:.3f}; "
            f"raise target_epsilon above {spent:.3f}, or label_histogram_scale above {scale:g}"
        )
