"""An arm that is to be released, with all that the gate, the certificate and the card need of it, read once."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.data import records
from lib.data.images import parquet
from lib.data.images.private_image import ImageRecord
from lib.data.records import Record
from lib.methods.registry import of_arm
from lib.privacy.budget_account import Account, Charge, account_of
from lib.privacy.copy_count import FILE
from lib.privacy.ledger import NO_UNIT, Ledger, from_statement
from lib.release import audit_findings, kinds
from lib.release.audit_findings import Audit
from lib.release.kinds import Kind
from lib.stage import finished
from lib.stage.finished import FinishedStage
from lib.stage.notebook_roles import SCRUB


class Candidate:
    """An arm of a run. Each property is read when it is first asked for, and kept. `real` is private text.

    Args:
        run: ``results/RUN``, inside the project whose notebooks and lib made it.
        stage: the arm's stage id.
        findings: the findings.json of one audit, to be read instead of those of all audits in the run.
    """

    def __init__(self, run: Path, stage: str, findings: Path | None = None):
        self.run, self.stage = run, stage
        self._findings = findings

    @property
    def folder(self) -> Path:
        """The folder of the arm's stage."""
        return self.run / self.stage

    @property
    def pack(self) -> Path:
        """The folder that its pack is written to."""
        return self.run / "release" / self.stage

    @cached_property
    def kind(self) -> Kind:
        """What the arm is made of."""
        return kinds.of_stage(self.stage)

    @property
    def file(self) -> Path:
        """The file of its synthetic records, which an arm has."""
        return self.folder / self.kind.synthetic

    @cached_property
    def stages(self) -> dict[str, FinishedStage]:
        """The arm and all stages that it was made from, by id, the arm last.

        Raises:
            DoppelError: one of them is not done.
        """
        return finished.ancestry(self.run, self.stage)

    @cached_property
    def statement(self) -> Mapping:
        """The content of the arm's privacy.json."""
        return read_json(self.folder / "privacy.json")

    @cached_property
    def records(self) -> list[Record] | list[ImageRecord]:
        """The synthetic records. They have no users, whatever the file says."""
        return [replace(record, user=None) for record in self._read(self.file)]

    @property
    def texts(self) -> list[str]:
        """The texts of `records`; pictures have none."""
        return [] if self.kind is kinds.PICTURES else [record.text.reveal() for record in self.records]

    @cached_property
    def audit(self) -> Audit:
        """What the audits of the run say about the arm."""
        return audit_findings.of_arm(self.run, self.stage, self._findings)

    @cached_property
    def corpus(self) -> FinishedStage:
        """The stage that holds the private records as they were before any scrubbing.

        Raises:
            DoppelError: the arm was made from no such stage.
        """
        for stage in self.stages.values():
            if _has_records(stage) and "corpus" not in stage.inputs:
                return stage
        raise DoppelError(
            "release.no_corpus",
            f"no stage that {self.stage} was made from has records to train on and records that were held out",
            name=self.stage,
        )

    @property
    def public_alone(self) -> bool:
        """Whether no private record was read: there is no corpus, and nothing to protect."""
        return self.ledger is not None and self.ledger.unit == NO_UNIT

    @property
    def charges(self) -> list[Charge]:
        """All charges of the corpus' account, oldest first; none where there is no corpus."""
        return [] if self.public_alone else list(self.account.read()[1])

    @property
    def account(self) -> Account:
        """The account of the corpus.

        Raises:
            DoppelError: as of `corpus`.
        """
        return account_of(self.corpus.folder)

    @cached_property
    def ledger(self) -> Ledger | None:
        """The arm's ledger; None where its privacy.json cannot be read."""
        try:
            return from_statement(self.statement)
        except (DoppelError, ValueError, KeyError, TypeError):
            return None

    @property
    def counted(self) -> str:
        """Id of the arm whose texts were counted for copies: its own, or of the one whose texts it passes on."""
        stage = self.stage
        while passed := [
            self.stages[stage].inputs[name]
            for name in of_arm(stage, self.stages[stage].inputs).passes_on
            if name in self.stages[stage].inputs
        ]:
            (stage,) = passed
        return stage

    @property
    def copy_count(self) -> int | None:
        """The noisy count of copied units; None where the arm of `counted` drew none."""
        path = self.run / self.counted / FILE
        return read_json(path)["noisy_count"] if path.is_file() else None

    @cached_property
    def real(self) -> list[dict[str, list[Record] | list[ImageRecord]]]:
        """The private records by side, ``train`` and ``test``: the original ones, and behind them the scrubbed ones."""
        ending = self.file.suffix
        corpora = [self.corpus, *(stage for stage in self.stages.values() if stage.notebook == SCRUB)]
        return [
            {side: self._read(corpus.folder / f"{side}{ending}") for side in ("train", "test")} for corpus in corpora
        ]

    def _read(self, file: Path) -> list[Record] | list[ImageRecord]:
        return parquet.read(file) if self.kind is kinds.PICTURES else records.read(file)


def _has_records(stage: FinishedStage) -> bool:
    return any(stage.has(f"train.{ending}") and stage.has(f"test.{ending}") for ending in ("jsonl", "parquet"))
