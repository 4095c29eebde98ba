"""What a stage of 51_sanitize states about privacy: rewriting passes on what its input guarantees, and adds nothing."""

from pathlib import Path

from lib.common.errors import DoppelError
from lib.generation.engines.names import is_remote
from lib.privacy.accounting import NonPrivate
from lib.privacy.disclosure import may_be_shown
from lib.privacy.ledger import Event, Ledger, inherit
from lib.sanitization.inputs import KINDS

WHAT = "private records, reworded: what rules and models miss stays in them"


def ledger(name: str, folder: Path, stage: str, model: str | None) -> Ledger:
    """The ledger of sanitized records.

    Each record is looked at by itself, and no private record beside it. So for made-up records, and for an arm's, this
    is post-processing: the arm's epsilon holds. For private records it is no mechanism with a guarantee.

    Args:
        name: of the input, a key of `lib.sanitization.inputs.KINDS`.
        folder: of the input's stage.
        stage: id of the stage that sanitizes.
        model: that is asked; None: none is.

    Raises:
        DoppelError: ``sanitization.private_to_remote``: the texts may repeat private records, those of an arm without
            a guarantee too, and the model is on another machine.
    """
    of_input = inherit([folder])
    if KINDS[name].private:
        of_input.events.append(Event(stage, WHAT, NonPrivate()))
    if model is not None and is_remote(model) and not may_be_shown(of_input.events):
        raise private_to_remote(name, model)
    return of_input


def private_to_remote(name: str, model: str) -> DoppelError:
    """The refusal to send texts of real people away.

    Args:
        name: of the input.
        model: its name.
    """
    return DoppelError(
        "sanitization.private_to_remote",
        f"inputs: {name} may hold texts of real people, and model = {model!r} is on another machine",
        name="model",
        value=model,
        remedy="name a model on this machine: bundled:NAME, hub:OWNER/NAME or a folder",
    )
