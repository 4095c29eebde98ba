"""Accounts of toy budgets: real notebooks' stages that are begun, charged and finished without being run."""

from functools import cache
from pathlib import Path

import yaml

from lib.pipeline import budget_check, planned_draws, preflight
from lib.pipeline.graph import Graph
from lib.privacy import accounting, budget, copy_count
from lib.privacy.accounting import DiscreteGaussian, Gaussian, Mechanism
from lib.privacy.budget_account import Account, Charge
from lib.privacy.ledger import Event, Ledger, inherit
from lib.stage.stage import Stage

CORPUS, TRAIN, EVOLVE = "00_process_data", "10_finetune_dp_lora.eps8", "12_aug_pe.eps8"
UNITS = 2918
ARM = Gaussian(2.0)  # epsilon 1.8 at the delta of so many units
ARM_JSON = '{"kind": "Gaussian", "noise_multiplier": 2.0, "sampling_probability": 1.0, "count": 1}'
CSV = (  # changes that name the house's own file
    "00_process_data.source=csv:reviews.csv",
    "00_process_data.columns={text: Review, user: Author, labels.sentiment: Mood}",
)


def two_arms(quick: Path) -> None:
    """Take the hybrid out of the files of preset quick, and the share that is reserved for it; change the corpus."""
    (quick / "13_select.eps8.yaml").unlink()
    more = {
        CORPUS: "source: amazon-snippets\nlabel_domain: {sentiment: [negative, neutral, positive]}\n",
        TRAIN: "prompt: 'A {sentiment} sentence:'\nreserve: 0.0\nsteps: 6\n",
        "10_finetune_dp_lora.nonprivate": "prompt: 'A {sentiment} sentence:'\nsteps: 6\n",
        "11_generate.base": "prompt: 'A {sentiment} sentence:'\n",
        EVOLVE: "prompts: prompts/amazon-snippets.yaml\n",
        "11_generate.varied": "prompts: prompts/amazon-snippets.yaml\n",
    }
    for path in quick.glob("*.yaml"):
        added = more.get(path.stem, "")
        names = {line.partition(":")[0] for line in added.splitlines()} | {"  hybrid"}
        kept = [line for line in path.read_text().splitlines() if line.partition(":")[0] not in names]
        path.write_text("\n".join(kept) + "\n" + added)


@cache  # every house has the same notebooks, parameters and reviews, and the graph does not say in which folder
def graph_of(*changes: str, run: str = "quick") -> Graph:
    """Preset quick after pre-flight."""
    return preflight.preflight("quick", run, changes)


def begin(stage: str, *, run: str = "quick", changes: tuple[str, ...] = ()) -> Stage:
    """A running stage of preset quick, its inputs done; the notebook itself is not run."""
    node = graph_of(*changes, run=run).nodes[stage]
    return Stage.begin(node.notebook, dict(node.parameters))


def corpus(*, unit: str = "record", units: int = UNITS, run: str = "quick", changes: tuple[str, ...] = ()) -> Ledger:
    """The corpus stage, done, and its ledger."""
    changes = (*changes, f"00_process_data.unit={unit}")
    stage = begin(CORPUS, run=run, changes=changes)
    ledger = Ledger(unit, units)
    event = Event(stage.id, "label histogram", DiscreteGaussian(10.0))
    budget.charge(stage, event, ledger)
    ledger.events.append(event)
    stage.finish({}, ledger.statement(stage.id))
    return ledger


def pay(stage: Stage, mechanism: Mechanism = ARM, **changes: object) -> Event:
    """Charge a draw of an arm whose work can be taken up."""
    event = Event(stage.id, "DP-SGD", mechanism, **changes)
    budget.charge(stage, event, inherit([stage.inputs["corpus"]]), resumable=True)
    return event


@cache
def calibrated(stage: str, units: int, delta: float, others: tuple[Mechanism, ...]) -> Gaussian:
    """What the notebook of an arm draws, spelled out: DP-SGD's steps, or Private Evolution's votes, at epsilon 8."""
    given = graph_of().nodes[stage].parameters

    def make(noise: float) -> Gaussian:
        if stage == TRAIN:
            return Gaussian(noise, given["expected_batch"] / units, given["steps"])
        return Gaussian(noise, count=given["iterations"])

    count = copy_count.mechanism(given, delta)
    return make(accounting.calibrate(make, target_epsilon=8.0, delta=delta, others=[*others, count]))


def finish(stage_id: str) -> Event:
    """An arm of quick, done: what its notebook charges."""
    stage = begin(stage_id)
    ledger = inherit([stage.inputs["corpus"]])
    event = pay(stage, calibrated(stage_id, ledger.units, ledger.delta, tuple(ledger.mechanisms)))
    ledger.events.append(event)
    stage.finish({}, ledger.statement(stage.id))
    return event


def planned(*changes: str, run: str = "quick", force: tuple[str, ...] = ()) -> None:
    """Pre-flight of preset quick as the command line does it."""
    graph = graph_of(*changes, run=run)
    budget_check.check_budget(graph, graph.plan(graph.nodes, force))


def draws(*changes: str) -> dict[str, Mechanism | None]:
    """What pre-flight expects the two private arms of quick to draw."""
    graph = graph_of(*changes)
    about = planned_draws.about(graph, graph.nodes[CORPUS], entries(), graph.plan(graph.nodes))
    return {id: planned_draws.mechanism(graph, graph.nodes[id], about) for id in (TRAIN, EVOLVE)}


def set_terms(source: str = "amazon-snippets", **values: object) -> Path:
    """Edit the terms of an account, or write them before its first charge."""
    account = Account.of(source)
    account.path.parent.mkdir(parents=True, exist_ok=True)
    known = {"source": account.source, "unit": None, "epsilon": None, "delta": None}
    if account.path.is_file():
        known = yaml.safe_load(account.path.read_text())
    account.path.write_text(yaml.safe_dump(known | values))
    account.path.with_suffix(".jsonl").touch()  # terms without charges beside them are read as a loss
    return account.path


def entries(source: str = "amazon-snippets") -> list[Charge]:
    """The charges to a source."""
    return list(budget.status(source).entries)
