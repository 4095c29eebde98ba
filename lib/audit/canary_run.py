"""Canaries that go through a mechanism as it runs, without any private record: what is attacked, and what comes back.

A method's entry names the function that sends them through (`lib.methods.method.Method.canaries`). It takes an
`Access` and returns a `CanaryRun`. The world of such a run holds canaries alone: the mechanism runs with the figures of
the access (noise, q, T, sensitivity), nothing is charged, and nothing that comes out depends on a private record.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from lib.audit.conformance import Check
from lib.common.files import read_json
from lib.privacy.accounting import epsilon
from lib.privacy.ledger import Event
from lib.privacy.mechanism import Auditable
from lib.stage.original import parameters as parameters_of


class Fault(StrEnum):
    """A fault that is planted in a mechanism as a positive control: the audit must read *violated*."""

    NO_NOISE = "no noise"
    HALVED_NOISE = "halved noise"
    SHUFFLED = "a shuffling sampler"
    LARGE_CLIP = "a clip too large"
    REALISED_DIVISOR = "the divisor of the realised batch"

    def applies_to(self, mechanism: Auditable) -> bool:
        """Whether a mechanism can have the fault: one that samples nothing cannot shuffle, nor a sum be divided."""
        asked = {Fault.SHUFFLED: mechanism.poisson, Fault.REALISED_DIVISOR: mechanism.divides}
        return asked.get(self, True)


@dataclass(frozen=True)
class Access:
    """An access of an arm to the private records that canaries can be sent through, as its ledger states it.

    Attributes:
        stage: id of the stage that made it.
        what: what was released, in words.
        mechanism: with its noise and its number of releases.
        parameters: of the stage.
        unit: ``record`` or ``user``.
        delta: of the arm, in (0, 1/n].
    """

    stage: str
    what: str
    mechanism: Auditable
    parameters: Mapping[str, Any]
    unit: str
    delta: float

    @property
    def claim(self) -> float:
        """The epsilon of this access alone, at `delta`: an upper bound, at most that of the arm."""
        return epsilon([self.mechanism], delta=self.delta)


@dataclass(frozen=True)
class CanaryRun:
    """What canaries that went through a mechanism gave.

    Attributes:
        scores: sums over all releases of the log likelihood ratios of the m canaries, shape (m,).
        included: whether each was in, bool, shape (m,).
        checks: of the mechanism that ran (`lib.audit.conformance`).
    """

    scores: np.ndarray
    included: np.ndarray
    checks: Sequence[Check]

    def first(self, canaries: int) -> "CanaryRun":
        """The run as if there had been fewer canaries; half of them in are a matter of chance then.

        Args:
            canaries: how many of the first are kept, enough to have some in and some out.
        """
        return CanaryRun(self.scores[:canaries], self.included[:canaries], self.checks)


Send = Callable[..., CanaryRun]  # (access, canaries, rng=, fault=None, progress=) of a method's entry


def accesses(folder: Path) -> list[Access]:
    """The accesses of an arm that canaries can be sent through, oldest first.

    Args:
        folder: of the arm's finished stage; the stages that it was made from stand beside it.
    """
    statement = read_json(folder / "privacy.json")
    events = [Event.from_json(line) for line in statement["events"]]
    return [
        Access(
            event.stage,
            event.what,
            event.mechanism,
            parameters_of(folder.parent / event.stage),
            statement["unit"],
            statement["delta"],
        )
        for event in events
        if isinstance(event.mechanism, Auditable) and not event.mechanism.unbounded
    ]
