"""Evolution that starts from another arm's texts: which texts, and what that arm leaves of the target."""

from pathlib import Path

from support.errors import refused
from support.evolution_toys import CELLS, Plane, embed, on_plane

from lib.common.files import write_json
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.generation.prompt_file import PromptFile
from lib.methods.method import noise_multiplier
from lib.methods.private_evolution import evolution, start
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate, epsilon
from lib.privacy.ledger import Event, Ledger

STARTED = {
    "inputs": {"corpus": "c", "start": "11_generate.eps4"},
    "iterations": 3,
    "target_epsilon": 8.0,
    "model": "bundled:x",
}
HISTOGRAM = Event("c", "labels", DiscreteGaussian(8.0))


def arm(noise: float) -> list[Event]:
    return [Event("10_finetune_dp_lora.eps4", "training", Gaussian(noise, 0.1, 20))]


def test_the_arm_s_events_and_the_votes_are_calibrated_together_to_the_target() -> None:
    """Against the accountant: all events spend the target, the votes alone less. An arm that cost nothing is free."""
    ledger = Ledger("record", 3000, events=[HISTOGRAM, *arm(1.0)])
    votes = start.mechanism(STARTED, ledger, ledger.mechanisms)
    assert 7.95 < epsilon([*ledger.mechanisms, votes], delta=ledger.delta) <= 8
    assert epsilon([HISTOGRAM.mechanism, votes], delta=ledger.delta) < 7.9
    free = start.mechanism(STARTED, ledger, [HISTOGRAM.mechanism])
    alone = start.mechanism(STARTED | {"inputs": {"corpus": "c"}}, ledger, [HISTOGRAM.mechanism])
    assert noise_multiplier(free) == noise_multiplier(alone) < noise_multiplier(votes)


def test_an_arm_that_leaves_nothing_or_promises_nothing_is_refused() -> None:
    ledger = Ledger("record", 3000, events=[HISTOGRAM, *arm(0.3)])
    assert ledger.epsilon > 8
    with refused("methods.start_left_nothing", name="start", value="11_generate.eps4"):
        start.mechanism(STARTED, ledger, ledger.mechanisms)
    with refused("privacy.target_unreachable"):
        start.mechanism(STARTED | {"inputs": {"corpus": "c"}}, ledger, ledger.mechanisms)
    free = [HISTOGRAM.mechanism, NonPrivate()]
    with refused("methods.start_not_private", name="start", value="11_generate.eps4"):
        start.mechanism(STARTED, ledger, free)
    without = STARTED | {"target_epsilon": None}
    assert start.mechanism(without, ledger, free).unbounded
    for model in ("openai:some-model", "azure:mine", "bedrock:some.model-v1:0"):  # what was learned without privacy
        with refused("methods.start_not_private", name="start"):  # stays on this machine
            start.mechanism(without | {"model": model}, ledger, free)
    assert start.mechanism(without | {"model": "openai:some-model"}, ledger, [HISTOGRAM.mechanism]).unbounded


def test_what_an_arm_had_spent_before_its_votes_is_counted_once(tmp_path: Path) -> None:
    ledger = Ledger("record", 3000, events=[HISTOGRAM])
    other = Ledger("record", 3000, events=[HISTOGRAM, *arm(1.0)])
    write_json(tmp_path / "11_generate.eps4" / "privacy.json", other.statement("11_generate.eps4"))
    folder = tmp_path / "12_aug_pe.started"
    assert start.spent_before(folder, "11_generate.eps4", ledger) == other.mechanisms
    assert start.spent_before(folder, None, ledger) == ledger.mechanisms


def test_evolution_begins_with_the_arm_s_texts_each_once(prompts: PromptFile, tmp_path: Path) -> None:
    points = ["at 1.0 and 1.0", "at 3.0 and 3.0", "at -4.0 and 2.0", "at 3.0 and 3.0", "at 2.5 and 3.5"]
    records = [Record(f"{n}", PrivateText(text), CELLS[n % 2]) for n, text in enumerate(points)]
    begun = start.candidates(records, CELLS)
    assert begun.items == [points[0], points[1], points[2], points[4]] and begun.cells == [0, 1, 0, 0]
    assert begun.labels == [CELLS[cell] for cell in begun.cells] and begun.parents == [None] * 4
    model = Plane()
    run = on_plane(prompts, tmp_path, model, samples=3)
    run.begin_with(begun)
    history = run.run()
    assert history[0].generation.items == begun.items and set(history[0].selected) <= set(points)
    asked = [request.messages[-1][1] for call in model.asked for request in call]
    assert asked and not any("Name a" in text for text in asked)  # RANDOM_API was not called
    assert embed(history[-1].selected).shape == (3, 2)
    assert evolution.lineage(history, 2)[0]["text 1"] in points
