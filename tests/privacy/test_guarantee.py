"""What handing out an arm costs: its own epsilon if it was named before it was made, else all that was charged."""

import pytest

from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate, epsilon
from lib.privacy.budget_account import Charge
from lib.privacy.guarantee import guarantee, uncharged
from lib.privacy.ledger import Event, Ledger
from lib.privacy.mechanism import Mechanism

UNITS = 1000
HISTOGRAM = Event("00_process_data", "label histogram", DiscreteGaussian(10.0))


def arm(name: str, mechanism: Mechanism | None = None, seed: int | None = None) -> Event:
    return Event(f"12_aug_pe.{name}", "votes for candidates", mechanism or Gaussian(4.0), seed)


def charged(event: Event, *, named: bool = False, unit: str = "record") -> Charge:
    return Charge("2026-01-01T00:00:00+00:00", "quick", event, unit, UNITS, 1e-4, "token", named)


def ledger(*events: Event) -> Ledger:
    return Ledger("record", UNITS, 1e-4, list(events))


def spent(*events: Event) -> float:
    return epsilon([event.mechanism for event in events], delta=1e-4)


A, B = arm("a"), arm("b", Gaussian(3.0))


def test_an_arm_that_was_not_named_has_the_epsilon_of_everything():
    charges = [charged(HISTOGRAM), charged(A), charged(B), charged(B)]
    of_a = guarantee(ledger(HISTOGRAM, A), charges)
    assert of_a.covers == "all that was charged" and of_a.charges == 4
    assert of_a.epsilon == pytest.approx(spent(HISTOGRAM, A, B, B), rel=1e-3)
    assert of_a.epsilon > spent(HISTOGRAM, A)


def test_a_named_arm_keeps_its_own_whatever_else_was_tried():
    charges = [charged(HISTOGRAM), charged(B), charged(A, named=True), charged(B)]
    of_a = guarantee(ledger(HISTOGRAM, A), charges)
    assert of_a.covers == "this arm" and of_a.epsilon == pytest.approx(spent(HISTOGRAM, A), rel=1e-9)
    assert guarantee(ledger(HISTOGRAM, B), charges).covers == "all that was charged"


def test_named_arms_are_composed_and_one_that_was_drawn_twice_counts_twice():
    charges = [charged(HISTOGRAM), charged(A, named=True), charged(B, named=True)]
    both = guarantee(ledger(HISTOGRAM, A), charges)
    assert both.covers == "all arms named for release"
    assert both.epsilon == pytest.approx(spent(HISTOGRAM, A, B), rel=1e-3)
    again = guarantee(ledger(HISTOGRAM, A), [*charges[:2], charged(A, named=True)])
    assert again.epsilon == pytest.approx(spent(HISTOGRAM, A, A), rel=1e-3)


def test_a_draw_that_was_not_named_takes_the_name_from_its_arm():
    copies = Event("12_aug_pe.a", "count of copied units", DiscreteGaussian(3.0))
    charges = [charged(HISTOGRAM), charged(A, named=True), charged(copies), charged(B)]
    assert guarantee(ledger(HISTOGRAM, A, copies), charges).covers == "all that was charged"


def test_an_arm_without_draws_of_its_own_is_chosen_among_all():
    charges = [charged(HISTOGRAM), charged(A)]
    assert guarantee(ledger(HISTOGRAM), charges).epsilon == pytest.approx(spent(HISTOGRAM, A), rel=1e-3)


def test_events_that_the_account_lacks_are_reported_and_composed_all_the_same():
    of_a = ledger(HISTOGRAM, A)
    assert [reason.code for reason in uncharged(of_a, [charged(HISTOGRAM)])] == ["privacy.event_not_charged"]
    assert len(uncharged(of_a, [])) == 2 and uncharged(of_a, [charged(HISTOGRAM), charged(A)]) == []
    assert guarantee(of_a, [charged(B)]).epsilon == pytest.approx(spent(HISTOGRAM, A, B), rel=1e-3)
    other_figures = charged(arm("a", Gaussian(4.1)))
    assert len(uncharged(of_a, [charged(HISTOGRAM), other_figures])) == 1
    assert uncharged(ledger(arm("free", NonPrivate())), []) == []  # what has no guarantee is never charged


def test_charges_of_both_units_are_added_up_for_somebody_with_one_record():
    charges = [charged(HISTOGRAM), charged(A), charged(B, unit="user")]
    both = guarantee(ledger(HISTOGRAM, A), charges)
    assert both.unit == "user with one record" and both.epsilon == pytest.approx(spent(HISTOGRAM, A, B), rel=1e-3)


def test_the_certified_choice_of_the_best_of_several_is_covered():
    """The best of k arms at epsilon 1 each: the exact privacy loss of the choice is below the guarantee."""
    import numpy as np
    from scipy.stats import norm

    sigma = 4.5
    for k in (2, 6):
        events = [arm(f"a{number}", Gaussian(sigma)) for number in range(k)]
        bound = guarantee(ledger(events[0]), [charged(event) for event in events]).epsilon
        # each arm is x + noise with x in {0, 1}, and the largest is handed out: its density is k phi Phi^(k - 1)
        grid = np.linspace(-30, 30, 200_001)
        with_unit, without = (k * norm.pdf(grid, x, sigma) * norm.cdf(grid, x, sigma) ** (k - 1) for x in (1.0, 0.0))
        delta = np.sum(np.maximum(with_unit - np.exp(bound) * without, 0)) * (grid[1] - grid[0])
        own = epsilon([Gaussian(sigma)], delta=1e-4)
        too_small = np.sum(np.maximum(with_unit - np.exp(own) * without, 0)) * (grid[1] - grid[0])
        assert delta <= 1e-4 < too_small  # and the winner's own epsilon alone would be wrong
