"""All checks, in the order in which they are done: those that privacy rests on first."""

from collections.abc import Iterator, Sequence

import torch

from lib.common.errors import DoppelError, nearest
from lib.machine import adaptation, sharing, training, votes, writing
from lib.machine.check import Check, Outcome, carry_out

CHECKS: tuple[Check, ...] = (
    Check("clipped-sum", "DP-SGD's clipped sum is that of a loop over examples in float64", training.clipped_sum),
    Check("noise", "DP-SGD's noise has the variance that the accountant assumes", training.noise),
    Check("masks", "dropout's masks come from the generator that is seeded for them", training.masks),
    Check("votes", "every vector votes for its nearest candidates in float64", votes.exact_votes),
    Check("processes", "two processes end a training where one does", sharing.two_processes, sharing.one_card),
    Check("training", "a private step of the bundled model", training.real_step),
    Check("embeddings", "vectors of texts, as the processor has them", votes.embeddings),
    *(
        Check(f"engine-{name}", f"engine {name} completes, with and without an adapter", run, lacking)
        for name, run, lacking in writing.each_engine()
    ),
    Check("four-bits", "frozen weights in four bits", sharing.four_bits, sharing.no_four_bits),
    Check("unsloth", "22_utility's backend unsloth trains an adapter", adaptation.unsloth, adaptation.no_unsloth),
)


def chosen(names: Sequence[str]) -> list[Check]:
    """Checks by name.

    Args:
        names: of the checks; none: all.

    Raises:
        DoppelError: ``machine.unknown_check``.
    """
    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            raise DoppelError(
                "machine.unknown_check",
                f"there is no check {name!r}",
                name="--only",
                value=name,
                remedy=nearest(name, known),
            )
    return [check for check in CHECKS if not names or check.name in names]


def outcomes(checks: Sequence[Check], device: torch.device) -> Iterator[Outcome]:
    """Do checks, one after the other.

    Args:
        checks: to do.
        device: where.
    """
    for check in checks:
        yield carry_out(check, device)
