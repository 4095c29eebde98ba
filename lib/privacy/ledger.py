"""The ledger: every access of an arm's ancestry to the private records, and the epsilon they compose to.

A stage's ``privacy.json`` holds its whole ledger, so that one file is enough to recompute epsilon
(`lib.privacy.statement_check`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib.common.errors import DoppelError, Reason, nearest
from lib.common.files import read_json, sha256
from lib.privacy.accounting import ACCOUNTANT, default_delta, epsilon
from lib.privacy.mechanism import Mechanism
from lib.privacy.neighbours import NEIGHBOURS, NO_UNIT, Records, Unit, held, neighbours
from lib.privacy.statement_shape import LEDGER, of_unit

ALWAYS_PUBLIC = (
    "the number of units",
    "the number of held-out records",  # sets are compared at the size of the smallest, which a metric may show
    "the parameters",
    "the label domain",
)


@dataclass(frozen=True)
class Event:
    """One access of a mechanism to the private records, by one stage.

    Args:
        stage: id of the stage, e.g. ``10_finetune_dp_lora.eps8``.
        what: what was released, in words.
        mechanism: with its sampler, sensitivity and count of releases.
        privacy_seed: None when the operating system seeded the draws; an integer can redraw them.
        checked: whether the realised draws passed the test of the sampler; None where nothing is sampled.
    """

    stage: str
    what: str
    mechanism: Mechanism
    privacy_seed: int | None = None
    checked: bool | None = None

    def as_json(self) -> dict:
        """The event as ledgers, certificates and accounts hold it; the mechanism's class is its ``kind``."""
        return {**{k: v for k, v in vars(self).items() if k != "mechanism"}, "mechanism": self.mechanism.as_json()}

    @classmethod
    def from_json(cls, line: Mapping) -> "Event":
        """The event of an object that `as_json` made.

        Args:
            line: one event; its mechanism's ``kind`` is a name in `MECHANISMS`. The figures are not checked.

        Raises:
            DoppelError: a field is missing, unknown or of another form.
        """
        try:
            return cls(**{**line, "mechanism": Mechanism.from_json(line["mechanism"])})
        except (KeyError, TypeError, ValueError) as error:
            raise DoppelError(
                "privacy.event_unreadable", f"an event of the ledger cannot be read ({type(error).__name__}: {error})"
            ) from None


@dataclass
class Ledger:
    """All events of an arm, for one unit, one number of units and one delta.

    Args:
        unit: what a neighbour adds or removes, a key of `NEIGHBOURS`; `NO_UNIT` where no private record was read.
        units: n, how many there are; treated as public. 0 for `NO_UNIT`.
        delta: in (0, 1/n]; default 1/(n ln n). 0 for `NO_UNIT`.
        events: every access to the private records, oldest first.
        public: what is treated as public: `ALWAYS_PUBLIC` and what the parameters declare.
        ancestors: stage id -> sha256 of that stage's privacy.json.
        records: what the corpus is made of; the words for neighbours follow from it.

    Raises:
        DoppelError: ``unit`` is unknown, ``delta`` is out of its range, or there are units, a delta or events although
            no private record was read.
    """

    unit: Unit
    units: int
    delta: float = math.nan
    events: list[Event] = field(default_factory=list)
    public: list[str] = field(default_factory=lambda: list(ALWAYS_PUBLIC))
    ancestors: dict[str, str] = field(default_factory=dict)
    records: Records = "texts"

    def __post_init__(self) -> None:
        if self.unit == NO_UNIT:
            self.delta = 0.0 if math.isnan(self.delta) else self.delta
            if self.units or self.delta or self.events:
                raise DoppelError(
                    "privacy.no_unit",
                    "a ledger without private records has no units, no delta and no events",
                    name="unit",
                    value=self.unit,
                    remedy="name the unit, record or user",
                )
            return
        if self.unit not in NEIGHBOURS:
            raise DoppelError(
                "privacy.unknown_unit",
                f"unit = {self.unit!r} is unknown",
                name="unit",
                value=self.unit,
                remedy=nearest(str(self.unit), NEIGHBOURS),
            )
        if math.isnan(self.delta):
            self.delta = default_delta(self.units)
        if self.units < 1 or not 0 < self.delta <= 1 / self.units:
            raise DoppelError(
                "privacy.delta_above_units",
                f"delta = {self.delta:g} is outside (0, 1/n = {1 / max(self.units, 1):.2g}]; above 1/n a mechanism may "
                "publish a whole unit",
                name="delta",
                value=self.delta,
                remedy=f"leave delta unset for 1/(n ln n) = {default_delta(self.units):.2g}",
            )

    @property
    def epsilon(self) -> float:
        """What all events compose to at `delta`, for add/remove of one unit; infinite when one is not private."""
        return epsilon(self.mechanisms, delta=self.delta) if self.events else 0.0

    @property
    def mechanisms(self) -> list[Mechanism]:
        """The mechanism of each event, in order."""
        return [event.mechanism for event in self.events]

    def statement(self, stage: str, *, target_epsilon: float | None = None) -> dict:
        """What the ``privacy.json`` of a stage holds.

        Args:
            stage: id of the stage that states it.
            target_epsilon: what the arm was to spend at most; None: no target was set.

        Raises:
            DoppelError: the ledger spends more than ``target_epsilon``.
        """
        spent = self.epsilon
        if target_epsilon is not None and spent > target_epsilon:
            raise DoppelError(
                "privacy.over_target",
                f"the ledger spends epsilon {spent:.4f}, over its target {target_epsilon:g}",
                name="target_epsilon",
                value=target_epsilon,
                where=stage,
            )
        return {
            "stage": stage,
            "epsilon": None if math.isinf(spent) else spent,
            "target_epsilon": target_epsilon,
            "delta": self.delta,
            "unit": self.unit,
            "units": self.units,
            "neighbours": neighbours(self.unit, self.records),
            "accountant": ACCOUNTANT,
            "events": [event.as_json() for event in self.events],
            "public": self.public,
            "ancestors": self.ancestors,
            "not_for_release": [str(reason) for reason in not_for_release(self.events)],
        }


def not_for_release(events: Sequence[Event]) -> list[Reason]:
    """Why nothing that is made from these events may be released; empty when it may.

    Args:
        events: all events of an arm's ledger.

    Returns:
        Reasons with the codes ``privacy.not_private``, ``privacy.seed_recorded`` and ``privacy.batches_unchecked``, in
        this order. Statements hold their sentences.
    """
    reasons = [
        Reason("privacy.not_private", f"{event.stage}: {event.what} is not private")
        for event in events
        if event.mechanism.unbounded
    ]
    reasons += [
        Reason("privacy.seed_recorded", f"{event.stage}: privacy_seed is set, the noise can be redrawn")
        for event in events
        if event.privacy_seed is not None
    ]
    reasons += [
        Reason("privacy.batches_unchecked", f"{event.stage}: the realised batches were not checked")
        for event in events
        if event.checked is False
    ]
    return reasons


def read(path: Path) -> Ledger:
    """The ledger of a finished stage.

    Args:
        path: the stage's folder, or its privacy.json.

    Raises:
        DoppelError: there is no such file, or it is no statement.
    """
    path = path / "privacy.json" if path.is_dir() else path
    if not path.is_file():
        raise DoppelError(
            "privacy.no_ledger",
            "no privacy.json",
            name="privacy.json",
            remedy="name a finished stage's folder",
            where=str(path),
        )
    return from_statement(read_json(path))


def from_statement(statement: Mapping) -> Ledger:
    """The ledger that a ``statement`` (the content of a privacy.json) describes; its epsilon is not read.

    Raises:
        DoppelError: a field is missing or out of its range, or an event cannot be read.
    """
    for key, fits in LEDGER.items():
        for sentence in fits(statement[key], key) if key in statement else ():
            raise DoppelError("privacy.statement_malformed", sentence, name=key)
    if LEDGER.keys() <= statement.keys():
        for sentence in of_unit(statement):
            raise DoppelError("privacy.statement_malformed", sentence, name=sentence.partition(":")[0])
    try:
        return Ledger(
            statement["unit"],
            statement["units"],
            statement["delta"],
            [Event.from_json(event) for event in statement["events"]],
            list(statement["public"]),
            dict(statement["ancestors"]),
            held(statement["unit"], statement.get("neighbours")),
        )
    except KeyError as error:
        raise DoppelError(
            "privacy.statement_incomplete", f"the statement lacks {error}", name=str(error.args[0])
        ) from None


def inherit(folders: Sequence[Path]) -> Ledger:
    """The union of the input stages' ledgers; a stage that is reached twice counts once.

    Args:
        folders: of the input stages, all finished; at least one.

    Raises:
        DoppelError: there are no inputs; they differ in unit, units or delta; or they saw different runs of the same
            stage.
    """
    merged: Ledger | None = None
    for folder in folders:
        ledger = read(folder)
        ledger.ancestors[folder.name] = sha256(folder / "privacy.json")
        if merged is None or ledger.unit == NO_UNIT or merged.unit == NO_UNIT:  # of two, one has nothing to compose
            merged = ledger if merged is None else _with_public(merged, ledger)
            continue
        _check_same_corpus(ledger, merged, folder.name)
        seen = {event.stage for event in merged.events}
        merged.events += [event for event in ledger.events if event.stage not in seen]
        merged.public = list(dict.fromkeys([*merged.public, *ledger.public]))
        merged.ancestors |= ledger.ancestors
    if merged is None:
        raise DoppelError(
            "privacy.no_inputs",
            "a stage without inputs has no ledger to inherit",
            name="inputs",
            remedy="open one with Ledger(unit, units)",
        )
    return merged


def _with_public(one: Ledger, other: Ledger) -> Ledger:
    """Two ledgers as one, of which at most one has a corpus."""
    kept = other if one.unit == NO_UNIT else one
    public = list(dict.fromkeys([*one.public, *other.public]))
    return replace(kept, public=public, ancestors=one.ancestors | other.ancestors)


def _check_same_corpus(ledger: Ledger, merged: Ledger, stage: str) -> None:
    """Refuse the ``ledger`` of an input ``stage`` that does not compose with those ``merged`` so far."""
    for name in ("unit", "units", "delta"):
        value, other = getattr(ledger, name), getattr(merged, name)
        if value != other:
            raise DoppelError(
                "privacy.inputs_differ",
                f"its {name} is {value}, another input's is {other}: they come from different corpora and cannot be "
                "composed",
                name=name,
                value=value,
                remedy="give inputs that were made from one corpus",
                where=stage,
            )
    for ancestor in ledger.ancestors.keys() & merged.ancestors.keys():
        if ledger.ancestors[ancestor] != merged.ancestors[ancestor]:
            raise DoppelError(
                "privacy.ancestor_differs",
                f"was made from another run of {ancestor} than the other inputs",
                name=ancestor,
                remedy="run the chain again",
                where=stage,
            )
