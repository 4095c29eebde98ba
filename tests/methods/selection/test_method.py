"""The entry of the hybrid: its recipe, all events together within the target, and refusals where nothing is left."""

from functools import cache
from pathlib import Path

import pytest
from support.errors import refused
from support.project import ROOT

from lib.common.files import write_json
from lib.methods.dp_lora.method import METHOD as DP_LORA
from lib.methods.private_evolution.method import METHOD as AUG_PE
from lib.methods.selection.method import METHOD, check_selection
from lib.pipeline.stage_checks import CHECKS
from lib.privacy import copy_count
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate, default_delta, epsilon
from lib.privacy.ledger import Event, Ledger, inherit
from lib.stage.parameters import read_spec

UNITS = 3184
DELTA = default_delta(UNITS)
HISTOGRAM = DiscreteGaussian(10.0)
DEFAULTS = {name: p.default for name, p in read_spec(ROOT / "notebooks" / "13_select.ipynb").items()}
ARMS = {
    "quick": (DP_LORA, {"steps": 6, "expected_batch": 144.0}),
    "evolved": (AUG_PE, {"iterations": 3}),
}


@cache  # calibrating takes seconds
def arm(name: str, target: float, reserve: float) -> list:
    """What an arm and the label histogram draw: histogram, training or votes, and the count of copies."""
    method, given = ARMS[name]
    given = given | {"target_epsilon": target, "copy_share": 0.2, "reserve": reserve}
    own = method.mechanism(given, units=UNITS, delta=DELTA, others=[HISTOGRAM])
    return [HISTOGRAM, own, copy_count.mechanism(given, DELTA)]


def hybrid(behind: list, target: float, votes: int = 1) -> list:
    given = {"target_epsilon": target, "copy_share": 0.2, "votes": votes}
    own = METHOD.mechanism(given, units=UNITS, delta=DELTA, others=behind)
    return [*behind, own, copy_count.mechanism(given, DELTA)]


@pytest.mark.parametrize(("name", "target", "cost"), [("quick", 8.0, 0.03), ("evolved", 8.0, 0.05)])
def test_a_reserve_of_a_twentieth_costs_little_and_buys_a_vote(name: str, target: float, cost: float) -> None:
    """The share that refusals recommend: the noise of training rises by 2 to 3%, and that of a vote stays useful.

    All events together spend the target and never more; the arm alone spends its target less the reserve.
    """
    whole, behind = arm(name, target, 0.0), arm(name, target, 0.05)
    assert 1 + cost / 2 < behind[1].noise / whole[1].noise < 1 + cost
    assert 0.98 * 0.95 * target <= epsilon(behind, delta=DELTA) <= 0.95 * target
    spent = hybrid(behind, target)
    assert 0.98 * target <= epsilon(spent, delta=DELTA) <= target
    assert spent[-2].noise < 3  # votes; 3,184 records give each of 600 candidates 5


def test_several_votes_share_what_is_left() -> None:
    behind = arm("quick", 8.0, 0.05)
    one, two = (hybrid(behind, 8.0, votes)[-2] for votes in (1, 2))
    assert (one.count, two.count) == (1, 2)
    assert two.noise / one.noise == pytest.approx(2**0.5, rel=1e-3)
    assert METHOD.recipe({"votes": 2}, UNITS, 1.5) == Gaussian(1.5, count=2)


@pytest.mark.parametrize("reserve", [0.0, 0.004], ids=["nothing", "too little"])
def test_arms_that_leave_nothing_are_refused_and_the_remedy_names_the_reserve(reserve: float) -> None:
    with refused("methods.nothing_left", name="target_epsilon", value=8.0) as error:
        hybrid(arm("quick", 8.0, reserve), 8.0)
    assert "reserve: 0.05" in error.value.remedy
    with refused("privacy.others_not_private", name="target_epsilon"):
        hybrid([HISTOGRAM, NonPrivate()], 8.0)
    assert METHOD.mechanism({"target_epsilon": None}, units=UNITS, delta=DELTA) == NonPrivate()


def finish(run: Path, stage: str, events: list[Event], inputs: tuple[str, ...] = ()) -> None:
    """A stage with a ledger of its own events and those of its inputs."""
    ledger = inherit([run / name for name in inputs]) if inputs else Ledger("record", UNITS)
    ledger.events += events
    (run / stage).mkdir()
    write_json(run / stage / "privacy.json", ledger.statement(stage))


def test_an_event_that_two_candidate_arms_share_counts_once(tmp_path: Path) -> None:
    corpus, trained, evolved = "00_process_data", "10_finetune_dp_lora.a", "12_aug_pe.b"
    finish(tmp_path, corpus, [Event(corpus, "label histogram", HISTOGRAM)])
    finish(tmp_path, trained, [Event(trained, "DP-SGD", Gaussian(3.0, 0.05, 6), checked=True)], (corpus,))
    for stage, above in (("11_generate.a", (corpus, trained)), ("11_generate.base", (corpus,))):
        counted = [] if above == (corpus,) else [Event(stage, copy_count.WHAT, DiscreteGaussian(3.0))]
        finish(tmp_path, stage, counted, above)
    finish(tmp_path, evolved, [Event(evolved, "votes", Gaussian(9.0, count=3))], (corpus,))
    ledger = inherit([tmp_path / name for name in (corpus, "11_generate.a", "11_generate.base", evolved)])
    assert [event.stage for event in ledger.events] == [corpus, trained, "11_generate.a", evolved]
    whole = hybrid(ledger.mechanisms, 8.0)
    assert 0.98 * 8 <= epsilon(whole, delta=DELTA) <= 8.0


@pytest.mark.parametrize(
    ("inputs", "code", "name"),
    [
        ({"corpus": "00_process_data"}, "methods.no_candidates", "inputs"),
        ({"eps8": "11_generate.eps8"}, "stage.no_corpus_input", "inputs"),
        ({"corpus": "00_process_data", "a": "21_fidelity"}, "stage.input_of_another_notebook", "a"),
    ],
)
def test_a_selection_without_arms_is_refused(inputs: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        CHECKS["13_select"](DEFAULTS | {"inputs": inputs})


def test_any_arm_can_be_selected_from_another_selection_too() -> None:
    arms = {"a": "11_generate.base", "b": "12_aug_pe.eps8", "c": "13_select.first"}
    CHECKS["13_select"](DEFAULTS | {"inputs": {"corpus": "00_process_data"} | arms})
    check_selection(DEFAULTS)


def test_a_card_names_the_arms_and_the_votes() -> None:
    settings = {"inputs": {"corpus": "00_process_data", "eps8": "11_generate.eps8"}, "encoder": "hub:a/b", "votes": 2}
    (words,) = METHOD.making(settings, settings, "record")
    assert "texts of `11_generate.eps8`." in words and "2 times" in words and "as seen by `hub:a/b`" in words
    (words,) = METHOD.making(settings | {"votes": 1}, settings, "record")
    assert "voted once for" in words
