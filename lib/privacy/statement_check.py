"""What is wrong with a statement of privacy: epsilon is recomputed from its events, its ancestors are looked at."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lib.common.errors import DoppelError, Reason
from lib.common.files import read_bounded
from lib.privacy.accounting import ACCOUNTANT, DISCRETIZATION
from lib.privacy.ledger import Event, Ledger, from_statement, not_for_release
from lib.privacy.mechanism import Mechanism
from lib.privacy.neighbours import neighbours
from lib.privacy.statement_shape import CLAIMS

SAME_LIBRARY = 1e-9  # relative difference of epsilon that is allowed
OTHER_LIBRARY = 1e-2  # the same where another version of the accountant computed it: upwards alone
MOST_BYTES = 2**22  # of a privacy.json or done.json
MAX_LOSS = 400  # of all events (`_loss`), at which the accountant takes some seconds and a gigabyte


def problems(statement: Mapping) -> list[Reason]:
    """What in a statement does not follow from its own events.

    Args:
        statement: the content of a privacy.json, or a certificate without the samplers' words.

    Returns:
        Reasons, empty when everything follows. ``privacy.over_target`` is the code of an epsilon above its target.

    Raises:
        DoppelError: the ledger cannot be read.
        KeyError: a field is missing.
        TypeError: a field is of another type.
    """
    ledger = from_statement(statement)
    if malformed := [sentence for key, fits in CLAIMS.items() for sentence in fits(statement[key], key)]:
        return [Reason("privacy.statement_malformed", sentence) for sentence in malformed]
    wrong = list(_wrong_claims(statement, ledger))
    return [*wrong, *(not_recomputed(ledger.events) or _wrong_epsilon(statement, ledger))]


def not_recomputed(events: Sequence[Event]) -> list[Reason]:
    """Why the accountant is not asked about events that somebody else wrote; empty when it may be.

    Args:
        events: of a ledger, at most `lib.privacy.statement_shape.MOST_EVENTS`.

    Returns:
        ``privacy.impossible_mechanism`` where Doppel could not have run a mechanism of these figures, and
        ``privacy.too_much_loss`` where epsilon would be in the hundreds: the accountant's time and memory grow with it.
    """
    if impossible := [event.stage for event in events if not _possible(event.mechanism)]:
        sentence = f"{', '.join(impossible)}: no mechanism has these figures, so epsilon is not recomputed"
        return [Reason("privacy.impossible_mechanism", sentence)]
    if too_costly([event.mechanism for event in events]):
        sentence = "the events lose so much privacy that epsilon promises nothing, and it is not recomputed"
        return [Reason("privacy.too_much_loss", sentence)]
    return []


def too_costly(mechanisms: Sequence[Mechanism]) -> bool:
    """Whether the composition of mechanisms is beyond the accountant's time and memory, or one of them is none.

    Args:
        mechanisms: that somebody else wrote.
    """
    if not all(map(_possible, mechanisms)):
        return True
    return sum(_loss(mechanism) for mechanism in mechanisms if not mechanism.unbounded) > MAX_LOSS


def _loss(mechanism: Mechanism) -> float:
    """About the largest privacy loss that the accountant looks at, which sets its time and memory.

    Without sampling it is mu^2 / 2 + 10 mu, with mu = sqrt(count) / noise (Dong, Roth & Su 2022). With sampling it is
    that of one release, plus the smaller of two for all: that of as many releases without sampling as can see a unit,
    and that of the central limit's mu = q sqrt(count (e^(1 / noise^2) - 1)). Both grow by the rounding of each release.
    """
    count, q = getattr(mechanism, "count", 1), getattr(mechanism, "sampling_probability", 1.0)
    inverse, rounding = 1 / mechanism.noise, count * DISCRETIZATION / 2

    def of(mu: float) -> float:
        return mu**2 / 2 + 10 * mu

    if q == 1:
        return rounding + of(inverse * math.sqrt(count))
    seen = min(count, q * count + 6 * math.sqrt(q * count) + 6)
    limit = q * math.sqrt(count * math.expm1(min(inverse**2, 700)))
    return rounding + of(inverse) + min(of(inverse * math.sqrt(seen)), of(limit))


def _wrong_claims(statement: Mapping, ledger: Ledger) -> Iterator[Reason]:
    """What is wrong with all claims but epsilon."""
    if statement["neighbours"] != neighbours(ledger.unit, ledger.records):
        yield Reason(
            "privacy.neighbours_wrong",
            f"neighbours: {statement['neighbours']!r} is not what unit {ledger.unit!r} means",
        )
    for event in ledger.events:
        if event.mechanism.poisson and event.checked is not True:
            yield Reason(
                "privacy.poisson_unchecked",
                f"{event.stage}: Poisson sampling is claimed, but its batches were not checked",
            )
    if statement["not_for_release"] != [str(reason) for reason in not_for_release(ledger.events)]:
        yield Reason("privacy.not_for_release_wrong", "not_for_release does not follow from the events")
    if (method := statement["accountant"]["method"]) != ACCOUNTANT["method"]:
        yield Reason("privacy.other_accountant", f"accountant: {method!r} is not recomputed here")


def _possible(mechanism: Mechanism) -> bool:
    """Whether Doppel could have run a mechanism of these figures; others might keep the accountant busy for ever."""
    try:
        mechanism.validate()
    except DoppelError:
        return False
    return True


def _wrong_epsilon(statement: Mapping, ledger: Ledger) -> Iterator[Reason]:
    spent, stated, target = ledger.epsilon, statement["epsilon"], statement["target_epsilon"]
    if stated is None:
        if not math.isinf(spent):
            yield Reason("privacy.epsilon_missing", f"epsilon: none is stated, the events compose to {spent:.6f}")
        return
    above = SAME_LIBRARY if statement["accountant"] == ACCOUNTANT else OTHER_LIBRARY  # less is never stated
    if not spent * (1 - SAME_LIBRARY) - 1e-12 <= stated <= spent * (1 + above) + 1e-12:
        yield Reason("privacy.epsilon_wrong", f"epsilon: {stated:.6f} is stated, the events compose to {spent:.6f}")
    if target is not None and not spent <= target:
        yield Reason("privacy.over_target", f"epsilon: {spent:.6f} is over the target {target:g}")


def wrong_ancestors(folder: Path, statement: Mapping) -> list[Reason]:
    """What a stage's statement gets wrong about the stages beside it.

    That is a stage that was read and is not named, one whose privacy.json is no longer the one that was composed, and
    one with an event that was left out.

    Args:
        folder: of the stage; stages that are not beside it are not looked at.
        statement: the content of its privacy.json.

    Returns:
        Reasons, empty when nothing is wrong.
    """
    done = folder / "done.json"
    read = json.loads(read_bounded(done, MOST_BYTES))["made_from"]["inputs"] if done.is_file() else ()
    wrong = [
        Reason("privacy.ancestor_unnamed", f"{stage}: was read, and is not among the ancestors")
        for stage in read
        if stage not in statement["ancestors"]
    ]
    for stage, digest in statement["ancestors"].items():
        path = folder.parent / stage / "privacy.json"
        if not path.is_file():
            continue
        written = read_bounded(path, MOST_BYTES)
        if hashlib.sha256(written).hexdigest() != digest:
            wrong.append(Reason("privacy.ancestor_changed", f"{stage}: its privacy.json has changed since"))
        elif any(event not in statement["events"] for event in json.loads(written)["events"]):
            wrong.append(Reason("privacy.event_left_out", f"{stage}: an event of it is left out"))
    return wrong
