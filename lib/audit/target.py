"""An arm that is to be audited: the parameters it was made with, and what it claims."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.data import records
from lib.data.records import Record
from lib.methods.private_evolution.evolution import FIRST, Generation
from lib.privacy import ledger as ledgers
from lib.privacy.ledger import Ledger
from lib.stage.notebook_roles import ARMS


@dataclass(frozen=True)
class Arm:
    """A finished arm, by its stage. What it wrote is DP or private, as its ledger says.

    Attributes:
        parameters: of the stage that wrote the text. training: of the stage that trained its adapter, or None for
            an arm of private evolution.
        epsilon: what it claims at ``delta``; infinite when it claims nothing.
        texts: its synthetic text.
        first: what an arm of private evolution began with, before any vote.
    """

    stage: str
    parameters: Mapping[str, object]
    training: Mapping[str, object] | None
    epsilon: float
    delta: float
    texts: Sequence[str] = field(repr=False)
    first: Generation | None = field(default=None, repr=False)

    @property
    def private(self) -> bool:
        return math.isfinite(self.epsilon)


def read(folder: Path) -> Arm:
    """The arm in a finished stage's folder; the stages that it was made of are found beside it.

    Raises DoppelError for a stage that is no arm, or whose model never saw the private records.
    """
    notebook = folder.name.partition(".")[0]
    if notebook not in ARMS:
        raise DoppelError(f"{folder.name}: no arm that can be audited; name a stage of {' or '.join(ARMS)}")
    parameters, training = _parameters(folder), None
    if notebook == "11_generate":
        if "model" not in parameters["inputs"]:
            raise DoppelError(f"{folder.name}: its model never saw the private records; there is nothing to audit")
        training = _parameters(folder.parent / parameters["inputs"]["model"])
    statement = read_json(folder / "privacy.json")
    epsilon = math.inf if statement["epsilon"] is None else statement["epsilon"]
    texts = [record.text.reveal() for record in records.read(folder / "synthetic.jsonl")]
    first = Generation(**read_json(folder / FIRST)) if notebook == "12_aug_pe" else None
    return Arm(folder.name, parameters, training, epsilon, statement["delta"], texts, first)


def canaried_ledger(corpus: Path, train: Sequence[Record], arm: Arm) -> Ledger:
    """What is spent before the arm is made again on ``train``: the corpus stage's events, for as many units as there
    are now, at the arm's own delta.

    Raises DoppelError where the canaries outnumber the corpus so far that this delta would promise nothing.
    """
    before = ledgers.read(corpus)
    units = len({record.owner for record in train}) if before.unit == "user" else len(train)
    if arm.delta > 1 / units:
        raise DoppelError(
            f"{arm.stage}: with canaries there are {units:,} units instead of {before.units:,}, and its delta, "
            f"{arm.delta:.2g}, is above one in so many; set fewer canaries or fewer copies"
        )
    return Ledger(before.unit, units, arm.delta, before.events, before.public)


def _parameters(folder: Path) -> Mapping[str, object]:
    return yaml.safe_load((folder / "params.yaml").read_text("utf-8"))
