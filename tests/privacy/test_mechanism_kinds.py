"""Every mechanism is one class: what it refuses, what it says of itself, how it merges, and what a new one needs."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from dp_accounting.pld import privacy_loss_distribution
from support.errors import refused

from lib.privacy import composition, statement_check
from lib.privacy.accounting import SEARCH_DISCRETIZATION, epsilon
from lib.privacy.disclosure import may_be_shown
from lib.privacy.ledger import Event, Ledger, from_statement, not_for_release
from lib.privacy.mechanism import MECHANISMS, Mechanism
from lib.privacy.mechanism_kinds import DiscreteGaussian, Gaussian, NonPrivate


@dataclass(frozen=True)
class ToyLaplace(Mechanism):
    """A count plus Laplace noise, which only this test has."""

    title: ClassVar[str] = "Laplace"

    scale: float
    count: int = 1

    def pld(self, discretization):
        release = privacy_loss_distribution.from_laplace_mechanism(
            self.scale, value_discretization_interval=discretization
        )
        return release.self_compose(self.count)

    def pld_replacing(self, discretization):
        return replace(self, scale=self.scale / 2).pld(discretization)

    def validate(self):
        assert self.scale > 0

    @property
    def noise(self):
        return math.sqrt(2) * self.scale


@pytest.fixture
def laplace(monkeypatch):
    monkeypatch.setitem(MECHANISMS, "ToyLaplace", ToyLaplace)  # as `register` does, and gone after the test
    return ToyLaplace


def test_a_new_kind_needs_its_class_alone(laplace):
    """Laplace noise of scale b is 1/b-DP (Dwork et al. 2006); at delta 0 the accountant must say just that."""
    assert epsilon([laplace(2.0)], delta=1e-12) == pytest.approx(0.5, abs=1e-3)
    event = Event("00_process_data", "a count", laplace(2.0, 3))
    assert Event.from_json(json.loads(json.dumps(event.as_json()))) == event
    assert event.as_json()["mechanism"] == {"kind": "ToyLaplace", "scale": 2.0, "count": 3}

    ledger = Ledger("record", 2000, events=[event, Event("10", "DP-SGD", Gaussian(0.9, 0.1, 12), checked=True)])
    statement = ledger.statement("11")
    assert epsilon([Gaussian(0.9, 0.1, 12)], delta=ledger.delta) < statement["epsilon"] < math.inf
    assert from_statement(json.loads(json.dumps(statement))).events == ledger.events
    assert statement_check.problems(statement) == []
    wrong = statement | {"events": [replace(event, mechanism=laplace(2.5, 3)).as_json(), *statement["events"][1:]]}
    assert [reason.code for reason in statement_check.problems(wrong)] == ["privacy.epsilon_wrong"]

    spent = [laplace(2.0), laplace(4.0), laplace(2.0, 2)]
    assert composition.merged(spent) == [laplace(2.0, 3), laplace(4.0)]
    one_by_one = epsilon(spent, delta=1e-5, discretization=SEARCH_DISCRETIZATION)
    assert composition.composed(spent, 1e-5) == pytest.approx(one_by_one, rel=1e-9)
    assert may_be_shown(ledger.events) and not_for_release(ledger.events) == []


def test_a_kind_that_is_not_registered_cannot_be_read():
    line = Event("00_process_data", "a count", ToyLaplace(2.0)).as_json()
    with refused("privacy.event_unreadable"):
        Event.from_json(line)


@pytest.mark.parametrize(
    ("mechanism", "spelled"),
    [
        (Gaussian(0.9, 0.1), '{"kind": "Gaussian", "noise_multiplier": 0.9, "sampling_probability": 0.1, "count": 1}'),
        (DiscreteGaussian(10.0), '{"kind": "DiscreteGaussian", "scale": 10.0, "sensitivity": 1, "count": 1}'),
        (NonPrivate(), '{"kind": "NonPrivate"}'),
    ],
)  # fmt: skip
def test_the_spelling_in_files_never_changes(mechanism, spelled):
    """Certificates are hashed: a field that is renamed, moved or added would make old packs unverifiable."""
    event = Event("a", "b", mechanism)
    assert json.dumps(event.as_json()["mechanism"]) == spelled
    assert list(event.as_json()) == ["stage", "what", "privacy_seed", "checked", "mechanism"]
    assert Event.from_json(event.as_json()) == event


@pytest.mark.parametrize(
    ("mechanism", "figure"),
    [
        (Gaussian(0.0), "noise_multiplier"),
        (Gaussian(0.049), "noise_multiplier"),
        (Gaussian(-1.0), "noise_multiplier"),
        (Gaussian(math.inf), "noise_multiplier"),
        (Gaussian(math.nan), "noise_multiplier"),
        (Gaussian("2"), "noise_multiplier"),
        (Gaussian(True), "noise_multiplier"),
        (Gaussian(None), "noise_multiplier"),
        (Gaussian(1.0, 0.0), "sampling_probability"),
        (Gaussian(1.0, 1.5), "sampling_probability"),
        (Gaussian(1.0, math.nan), "sampling_probability"),
        (Gaussian(1.0, "0.5"), "sampling_probability"),
        (Gaussian(1.0, 0.5, 0), "count"),
        (Gaussian(1.0, 0.5, 2.0), "count"),
        (Gaussian(1.0, 0.5, True), "count"),
        (Gaussian(1.0, 0.5, 10**15), "count"),
        (DiscreteGaussian(1e-9), "scale"),
        (DiscreteGaussian(math.inf), "scale"),
        (DiscreteGaussian(1.0, 0), "sensitivity"),
        (DiscreteGaussian(1.0, 1.5), "sensitivity"),
        (DiscreteGaussian(1.0, 1, -1), "count"),
    ],
)
def test_figures_that_no_mechanism_has_are_refused_by_name(mechanism, figure):
    with refused("privacy.impossible_mechanism", name=figure):
        mechanism.validate()


@pytest.mark.parametrize(
    "mechanism",
    [Gaussian(0.05), Gaussian(1.0, 1, 10**7), Gaussian(2, 0.001, 1), DiscreteGaussian(100), NonPrivate()],
)
def test_figures_that_a_mechanism_can_have_pass(mechanism):
    mechanism.validate()


@pytest.mark.parametrize(
    ("mechanism", "title", "noise", "poisson", "unbounded"),
    [
        (Gaussian(0.9, 0.1, 12), "Gaussian", 0.9, True, False),
        (Gaussian(2.0), "Gaussian", 2.0, False, False),
        (Gaussian(0.0, 0.1), "Gaussian", 0.0, True, True),
        (DiscreteGaussian(10.0, 4), "discrete Gaussian", 2.5, False, False),
        (DiscreteGaussian(0.0), "discrete Gaussian", 0.0, False, True),
        (NonPrivate(), "none", 0.0, False, True),
    ],
)
def test_what_a_mechanism_says_of_itself(mechanism, title, noise, poisson, unbounded):
    assert (mechanism.title, mechanism.noise, mechanism.poisson, mechanism.unbounded) == (
        title, noise, poisson, unbounded,
    )  # fmt: skip
    assert mechanism.sampler == (
        "Poisson: every unit joins every release by itself, with the sampling probability"
        if poisson
        else "none: every unit takes part in every release"
    )
    assert (epsilon([mechanism], delta=1e-5) == math.inf) == unbounded


def test_merging_keeps_the_order_and_the_figures():
    spent = [
        DiscreteGaussian(10.0),
        Gaussian(0.8, 0.05, 7),
        Gaussian(3.0),
        DiscreteGaussian(10.0, count=2),
        Gaussian(4.0, count=2),
        Gaussian(0.8, 0.05, 5),
        DiscreteGaussian(10.0, 2),
    ]
    everyone, *others = composition.merged(spent)
    assert everyone == Gaussian(1 / math.sqrt(1 / 3.0**2 + 2 / 4.0**2))
    assert others == [DiscreteGaussian(10.0, count=3), Gaussian(0.8, 0.05, 12), DiscreteGaussian(10.0, 2)]
    assert composition.merged([]) == []


def test_merging_never_hides_what_has_no_guarantee():
    for unbounded in (NonPrivate(), Gaussian(0.0), Gaussian(0.0, 0.5, 3), DiscreteGaussian(0.0)):
        merged = composition.merged([Gaussian(2.0), unbounded, Gaussian(1.0), unbounded])
        assert len(merged) == 2 and epsilon(merged, delta=1e-5) == math.inf


def test_mechanisms_ledgers_and_their_check_need_neither_yaml_nor_torch():
    """`python -m lib.release.verify` runs with dp-accounting (which brings numpy and scipy) and pyarrow alone."""
    blocked = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("yaml", "torch", "pandas", "opendp", "pydantic", "transformers"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Blocker())
from lib.privacy import accounting, disclosure, label_histogram, ledger, mechanism_kinds, statement_check
"""
    subprocess.run([sys.executable, "-c", blocked], check=True)
