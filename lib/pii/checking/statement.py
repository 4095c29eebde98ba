"""The ledger of a check: what the synthetic set spent, and whether a private reference was looked at."""

from collections.abc import Sequence
from pathlib import Path

from lib.privacy.accounting import NonPrivate
from lib.privacy.ledger import Event, Ledger, inherit


def ledger(folders: Sequence[Path], stage: str, reference_texts: int) -> Ledger:
    """The ledger of a stage of 41_pii_check.

    A reference that a user names counts as private and no noise hides it, so with one nothing of the stage may be
    released, the detector in its folder included. A detector that is to scrub private records comes from a stage
    without a reference.

    Args:
        folders: of the stage's inputs.
        stage: its id.
        reference_texts: how many texts the reference has; 0: there is none.
    """
    inherited = inherit(folders)
    if not reference_texts:
        return inherited
    looked = Event(stage, "evaluation beside a private reference", NonPrivate(), None)
    if inherited.units:
        inherited.events.append(looked)
        return inherited
    # the set was made without private records: the units are the texts of the reference (a delta needs three)
    return Ledger("record", max(3, reference_texts), events=[looked], ancestors=inherited.ancestors)
