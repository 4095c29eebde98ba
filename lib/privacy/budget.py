"""The budget of a corpus: what all runs have spent on it, and a refusal before a draw that would exceed its limit.

A corpus from which ten arms were made is not protected by the epsilon of one: what counts is the composition of all,
by the accountant of `lib.privacy.accounting`. Its account (`lib.privacy.budget_account`) holds the limit and every
charge.

- **Charged** is every mechanism whose result may be handed out, just before it draws noise, and written to the disk
  first: a run that is killed afterwards may have shown what it drew. A recorded ``privacy_seed`` makes it no cheaper:
  such results are not for release, yet somebody may have seen them.
- **Not charged** is what is never released: arms without privacy, audits, and evaluation on real text.
- Work that goes on from its checkpoints was paid for: a token among them names its charge. When they are gone
  (forced, changed, finished), or the account does not know the token, it costs again.

``./run_all.sh budget [SOURCE]`` (`lib.cli.budget`) prints all accounts, or one of them charge by charge.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_json
from lib.privacy.budget_account import Account, Charge, account_of
from lib.privacy.budget_terms import Terms
from lib.privacy.composition import BOTH, composed
from lib.privacy.ledger import Event, Ledger
from lib.privacy.mechanism import Mechanism
from lib.stage.stage import Stage

TOKEN = "budget.json"  # in a stage's checkpoints
ROUNDING = 1e-6  # share of the limit by which a sum may pass it: an arm that was calibrated to the limit fits


@dataclass(frozen=True, slots=True)
class Status:
    """Where an account stands.

    Args:
        limit: epsilon that all runs together may spend; None: there is no limit.
        spent: epsilon of everything charged, at ``delta``.
        delta: None before the first charge.
        unit: that the sum protects one of: ``record``, ``user``, or "user with one record" where charges of both units
            are added up (`all_of`); None before the first charge.
        entries: the charges, oldest first.
    """

    limit: float | None
    spent: float
    delta: float | None
    unit: str | None
    entries: Sequence[Charge]

    @property
    def over(self) -> bool:
        """Whether more is spent than the limit, which can be lowered afterwards."""
        return self.limit is not None and exceeds(self.spent, self.limit)


def status(source: str | Account) -> Status:
    """Where the budget of a corpus stands.

    Args:
        source: what 00_process_data reads, as its parameter of this name; or the account.

    Raises:
        DoppelError: the account cannot be read.
    """
    terms, charges = (source if isinstance(source, Account) else Account.of(source)).read()
    delta = total_delta(terms, charges)
    return Status(terms.epsilon, composed(all_of(charges), delta), delta, unit_of(charges) or terms.unit, charges)


def exceeded(corpus: Path) -> str | None:
    """Why nothing more of a corpus may be released: its budget is exceeded. None while it is not.

    Args:
        corpus: folder of the stage of 00_process_data.
    """
    now = status(account_of(corpus))
    return f"all runs together spent epsilon {now.spent:.4f} of {now.limit:g}" if now.over else None


def charge(stage: Stage, event: Event, ledger: Ledger, *, resumable: bool = False, named: bool = False) -> None:
    """Pay for an event that is about to happen: call it right before the draw, in the same cell.

    Args:
        stage: running on the corpus of its input ``corpus``, or on its own source.
        event: not yet in the ledger. One that is not private costs nothing, as it cannot be released.
        ledger: of the corpus: unit, number of units, delta.
        resumable: what is drawn is kept in ``stage.checkpoints`` before anybody sees it, so an attempt that goes on
            from there releases nothing a second time. False: each call costs, since each is followed by fresh noise.
        named: whether the arm was named for release before it was made (`lib.privacy.guarantee`).

    Raises:
        DoppelError: all that was charged, composed with this event, would exceed the corpus' limit; or its unit is not
            the one that the limit is about; or no mechanism of Doppel has its figures. Nothing is charged then.
    """
    event.mechanism.validate()  # an account holds no line that it would refuse to read
    if event.mechanism.unbounded:
        return
    account = account_of(stage.inputs.get("corpus", stage.folder))
    token = stage.checkpoints / TOKEN if resumable else None
    with account.lock():
        terms, before = account.read()
        known = paid(token, before, stage.run, stage.id) if token is not None else None
        if known is not None and known.event == event:
            print("budget of the corpus: paid for when this work began")
            return
        line = Charge(
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            run=stage.run,
            event=event,
            unit=ledger.unit,
            units=ledger.units,
            delta=ledger.delta,
            token=secrets.token_hex(8),
            named=named,
        )
        message = _allowed(account, terms, before, line)
        if token is not None:
            write_json(token, {"charge": line.token})  # first: it is worth nothing until the account knows it
        account.add(line)
    print(message)


def _allowed(account: Account, terms: Terms, before: Sequence[Charge], line: Charge) -> str:
    """What to print of a charge within the limit. Raises DoppelError for one beyond it."""
    check_unit(account, terms, line.unit)
    delta = total_delta(terms, [*before, line])
    spent = all_of(before)
    total = composed([*spent, line.event.mechanism], delta)
    about = f"at delta {delta:.3g}, for one {unit_of([*before, line])}"
    if terms.epsilon is not None and exceeds(total, terms.epsilon):
        raise DoppelError(
            "privacy.budget_exceeded",
            f"this corpus has a budget of epsilon {terms.epsilon:g}; {composed(spent, delta):.4f} is spent, and this "
            f"stage would make it {total:.4f} {about}. Nothing was drawn",
            name="epsilon",
            value=terms.epsilon,
            remedy=f"lower target_epsilon, or let whoever answers for the data raise epsilon in {account.shown}",
            where=line.event.stage,
        )
    limit = "no limit" if terms.epsilon is None else f"of {terms.epsilon:g}"
    return f"budget of the corpus: epsilon {total:.4f} with this stage, {limit}, {about}"


def paid(token: Path, charges: Sequence[Charge], run: str, stage: str) -> Charge | None:
    """The charge that a token names, if the account knows it as this stage's: a copied folder has not paid.

    Args:
        token: the file `TOKEN` among a stage's checkpoints; it may be missing or damaged.
        charges: of the corpus' account.
        run: name of the run that the stage is part of.
        stage: its id.
    """
    try:
        known = read_json(token)["charge"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    named = (known, run, stage)
    return next((charge for charge in charges if (charge.token, charge.run, charge.event.stage) == named), None)


def check_unit(account: Account, terms: Terms, unit: str) -> None:
    """Refuse a charge whose unit is not the one that the limit is about.

    Args:
        account: named in the refusal.
        terms: of the account.
        unit: of the charge, ``record`` or ``user``.

    Raises:
        DoppelError: the terms are about the other unit.
    """
    if terms.unit not in (None, unit):
        raise DoppelError(
            "privacy.other_unit",
            f"unit = {unit!r}: the budget of this corpus is about one {terms.unit}, and a guarantee for one {unit} is "
            "another one",
            name="unit",
            value=unit,
            remedy=f"set unit: {terms.unit} in 00_process_data; or let whoever answers for the data set unit: null in "
            f"{account.shown}, which adds up both: what a user with one record spent",
        )


def total_delta(terms: Terms, charges: Sequence[Charge]) -> float | None:
    """Delta of the sum.

    Args:
        terms: of the account; their own delta comes first.
        charges: all that enter the sum; else the smallest delta of their stages is taken.

    Returns:
        Delta, in (0, 1/n] for the n of every charge; None without charges where the terms have no delta.

    Raises:
        DoppelError: the terms' own delta is above 1/n of a charge.
    """
    if terms.delta is None:
        return min((charge.delta for charge in charges), default=None)
    most = max((charge.units for charge in charges), default=1)
    if terms.delta > 1 / most:
        raise DoppelError(
            "privacy.delta_above_units",
            f"delta = {terms.delta:g} in the budget of {terms.source} is above 1/n = {1 / most:.3g}, at which one of "
            f"its {most:,} units may be published whole",
            name="delta",
            value=terms.delta,
            remedy="lower it, or write null for the smallest of the charged stages",
        )
    return terms.delta


def all_of(charges: Sequence[Charge]) -> list[Mechanism]:
    """The mechanisms of ``charges``, in order, whatever their unit.

    Somebody who wrote a single record is one record and one user, and is touched by the charges of both units. So the
    composition of all is what this person spent, and it is at least the sum of either unit alone.
    """
    return [charge.event.mechanism for charge in charges]


def unit_of(charges: Sequence[Charge]) -> str | None:
    """What the composition of all ``charges`` protects one of; None where there are none."""
    units = {charge.unit for charge in charges}
    return BOTH if len(units) > 1 else next(iter(units), None)


def exceeds(spent: float, limit: float) -> bool:
    """Whether epsilon ``spent`` is above ``limit`` by more than `ROUNDING` of it."""
    return spent > limit * (1 + ROUNDING)
