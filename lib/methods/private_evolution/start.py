"""Private evolution that starts from the texts of another arm, instead of what RANDOM_API invents.

The arm may have seen the private records: DP-LoRA's texts, say. Then its accesses and the votes are one release, so
their events stand in one ledger, and the noise of the votes is calibrated to what they leave of the target. Given these
events the texts are post-processing, and so is everything that is made from them but the votes.
"""

from collections.abc import Sequence
from pathlib import Path

from lib.common.errors import DoppelError
from lib.data import labels
from lib.data.records import Record
from lib.generation.engines.names import is_remote
from lib.methods.private_evolution.candidates import Generation
from lib.methods.private_evolution.method import METHOD
from lib.privacy import ledger as ledgers
from lib.privacy.accounting import Mechanism
from lib.privacy.ledger import Ledger
from lib.stage.notebook_roles import Parameters


def candidates(records: Sequence[Record], cells: Sequence[dict[str, str]]) -> Generation[str]:
    """The first candidates: each text of an arm once, with the labels that it has there.

    Args:
        records: the arm's synthetic records; all their labels are within the domain of ``cells``.
        cells: labels of each cell, name -> value.

    Returns:
        The candidates, none of them varied from another.
    """
    once = list({record.text.reveal(): record for record in records}.values())
    return Generation.of(once, labels.cell_numbers(once, cells).tolist())


def mechanism(parameters: Parameters, ledger: Ledger, others: Sequence[Mechanism]) -> Mechanism:
    """The votes, with the noise that the target leaves for them (`lib.methods.method.Method.mechanism`).

    Args:
        parameters: of 12_aug_pe.
        ledger: its unit, number of units and delta are used.
        others: what is spent already: by the corpus stage and, with an input ``start``, by that arm.

    Returns:
        The mechanism, calibrated together with all that was spent before.

    Raises:
        DoppelError: the arm that it starts from is not private, and there is a target or the model is an endpoint; or
            that arm leaves nothing of the target; or the target cannot be reached without it.
    """
    start = parameters["inputs"].get("start")
    if start is not None and any(other.unbounded for other in others):
        _refuse_without_privacy(start, parameters)
    try:
        return METHOD.mechanism(parameters, units=ledger.units, delta=ledger.delta, others=others)
    except DoppelError as error:
        if start is None or error.code != "privacy.target_unreachable":
            raise
        raise DoppelError(
            "methods.start_left_nothing",
            f"start: {start} leaves nothing of target_epsilon = {parameters['target_epsilon']:g} for the votes: it "
            "spends all of it, with the label histogram and the count of copies",
            name="start",
            value=start,
            remedy="start from an arm with a smaller target_epsilon, or raise this one",
        ) from None


def _refuse_without_privacy(start: str, parameters: Parameters) -> None:
    """An arm that is not private can be started from only without a target, and by a model on this machine."""
    target = parameters["target_epsilon"]
    for applies, so, remedy in (
        (target is not None, "no votes can keep a target_epsilon", "set target_epsilon: null"),
        (is_remote(str(parameters["model"])), "its texts may be sent to no endpoint", "name a local model"),
    ):
        if applies:
            raise DoppelError(
                "methods.start_not_private",
                f"start: {start} read private records without privacy, so {so}",
                name="start",
                value=start,
                remedy=f"start from an arm with a target_epsilon, or {remedy}",
            )


def spent_before(arm: Path, start: str | None, ledger: Ledger) -> list[Mechanism]:
    """What a finished arm had spent before its votes.

    Args:
        arm: the folder of its stage.
        start: id of the stage that it started from, whose folder stands beside it; None: it started from no arm.
        ledger: of the corpus.

    Returns:
        The mechanisms of the corpus' events and of the other arm's, each event once.
    """
    own = {event.stage for event in ledger.events}
    others = [] if start is None else ledgers.read(arm.parent / start).events
    return [*ledger.mechanisms, *(event.mechanism for event in others if event.stage not in own)]
