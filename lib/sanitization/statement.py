"""What a stage of 51_sanitize states about privacy: rewriting passes on what its input guarantees, and adds nothing."""

from pathlib import Path

from lib.privacy.accounting import NonPrivate
from lib.privacy.ledger import Event, Ledger, inherit
from lib.sanitization.inputs import KINDS

WHAT = "private records, reworded: what rules and models miss stays in them"


def ledger(name: str, folder: Path, stage: str) -> Ledger:
    """The ledger of sanitized records.

    Each record is looked at by itself, and no private record beside it. So for made-up records, and for an arm's, this
    is post-processing: the arm's epsilon holds. For private records it is no mechanism with a guarantee.

    Args:
        name: of the input, a key of `lib.sanitization.inputs.KINDS`.
        folder: of the input's stage.
        stage: id of the stage that sanitizes.
    """
    of_input = inherit([folder])
    if KINDS[name].private:
        of_input.events.append(Event(stage, WHAT, NonPrivate()))
    return of_input
