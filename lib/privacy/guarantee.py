"""The guarantee of an arm that is handed out: its own epsilon, or that of everything the corpus' account holds.

Whoever makes several arms and hands out the one that came out best tells more than that arm does: which one is best
depends on the private records through all of them. The best of 6 arms of epsilon 1 each can have epsilon 2.3 (Papernot
& Steinke 2022, "Hyperparameter tuning with Renyi differential privacy"); their composition bounds it always. So

- an arm that was **named** for release before it was made (``for_release`` in the parameters of the stage that draws
  its noise, on record in the account before the draw) keeps its own epsilon, composed with what other named arms of
  the corpus spent, since each of them may be handed out too;
- any other arm has the epsilon of all that was ever charged to the corpus.

Naming says that neither the arm nor its settings were chosen by what other arms of this corpus came out as. Nobody but
the holder can know that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.common.errors import Reason
from lib.privacy.budget import all_of, unit_of
from lib.privacy.budget_account import Charge
from lib.privacy.composition import Covers, merged, spent
from lib.privacy.ledger import NO_UNIT, Event, Ledger
from lib.privacy.mechanism import Mechanism
from lib.stage.notebook_roles import READERS, notebook_of


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What handing out an arm costs.

    Attributes:
        covers: what is composed.
        epsilon: of it, at ``delta``: an upper bound, never below the arm's own.
        delta: the arm's own.
        unit: that it protects one of.
        charges: how many charges are composed.
        mechanisms: the composition; equal ones are one with their counts added.
    """

    covers: Covers
    epsilon: float
    delta: float
    unit: str
    charges: int
    mechanisms: tuple[Mechanism, ...]


def guarantee(ledger: Ledger, charges: Sequence[Charge]) -> Guarantee:
    """The guarantee of an arm.

    Args:
        ledger: of the arm; every event is private. One without a unit has nothing to compose: its epsilon is 0.
        charges: all charges of the corpus' account, oldest first. Events of the ledger that it does not hold
            (`uncharged`) are composed all the same.
    """
    if ledger.unit == NO_UNIT:
        return Guarantee("this arm", epsilon=0.0, delta=0.0, unit=NO_UNIT, charges=0, mechanisms=())
    own = [_charge_of(event, charges) for event in ledger.events]
    drawn = [charge for charge in own if charge is not None]
    missing = [event.mechanism for event, charge in zip(ledger.events, own, strict=True) if charge is None]
    arm_draws = [charge for charge in drawn if notebook_of(charge.event.stage) not in READERS]
    if missing or not arm_draws or not all(charge.named for charge in arm_draws):
        covers, composed = "all that was charged", list(charges)
    else:
        others = [charge for charge in charges if charge.named and not any(charge is one for one in drawn)]
        covers, composed = ("all arms named for release" if others else "this arm"), [*drawn, *others]
    mechanisms = tuple(merged([*all_of(composed), *missing]))
    return Guarantee(
        covers=covers,
        epsilon=spent(covers, mechanisms, delta=ledger.delta, own=ledger.epsilon),
        delta=ledger.delta,
        unit=unit_of(composed) or ledger.unit,
        charges=len(composed) + len(missing),
        mechanisms=mechanisms,
    )


def uncharged(ledger: Ledger, charges: Sequence[Charge]) -> list[Reason]:
    """Events of an arm that its corpus' account does not hold: the account was lost, edited, or is another's.

    Args:
        ledger: of the arm.
        charges: all charges of the account. The name of their run does not matter, since a run may be copied.

    Returns:
        A reason for each such event; one without a guarantee is never charged, and not reported.
    """
    return [
        Reason("privacy.event_not_charged", f"{event.stage}: {event.what} is not in the account of its corpus")
        for event in ledger.events
        if not event.mechanism.unbounded and _charge_of(event, charges) is None
    ]


def _charge_of(event: Event, charges: Sequence[Charge]) -> Charge | None:
    """The last charge of an event; whether its batches were checked is not known when it is charged."""

    def drawn(one: Event) -> tuple:
        return one.stage, one.what, one.mechanism, one.privacy_seed

    return next((charge for charge in reversed(charges) if drawn(charge.event) == drawn(event)), None)
