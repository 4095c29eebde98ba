"""An arm that is to be audited, the corpus with canaries that it is made again on, and what comes of that.

Nothing here knows how an arm is made: a method's entry names the function that makes one again
(`lib.methods.method.Method.audit`), which takes an `Arm` and a `CanariedCorpus` and returns a `MadeAgain`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lib.audit.canary_set import CanarySet
from lib.common.errors import DoppelError
from lib.common.files import read_json, write_array, write_json
from lib.data import records
from lib.data.records import Record
from lib.privacy import ledger as ledgers
from lib.privacy.ledger import Ledger
from lib.stage.notebook_roles import notebook_of
from lib.stage.original import parameters as parameters_of

_ARRAYS = ("scores", "single", "unnoised")  # attributes of `MadeAgain`: arrays by name

Bars = Callable[[str, int], Callable[[int], object]]  # (what is done, how many) -> the update of a progress bar


@dataclass(frozen=True)
class Arm:
    """A finished arm, by its stage. What it wrote is DP or private, as its ledger says.

    Attributes:
        folder: of its stage.
        parameters: of the stage that wrote the text.
        epsilon: what it claims at ``delta``; infinite when it claims nothing.
        delta: in (0, 1/n].
        texts: its synthetic text.
    """

    folder: Path
    parameters: Mapping[str, Any]
    epsilon: float
    delta: float
    texts: Sequence[str] = field(repr=False)

    @property
    def stage(self) -> str:
        """The id of its stage."""
        return self.folder.name

    @property
    def notebook(self) -> str:
        """The notebook that wrote its text."""
        return notebook_of(self.stage)

    @property
    def inputs(self) -> dict[str, str]:
        """Ids of the stages that it read, by the name of the input."""
        return dict(self.parameters.get("inputs", {}))

    def parameters_of(self, name: str) -> Mapping[str, Any]:
        """Parameters of the stage behind an input.

        Args:
            name: of the input.
        """
        return parameters_of(self.folder.parent / self.inputs[name])


@dataclass(frozen=True)
class CanariedCorpus:
    """The private records with canaries behind them, and what the attacks need besides. Private.

    Attributes:
        folder: of the corpus stage.
        records: the private training records.
        planted: the canaries.
        background: held-out records, in no training; their gradients tell what any record would add.
        texts: how many texts an arm that trains writes again; None: as many as the arm has.
        shared: what arms that start alike compute once, by method; filled as they are made.
    """

    folder: Path
    records: Sequence[Record] = field(repr=False)
    planted: CanarySet = field(repr=False)
    background: Sequence[Record] = field(default=(), repr=False)
    texts: int | None = None
    shared: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def train(self) -> list[Record]:
        """The private records, and behind them the canaries whose coins said in, each as often as it has copies."""
        return self.planted.insert(self.records)

    def ledger(self, arm: Arm) -> Ledger:
        """What is spent before an arm is made again: the corpus stage's events, for the units that there are now.

        Args:
            arm: whose delta is kept.

        Raises:
            DoppelError: the canaries outnumber the corpus so far that this delta would promise nothing.
        """
        before, train = ledgers.read(self.folder), self.train
        units = len({record.owner for record in train}) if before.unit == "user" else len(train)
        if arm.delta > 1 / units:
            raise DoppelError(
                "audit.too_many_canaries",
                f"{arm.stage}: with canaries there are {units:,} units instead of {before.units:,}, and its delta, "
                f"{arm.delta:.2g}, is above one in so many",
                name=arm.stage,
                value=units,
                remedy="set fewer canaries or fewer copies",
            )
        return Ledger(before.unit, units, arm.delta, before.events, before.public)


@dataclass(frozen=True)
class MadeAgain:
    """What an arm that was made again on a canaried corpus gives the attacks. *Evaluation only.*

    Attributes:
        scores: raw scores by name, (canaries and references,) or (steps, canaries and references); higher: rather in.
        single: scores of the canaries that came once, (m,), by name: attacks that need no reference.
        unnoised: the same without noise, (m,), by name: what a positive control must catch.
        texts: what the arm wrote again.
        statement: what it spent, as `lib.privacy.ledger.Ledger.statement` has it.
    """

    scores: Mapping[str, np.ndarray]
    texts: Sequence[str]
    statement: Mapping[str, Any]
    single: Mapping[str, np.ndarray] = field(default_factory=dict)
    unnoised: Mapping[str, np.ndarray] = field(default_factory=dict)


MakeAgain = Callable[[Arm, CanariedCorpus, Path, Bars], MadeAgain]


def make_once(make: MakeAgain, arm: Arm, corpus: CanariedCorpus, folder: Path, bars: Bars) -> MadeAgain:
    """Make an arm again, unless an attempt that was killed later made it whole: then what came of it is read.

    Args:
        make: of the arm's method.
        arm: as ``make`` takes it.
        corpus: likewise.
        folder: of the arm's checkpoints; what comes of it is kept there, and is as private as they are.
        bars: as ``make`` takes it.
    """
    whole, arrays = folder / "made_again.json", folder / "made_again"
    if whole.is_file():
        kept = read_json(whole)
        read_back = {
            kind: {name: np.load(arrays / kind / f"{name}.npy") for name in kept.pop(kind)} for kind in _ARRAYS
        }
        return MadeAgain(**kept, **read_back)
    made = make(arm, corpus, folder, bars)
    for kind in _ARRAYS:
        for name, array in getattr(made, kind).items():
            write_array(arrays / kind / f"{name}.npy", array)
    names = {kind: list(getattr(made, kind)) for kind in _ARRAYS}
    write_json(whole, {"texts": list(made.texts), "statement": dict(made.statement)} | names)  # last
    return made


def read(folder: Path) -> Arm:
    """The arm in a finished stage's folder; the stages that it was made from stand beside it.

    Args:
        folder: of a stage that wrote ``synthetic.jsonl``, or ``synthetic.parquet``, which holds no text.

    Raises:
        DoppelError: the stage wrote no synthetic records.
    """
    texts = folder / "synthetic.jsonl"
    if not texts.is_file() and not (folder / "synthetic.parquet").is_file():
        raise DoppelError(
            "audit.no_arm",
            f"{folder.name}: wrote no synthetic records, so it is no arm that can be audited",
            name=folder.name,
            remedy="name a stage that writes synthetic.jsonl or synthetic.parquet",
        )
    statement = read_json(folder / "privacy.json")
    epsilon = math.inf if statement["epsilon"] is None else statement["epsilon"]
    written = [record.text.reveal() for record in records.read(texts)] if texts.is_file() else []
    return Arm(folder, parameters_of(folder), epsilon, statement["delta"], written)
