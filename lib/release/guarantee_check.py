"""Whether the guarantee of a certificate follows from what it composes, and covers the arm."""

from collections.abc import Iterator, Mapping

from lib.common.errors import Reason
from lib.privacy.accounting import ACCOUNTANT, Mechanism, epsilon_replacing
from lib.privacy.composition import merged, spent
from lib.privacy.ledger import NO_UNIT
from lib.privacy.statement_check import OTHER_LIBRARY, SAME_LIBRARY, too_costly
from lib.release.certificate import mechanism_of

NOTHING = {  # the guarantee of what was made from public data alone
    "covers": "this arm", "epsilon": 0.0, "epsilon_replacing": 0.0, "unit": NO_UNIT, "charges": 0, "mechanisms": [],
}  # fmt: skip


def wrong(certificate: Mapping) -> Iterator[Reason]:
    """What in a guarantee does not follow from the rest of its certificate.

    That no charge of the corpus is missing cannot be seen: the account stays with the holder.

    Args:
        certificate: of a pack, whose values make sense. Events that make none are reported by others.

    Yields:
        a reason for each such claim.
    """
    if certificate["unit"] == NO_UNIT:
        if certificate["guarantee"] != NOTHING:
            yield Reason(
                "release.guarantee_wrong", "guarantee: no private record was read, so there is nothing to state"
            )
        return
    stated, own = certificate["guarantee"], [mechanism_of(event) for event in certificate["events"]]
    try:
        composed = [Mechanism.from_json(figures) for figures in stated["mechanisms"]]
    except (KeyError, TypeError):
        yield Reason("release.guarantee_unreadable", "guarantee: no mechanism has these figures")
        return
    if too_costly(composed) or any(mechanism.unbounded for mechanism in composed):
        yield Reason(
            "release.guarantee_unreadable", "guarantee: its mechanisms promise nothing, or are none of Doppel's"
        )
        return
    if certificate["epsilon"] is None or any(mechanism.unbounded for mechanism in own) or too_costly(own):
        return
    alone = stated["covers"] == "this arm"
    if stated["covers"] != "all that was charged" and not _named(certificate):
        yield Reason("release.not_named", "guarantee: the arm was not named for release before it was made")
    if alone and composed != merged(own):
        yield Reason("release.guarantee_of_others", "guarantee: it covers this arm, but composes other events")
    yield from _figures(certificate, composed)


def _named(certificate: Mapping) -> bool:
    """Whether every stage that drew an arm's noise was named: a hybrid tells of each arm that it selects from."""
    named = [
        code["settings"]["for_release"] for code in certificate["code"].values() if "for_release" in code["settings"]
    ]
    return bool(named) and all(one is True for one in named)


def _figures(certificate: Mapping, composed: list[Mechanism]) -> Iterator[Reason]:
    stated, delta = certificate["guarantee"], certificate["delta"]
    above = SAME_LIBRARY if certificate["accountant"] == ACCOUNTANT else OTHER_LIBRARY  # less is never stated
    figures = {
        "epsilon": spent(stated["covers"], composed, delta=delta, own=certificate["epsilon"]),
        "epsilon_replacing": epsilon_replacing(tuple(composed), delta),
    }
    for name, figure in figures.items():
        if not figure * (1 - SAME_LIBRARY) <= stated[name] <= figure * (1 + above):
            sentence = f"guarantee: {name} {stated[name]:.6f} is stated, its mechanisms compose to {figure:.6f}"
            yield Reason("release.guarantee_wrong", sentence)
