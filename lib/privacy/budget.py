"""The budget of a corpus: what all runs have spent on it, and a refusal before a draw that would exceed its limit.

A corpus from which ten arms were made is not protected by the epsilon of one: what counts is the composition of all,
by the accountant of `lib.privacy.accounting`. Its account (`lib.privacy.budget_account`) holds the limit and every charge.

- **Charged** is every mechanism whose result may be handed out, just before it draws noise, and written to the disk
  first: a run that is killed afterwards may have shown what it drew. A recorded ``privacy_seed`` makes it no cheaper:
  such results are not for release, yet somebody may have seen them.
- **Not charged** is what is never released: arms without privacy, audits, and evaluation on real text.
- Work that goes on from its checkpoints was paid for: a token among them names its charge. When they are gone
  (forced, changed, finished), or the account does not know the token, it costs again.

``./run_all.sh budget [SOURCE]`` (`lib.cli.budget`) prints all accounts, or one of them charge by charge.
"""

import math
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_json
from lib.privacy.accounting import SEARCH_DISCRETIZATION, Gaussian, Mechanism, NonPrivate, epsilon
from lib.privacy.budget_account import Account, Charge, Terms, account_of
from lib.privacy.ledger import Event, Ledger
from lib.stage.stage import Stage

TOKEN = "budget.json"  # in a stage's checkpoints
ROUNDING = 1e-6  # share of the limit by which a sum may pass it: an arm that was calibrated to the limit fits


@dataclass(frozen=True, slots=True)
class Status:
    """Where an account stands.

    ``spent`` is epsilon at ``delta`` (None before the first charge) for one ``unit`` (None likewise). In an account
    of both units, "record and user", it is the larger of two sums: guarantees for different units do not add up.
    """

    limit: float | None
    spent: float
    delta: float | None
    unit: str | None
    entries: Sequence[Charge]

    @property
    def over(self) -> bool:
        """Whether more is spent than the limit: it can be lowered afterwards."""
        return self.limit is not None and exceeds(self.spent, self.limit)


def status(source: str | Account) -> Status:
    """Where the budget of a corpus stands; ``source`` is what 00_process_data reads, or its account."""
    terms, charges = (source if isinstance(source, Account) else Account.of(source)).read()
    at = total_delta(terms, charges)
    units = sorted({one.unit for one in charges})
    spent = max((composed(mechanisms(charges, unit), at) for unit in units), default=0.0)
    return Status(terms.epsilon, spent, at, " and ".join(units) or terms.unit, charges)


def exceeded(corpus: Path) -> str | None:
    """Why nothing more may be handed out of the corpus in a stage's folder (its budget is exceeded), or None."""
    now = status(account_of(corpus))
    return f"all runs together spent epsilon {now.spent:.4f} of {now.limit:g}" if now.over else None


def charge(stage: Stage, event: Event, ledger: Ledger, *, resumable: bool = False) -> None:
    """Pay for an event that is about to happen: call it right before the draw, in the same cell.

    Args:
        stage: at work on the corpus of its input ``corpus``, or on its own source.
        event: not yet in the ledger. One that is not private costs nothing, as it cannot be released.
        ledger: of the corpus: unit, number of units, delta.
        resumable: what is drawn is kept in ``stage.checkpoints`` before anybody sees it, so an attempt that goes on
            from there releases nothing a second time. False: each call costs, since each is followed by fresh noise.

    Raises DoppelError when all that was charged, composed with this event, would exceed the corpus' limit, and when
    its unit is not the one that the limit is about. Nothing is charged then.
    """
    if isinstance(event.mechanism, NonPrivate):
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
        )
        said = _allowed(account, terms, before, line)
        if token is not None:
            write_json(token, {"charge": line.token})  # first: it is worth nothing until the account knows it
        account.add(line)
    print(said)


def _allowed(account: Account, terms: Terms, before: Sequence[Charge], line: Charge) -> str:
    """What to say of a charge within the limit. Raises DoppelError for one beyond it."""
    check_unit(account, terms, line.unit)
    at = total_delta(terms, [*before, line])
    spent = mechanisms(before, line.unit)
    total = composed([*spent, line.event.mechanism], at)
    about = f"at delta {at:.3g}, for one {line.unit}"
    if terms.epsilon is not None and exceeds(total, terms.epsilon):
        raise DoppelError(
            f"{line.event.stage}: this corpus has a budget of epsilon {terms.epsilon:g}; {composed(spent, at):.4f} is "
            f"spent, and this stage would make it {total:.4f} {about}. Nothing was drawn. Lower target_epsilon, or let "
            f"whoever answers for the data raise epsilon in {account.shown}"
        )
    limit = "no limit" if terms.epsilon is None else f"of {terms.epsilon:g}"
    return f"budget of the corpus: epsilon {total:.4f} with this stage, {limit}, {about}"


def paid(token: Path, charges: Sequence[Charge], run: str, stage: str) -> Charge | None:
    """The charge that a token names, if the account knows it as this stage's: a copied folder has not paid."""
    try:
        known = read_json(token)["charge"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return next((one for one in charges if (one.token, one.run, one.event.stage) == (known, run, stage)), None)


def check_unit(account: Account, terms: Terms, unit: str) -> None:
    """Refuse a charge whose unit is not the one that the limit is about."""
    if terms.unit not in (None, unit):
        raise DoppelError(
            f"unit = {unit!r}: the budget of this corpus is about one {terms.unit}, and guarantees for one {unit} and "
            f"for one {terms.unit} do not add up. Set unit: {terms.unit} in 00_process_data; or let whoever answers "
            f"for the data set unit: null in {account.shown}, which sums and limits each by itself"
        )


def total_delta(terms: Terms, charges: Sequence[Charge]) -> float | None:
    """Delta of the sum. Raises DoppelError where the terms' own is above 1/n of a charge."""
    if terms.delta is None:
        return min((one.delta for one in charges), default=None)
    most = max((one.units for one in charges), default=1)
    if terms.delta > 1 / most:
        raise DoppelError(
            f"delta = {terms.delta:g} in the budget of {terms.source} is above 1/n = {1 / most:.3g}, at which one of "
            f"its {most:,} units may be published whole; lower it, or write null for the smallest of the charged stages"
        )
    return terms.delta


def mechanisms(charges: Sequence[Charge], unit: str) -> list[Mechanism]:
    """The charged mechanisms of one unit."""
    return [one.event.mechanism for one in charges if one.unit == unit]


def composed(spent: Sequence[Mechanism], delta: float | None) -> float:
    """Epsilon of all at ``delta``; it takes as long as those of them that differ, however often each was charged."""
    return epsilon(merged(spent), delta=delta, discretization=SEARCH_DISCRETIZATION) if spent else 0.0


def merged(spent: Sequence[Mechanism]) -> list[Mechanism]:
    """The same composition in fewer mechanisms.

    Equal ones are counted. Gaussians in which everyone takes part are one: their precisions 1/sigma^2 add up (Dong,
    Roth & Su 2022, composition of mu-GDP).
    """
    precision, counts = 0.0, Counter()
    for one in spent:
        if isinstance(one, Gaussian) and one.sampling_probability == 1:
            precision += one.count / one.noise_multiplier**2
        else:
            counts[replace(one, count=1)] += one.count
    everyone = [Gaussian(1 / math.sqrt(precision))] if precision else []
    return [*everyone, *(replace(one, count=count) for one, count in counts.items())]


def exceeds(spent: float, limit: float) -> bool:
    return spent > limit * (1 + ROUNDING)
