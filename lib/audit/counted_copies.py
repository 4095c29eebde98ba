"""The noisy count of private units that an arm copies: taken, charged and written once its records are there."""

from collections.abc import Mapping, Sequence

from lib.audit.copied_records import copied_pictures, copied_rows
from lib.audit.verbatim import copied_units
from lib.common.files import write_json
from lib.data.images.private_image import ImageRecord
from lib.data.records import Record
from lib.privacy import copy_count, kept_counts
from lib.privacy.ledger import Event, Ledger
from lib.privacy.neighbours import Records, Unit
from lib.stage.stage import Stage


def copied_texts(made: Sequence[Record], train: Sequence[Record], *, unit: Unit) -> int:
    """`copied_units` of the texts of ``made``; it needs noise before anybody sees it."""
    return copied_units([record.text.reveal() for record in made], train, unit=unit)


COPIED = {"texts": copied_texts, "pictures": copied_pictures, "rows": copied_rows}  # each of sensitivity 1


def release(
    stage: Stage,
    ledger: Ledger,
    settings: Mapping[str, object],
    made: Sequence[Record] | Sequence[ImageRecord],
    train: Sequence[Record] | Sequence[ImageRecord],
    *,
    privacy_seed: int | None,
    of: Records = "texts",
) -> dict[str, int] | None:
    """Count the copied units with noise. The event is charged, enters the ledger, and its outcome is written.

    Unit, neighbours, sampler and sensitivity are those of `lib.privacy.copy_count.mechanism`.

    Args:
        stage: of the arm, running; it gets `lib.privacy.copy_count.FILE`.
        ledger: of the arm, without this event, which is added.
        settings: of the stage that draws the arm's noise, as for `lib.privacy.copy_count.mechanism`; ``for_release``
            too, where there is a count.
        made: the arm's records, at least one.
        train: all private records of the train set.
        privacy_seed: as for `lib.privacy.mechanisms.noisy_counts`.
        of: what the records are, and so by which rule a unit is copied.

    Returns:
        ``noisy_count``, and ``limit``, above which the arm is not released; None where the settings ask for no count.

    Raises:
        DoppelError: the budget of the corpus refuses the charge. Nothing is drawn then.
    """
    mechanism = copy_count.mechanism(settings, ledger.delta)
    if mechanism is None:
        return None
    event = Event(stage.id, copy_count.WHAT, mechanism, privacy_seed)
    clean = [COPIED[of](made, train, unit=ledger.unit)]
    (noisy,) = kept_counts.release(stage, event, ledger, clean, made, named=settings["for_release"])
    ledger.events.append(event)
    counted = {"noisy_count": noisy, "limit": copy_count.limit(mechanism.scale)}
    write_json(stage.path(copy_count.FILE), counted)
    return counted
