"""The gate: every reason why an arm may not be handed out, told at once, each with what to do.

The gate reads private text, so that a pack exists is itself a bit about it, outside the budget; the card says so.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.audit.verdict import Verdict
from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.data import records
from lib.data.records import Record
from lib.privacy import budget, ledger, statement_check
from lib.release import audit_findings, copy_tests, leak_scan
from lib.stage import finished

CASES = {  # what the gate looks at, and what holds where it lets pass: a certificate says so
    "not done": "the stage and its ancestors are done",
    "edited by hand": "they were made by the saved notebooks",
    "stale": "notebooks, lib and inputs are those that they were made from",
    "tampered": "no output was changed since",
    "certificate": "every claim of privacy.json follows from its events",
    "not for release": "the arm is private, its noise cannot be drawn again, its batches were checked",
    "over its target": "epsilon is within the arm's target",
    "over the corpus' budget": "all that was spent on the corpus is within its limit",
    "audit violated": "no audit found more than the arm claims",
    "copies": "the texts are no closer to train than held-out records are",
    "private text": "no sentence, address or id of a private record stands in a file",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason: ``case`` is one of `CASES`. Never holds private text."""

    case: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.case}: {self.reason}; {self.remedy}"


def check(
    run: Path,
    stage: str,
    findings: Path | None = None,
    *,
    exceeded: Callable[[Path], str | None] = budget.exceeded,
) -> list[Refusal]:
    """Every refusal of an arm; empty when it may be handed out.

    ``run`` is ``results/<run>``, ``stage`` the arm's id, ``findings`` one audit's findings.json instead of all that the
    run holds. ``exceeded`` says why a corpus' account is over its limit, given the corpus stage's folder.
    """
    found = [Refusal(*fault) for fault in finished.faults(run, stage)]
    if not (run / stage / "synthetic.jsonl").is_file():
        return found or [
            Refusal("not done", f"{stage} wrote no synthetic.jsonl", "name an arm: 11_generate or 12_aug_pe")
        ]
    found += _audit(run, stage, findings)
    if not (run / stage / "privacy.json").is_file():
        return found
    found += _statement(run, stage)
    try:
        corpus = corpus_of(run, stage)
        real, texts = read_corpus(corpus), _texts(run / stage)
    except DoppelError as error:  # an ancestor is not done, which is told already, or a file cannot be read
        unread = Refusal("not done", str(error), "run the corpus stage and the arm")
        return found if any(one.case == "not done" for one in found) else [*found, unread]
    if reason := exceeded(corpus):
        remedy = "nothing more may be handed out of this corpus, unless its owner raises the limit"
        found.append(Refusal("over the corpus' budget", reason, remedy))
    found += _copies(texts, real)
    return found + private({"synthetic.jsonl": texts}, real)


def _statement(run: Path, stage: str) -> Iterator[Refusal]:
    statement = read_json(run / stage / "privacy.json")
    again = "run the arm again; if that does not help, the notebook states what its ledger does not hold"
    try:
        wrong = statement_check.problems(statement)
        for name in (stage, *statement["ancestors"]):
            if (path := run / name / "privacy.json").is_file():
                wrong += statement_check.wrong_ancestors(path.parent, read_json(path))
        reasons = ledger.not_for_release(ledger.from_statement(statement).events)
    except (DoppelError, ValueError, KeyError, TypeError) as error:
        yield Refusal("certificate", f"privacy.json cannot be read ({type(error).__name__}: {error})", again)
        return
    for problem in dict.fromkeys(wrong):
        yield Refusal("over its target" if "over the target" in problem else "certificate", problem, again)
    for reason in reasons:
        yield Refusal(
            "not for release", reason, "make an arm with a target_epsilon and privacy_seed: null, and release it"
        )


def _audit(run: Path, stage: str, findings: Path | None) -> Iterator[Refusal]:
    audit = audit_findings.of_arm(run, stage, findings)
    if audit.verdict is Verdict.VIOLATED:
        yield Refusal(
            "audit violated",
            f"{audit.stage} shows epsilon {audit.bound:.3g} at least, more than {stage} claims",
            "find the fault in the mechanism, make the arm again, and audit it again",
        )
    if audit.tampered:
        yield Refusal("tampered", f"{audit.stage}: findings.json was changed since", "run the audit again")


def _copies(texts: list[str], real: Mapping[str, list[Record]]) -> Iterator[Refusal]:
    sides = {side: [record.text.reveal() for record in rows] for side, rows in real.items()}
    for excess in copy_tests.excesses(texts, sides["train"], sides["test"]):
        if excess.significant:
            yield Refusal(
                "copies",
                f"{excess.what}: {excess.count} of {excess.of}, held-out records {excess.held_out} of "
                f"{excess.held_out_of} (one-sided p = {excess.p:.1e}, allowed {copy_tests.LEVEL / 3:.1e})",
                "make the arm again with a smaller target_epsilon, fewer steps, or a higher temperature",
            )


def private(strings: leak_scan.Strings, real: Mapping[str, list[Record]]) -> list[Refusal]:
    """Refusals for private text in the strings of each file."""
    remedy = (
        "look at them; write the texts again with another seed (training is not repeated), or change what holds them"
    )
    return [
        Refusal(
            "private text", f"{one.file}: {one.count} {one.kind} of private records, first in {_where(one)}", remedy
        )
        for one in leak_scan.search(strings, real["train"], real["test"])
    ]


def _where(finding: leak_scan.Finding) -> str:
    return f"strings {', '.join(map(str, finding.first))}" if len(finding.first) > 1 else f"string {finding.first[0]}"


def corpus_of(run: Path, stage: str) -> Path:
    """The folder of the corpus that an arm was made of."""
    for name in finished.lineage(run, stage):
        if (run / name / "train.jsonl").is_file() and (run / name / "test.jsonl").is_file():
            return run / name
    raise DoppelError(f"no stage that {stage} was made of has a train.jsonl and a test.jsonl")


def read_corpus(corpus: Path) -> dict[str, list[Record]]:
    """The private records by side, train and test."""
    return {side: records.read(corpus / f"{side}.jsonl") for side in ("train", "test")}


def _texts(folder: Path) -> list[str]:
    return [record.text.reveal() for record in records.read(folder / "synthetic.jsonl")]
