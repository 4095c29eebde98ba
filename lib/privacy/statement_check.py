"""What is wrong with a statement of privacy: epsilon is recomputed from its events, its ancestors are looked at."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from lib.common.errors import DoppelError, Reason
from lib.common.files import read_json, sha256
from lib.privacy.accounting import ACCOUNTANT
from lib.privacy.ledger import NEIGHBOURS, Ledger, from_statement, not_for_release
from lib.privacy.mechanism_kinds import Mechanism

SAME_LIBRARY = 1e-9  # relative difference of epsilon that is allowed
OTHER_LIBRARY = 1e-2  # the same where another version of the accountant computed it: upwards alone


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
    wrong = list(_wrong_claims(statement, ledger))
    if impossible := [event.stage for event in ledger.events if not _possible(event.mechanism)]:
        stages = ", ".join(impossible)
        wrong.append(
            Reason(
                "privacy.impossible_mechanism",
                f"{stages}: no mechanism has these figures, so epsilon is not recomputed",
            )
        )
        return wrong
    return [*wrong, *_wrong_epsilon(statement, ledger)]


def _wrong_claims(statement: Mapping, ledger: Ledger) -> Iterator[Reason]:
    """What is wrong with all claims but epsilon."""
    if statement["neighbours"] != NEIGHBOURS[ledger.unit]:
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
    read = read_json(done)["made_from"]["inputs"] if done.is_file() else ()
    wrong = [
        Reason("privacy.ancestor_unnamed", f"{stage}: was read, and is not among the ancestors")
        for stage in read
        if stage not in statement["ancestors"]
    ]
    for stage, digest in statement["ancestors"].items():
        path = folder.parent / stage / "privacy.json"
        if not path.is_file():
            continue
        if sha256(path) != digest:
            wrong.append(Reason("privacy.ancestor_changed", f"{stage}: its privacy.json has changed since"))
        elif any(event not in statement["events"] for event in read_json(path)["events"]):
            wrong.append(Reason("privacy.event_left_out", f"{stage}: an event of it is left out"))
    return wrong
