"""The ledger: every access of an arm's ancestry to the private records, and the epsilon they compose to.

A stage's ``privacy.json`` holds its whole ledger, so that one file is enough to recompute epsilon
(`lib.privacy.statement_check`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from lib.common.errors import DoppelError
from lib.common.files import read_json, sha256
from lib.privacy.accounting import ACCOUNTANT, DiscreteGaussian, Gaussian, Mechanism, NonPrivate, default_delta, epsilon

Unit = Literal["record", "user"]
NEIGHBOURS = {
    "record": "add or remove one record (one line of train.jsonl)",
    "user": "add or remove one user (all of the user's lines of train.jsonl)",
}
ALWAYS_PUBLIC = (
    "the number of units",
    "the number of held-out records",  # sets are compared at the size of the smallest, and a metric may tell that size
    "the parameters",
    "the label domain",
)
MECHANISMS = {kind.__name__: kind for kind in (Gaussian, DiscreteGaussian, NonPrivate)}


@dataclass(frozen=True)
class Event:
    """One access of a mechanism to the private records, by one stage.

    ``privacy_seed`` is None when the operating system seeded the draws; ``checked`` says that the
    realised draws were tested against the sampler (None where nothing is sampled).
    """

    stage: str
    what: str
    mechanism: Mechanism
    privacy_seed: int | None = None
    checked: bool | None = None

    def as_json(self) -> dict:
        mechanism = {"kind": type(self.mechanism).__name__, **asdict(self.mechanism)}
        return {**{k: v for k, v in vars(self).items() if k != "mechanism"}, "mechanism": mechanism}

    @classmethod
    def from_json(cls, line: Mapping) -> "Event":
        try:
            mechanism = dict(line["mechanism"])
            return cls(**{**line, "mechanism": MECHANISMS[mechanism.pop("kind")](**mechanism)})
        except (KeyError, TypeError, ValueError) as error:
            raise DoppelError(f"an event of the ledger cannot be read ({type(error).__name__}: {error})") from None


@dataclass
class Ledger:
    """All events of an arm, for one unit, one number of units and one delta.

    Args:
        unit: what a neighbour adds or removes. units: n, how many there are; treated as public.
        delta: in (0, 1/n); default 1/(n ln n).
        public: what the parameters declare public besides `ALWAYS_PUBLIC`.
    """

    unit: Unit
    units: int
    delta: float = math.nan
    events: list[Event] = field(default_factory=list)
    public: list[str] = field(default_factory=lambda: list(ALWAYS_PUBLIC))
    ancestors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.unit not in NEIGHBOURS:
            raise DoppelError(f"unit = {self.unit!r}; it is one of {', '.join(NEIGHBOURS)}")
        if math.isnan(self.delta):
            self.delta = default_delta(self.units)
        if not 0 < self.delta <= 1 / self.units:
            raise DoppelError(
                f"delta = {self.delta:g} is outside (0, 1/n = {1 / self.units:.2g}]; above 1/n a mechanism may publish "
                f"a whole unit; leave delta unset for 1/(n ln n) = {default_delta(self.units):.2g}"
            )

    @property
    def epsilon(self) -> float:
        return epsilon(self.mechanisms, delta=self.delta)

    @property
    def mechanisms(self) -> list[Mechanism]:
        return [event.mechanism for event in self.events]

    def statement(self, stage: str, *, target_epsilon: float | None = None) -> dict:
        """What ``privacy.json`` holds. Raises DoppelError when the ledger spends more than the target."""
        spent = self.epsilon
        if target_epsilon is not None and spent > target_epsilon:
            raise DoppelError(f"{stage}: the ledger spends epsilon {spent:.4f}, over its target {target_epsilon:g}")
        return {
            "stage": stage,
            "epsilon": None if math.isinf(spent) else spent,
            "target_epsilon": target_epsilon,
            "delta": self.delta,
            "unit": self.unit,
            "units": self.units,
            "neighbours": NEIGHBOURS[self.unit],
            "accountant": ACCOUNTANT,
            "events": [event.as_json() for event in self.events],
            "public": self.public,
            "ancestors": self.ancestors,
            "not_for_release": not_for_release(self.events),
        }


def not_for_release(events: Sequence[Event]) -> list[str]:
    """Why nothing that comes of these events may be handed out; empty when it may."""
    reasons = [f"{e.stage}: {e.what} is not private" for e in events if isinstance(e.mechanism, NonPrivate)]
    reasons += [
        f"{e.stage}: privacy_seed is set, the noise can be redrawn" for e in events if e.privacy_seed is not None
    ]
    reasons += [f"{e.stage}: the realised batches were not checked" for e in events if e.checked is False]
    return reasons


def read(path: Path) -> Ledger:
    """The ledger in a stage's folder or privacy.json."""
    path = path / "privacy.json" if path.is_dir() else path
    if not path.is_file():
        raise DoppelError(f"{path}: no privacy.json; name a finished stage's folder")
    return from_statement(read_json(path))


def from_statement(statement: Mapping) -> Ledger:
    """The ledger that a statement describes. Raises DoppelError when a field is missing or cannot be read."""
    try:
        return Ledger(
            statement["unit"],
            statement["units"],
            statement["delta"],
            [Event.from_json(e) for e in statement["events"]],
            list(statement["public"]),
            dict(statement["ancestors"]),
        )
    except KeyError as error:
        raise DoppelError(f"the statement lacks {error}") from None


def inherit(folders: Sequence[Path]) -> Ledger:
    """The union of the input stages' ledgers; a stage that is reached twice counts once.

    Refuses inputs that differ in unit, units or delta, or that saw different runs of the same stage.
    """
    merged: Ledger | None = None
    for folder in folders:
        ledger = read(folder)
        ledger.ancestors[folder.name] = sha256(folder / "privacy.json")
        if merged is None:
            merged = ledger
            continue
        for name in ("unit", "units", "delta"):
            if getattr(ledger, name) != getattr(merged, name):
                raise DoppelError(
                    f"{folder.name}: its {name} is {getattr(ledger, name)}, another has {getattr(merged, name)}; "
                    "the inputs come of different corpora and cannot be composed"
                )
        for stage in ledger.ancestors.keys() & merged.ancestors.keys():
            if ledger.ancestors[stage] != merged.ancestors[stage]:
                raise DoppelError(f"{folder.name}: was made from another run of {stage}; run the chain again")
        seen = {event.stage for event in merged.events}
        merged.events += [event for event in ledger.events if event.stage not in seen]
        merged.public = list(dict.fromkeys([*merged.public, *ledger.public]))
        merged.ancestors |= ledger.ancestors
    if merged is None:
        raise DoppelError("a stage without inputs has no ledger to inherit; open one with Ledger(unit, units)")
    return merged
