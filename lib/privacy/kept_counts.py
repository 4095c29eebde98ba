"""Noisy counts of private units: charged once, drawn once, and kept before anybody sees them.

A stage may be killed at any moment, and the same command takes it up. What is released is one draw for one charge:

- Killed before the charge is in the account: nothing was drawn. The next attempt charges and draws.
- Killed after the charge and before the counts are kept: they may have been drawn, but they were only in the memory of
  the process that is gone, and nothing was shown, written or computed from them. The next attempt draws again under the
  same charge. The new draw is independent of the lost one, which nobody has, so what is released is distributed as one
  draw.
- Killed after the counts are kept: the next attempt reads them. Whatever the first one showed came from these counts.

All of this is about the same records: those whose labels are counted, or those whose copies are. The folder of charge
and counts is named after their content, so other records find neither, and are charged and drawn for themselves. It is
removed as a whole (`lib.stage.stage.Stage.finish`), so counts never go while their charge stays.
"""

from collections.abc import Sequence

from lib.common.files import read_json, write_json
from lib.data.records import Record, digest
from lib.privacy import budget, mechanisms
from lib.privacy.ledger import Event, Ledger
from lib.stage.stage import Stage

KEPT = "noisy_counts.json"  # in a stage's checkpoints


def release(
    stage: Stage,
    event: Event,
    ledger: Ledger,
    clean: Sequence[int],
    records: Sequence[Record],
    *,
    named: bool = False,
) -> list[int]:
    """Charge noisy counts to the corpus and draw them, or read those of an attempt that was killed.

    Unit, neighbours, sampler and sensitivity are those of `lib.privacy.mechanisms.noisy_counts`.

    Args:
        stage: running, on its input ``corpus`` or its own source.
        event: about to happen; its mechanism is a `lib.privacy.mechanism_kinds.DiscreteGaussian`.
        ledger: of the corpus: unit, number of units, delta. The event is not added to it.
        clean: the counts without noise, (cells,). Private.
        records: what the counts depend on beside the inputs of the stage: the records that were counted, or the texts
            in which copies were counted.
        named: whether the arm was named for release before it was made, as for `budget.charge`.

    Returns:
        The noisy counts, (cells,).

    Raises:
        DoppelError: the budget of the corpus refuses the charge (`lib.privacy.budget.charge`). Nothing is drawn then.
    """
    stage.uses_content(digest(records))
    budget.charge(stage, event, ledger, resumable=True, named=named)
    file = stage.checkpoints / KEPT
    if not file.is_file():
        write_json(file, mechanisms.noisy_counts(clean, event.mechanism.scale, event.privacy_seed))
    return read_json(file)
