"""The gate: every reason why an arm may not be released, all reported at once, each with a remedy.

The gate reads private text. So the fact that a pack exists is itself one bit about that text, which epsilon does not
count; the card says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.audit.verdict import Verdict
from lib.common.errors import DoppelError, Reason
from lib.common.files import read_json
from lib.methods.registry import ARMS
from lib.privacy import budget, ledger, statement_check
from lib.release import copy_tests, leak_scan
from lib.release.candidate import Candidate
from lib.stage import condition

CASES = {  # what the gate checks, and what is true when it lets an arm pass: the certificate lists these sentences
    "not done": "the stage and its ancestors are done",
    "edited by hand": "they were made by the saved notebooks",
    "stale": "inputs, parameters and files are those that they were made from",
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
    """One reason why an arm may not be released. Never holds private text.

    Attributes:
        case: a key of `CASES`.
        reason: what is wrong; its code is finer than the case.
        remedy: what to do.
    """

    case: str
    reason: Reason
    remedy: str

    def __str__(self) -> str:
        return f"{self.case}: {self.reason}; {self.remedy}"


def check(candidate: Candidate, *, exceeded: Callable[[Path], str | None] = budget.exceeded) -> list[Refusal]:
    """Check an arm.

    Args:
        candidate: the arm.
        exceeded: given the folder of the corpus' stage, says why its budget is exceeded; None while it is not.

    Returns:
        Every refusal; empty when the arm may be released.
    """
    try:
        refusals = [Refusal(fault.case, fault.reason, fault.remedy) for fault in condition.faults(candidate.stages)]
    except DoppelError as error:
        again = f"run ./run_all.sh PRESET --run {candidate.run.name} --only {candidate.stage}"
        refusals = [Refusal("not done", Reason(error.code, str(error)), again)]
    if not candidate.wrote_text:
        return refusals or [_no_arm(candidate)]
    refusals += _audit(candidate)
    if not (candidate.folder / "privacy.json").is_file():
        return refusals
    refusals += _statement(candidate)
    try:
        texts = candidate.texts
        candidate.real  # noqa: B018  (read here, so that a file that cannot be read is a refusal)
    except DoppelError as error:
        if any(refusal.case == "not done" for refusal in refusals):  # the same ancestor, already reported
            return refusals
        return [*refusals, Refusal("not done", Reason(error.code, str(error)), "run the corpus stage and the arm")]
    if sentence := exceeded(candidate.corpus.folder):
        remedy = "release nothing more of this corpus, unless its owner raises the limit"
        refusals.append(Refusal("over the corpus' budget", Reason("release.over_budget", sentence), remedy))
    refusals += _copies(candidate)
    return refusals + private(candidate, {"synthetic.jsonl": texts})


def _no_arm(candidate: Candidate) -> Refusal:
    reason = Reason("release.no_text", f"{candidate.stage} wrote no synthetic.jsonl")
    return Refusal("not done", reason, f"name an arm: {' or '.join(ARMS)}")


def _statement(candidate: Candidate) -> Iterator[Refusal]:
    """What is wrong with the arm's privacy.json, and what in its ledger forbids a release."""
    again = "run the arm again; if that does not help, the notebook states something that its ledger does not hold"
    try:
        statement = read_json(candidate.folder / "privacy.json")
        wrong = statement_check.problems(statement)
        for name in (candidate.stage, *statement["ancestors"]):
            if (path := candidate.run / name / "privacy.json").is_file():
                wrong += statement_check.wrong_ancestors(path.parent, read_json(path))
        forbidding = ledger.not_for_release(ledger.from_statement(statement).events)
    except (DoppelError, ValueError, KeyError, TypeError) as error:
        sentence = f"privacy.json cannot be read ({type(error).__name__}: {error})"
        yield Refusal("certificate", Reason("release.statement_unreadable", sentence), again)
        return
    for reason in dict.fromkeys(wrong):
        yield Refusal("over its target" if reason.code == "privacy.over_target" else "certificate", reason, again)
    for reason in forbidding:
        remedy = "make an arm with a target_epsilon and privacy_seed: null, and release that"
        yield Refusal("not for release", reason, remedy)


def _audit(candidate: Candidate) -> Iterator[Refusal]:
    audit = candidate.audit
    if audit.verdict is Verdict.VIOLATED:
        sentence = f"{audit.stage} shows epsilon {audit.bound:.3g} at least, more than {candidate.stage} claims"
        yield Refusal(
            "audit violated",
            Reason("release.audit_violated", sentence),
            "find the fault in the mechanism, make the arm again, and audit it again",
        )
    if audit.tampered:
        reason = Reason("release.findings_changed", f"{audit.stage}: findings.json was changed after the audit")
        yield Refusal("tampered", reason, "run the audit again")


def _copies(candidate: Candidate) -> Iterator[Refusal]:
    sides = {side: [record.text.reveal() for record in rows] for side, rows in candidate.real.items()}
    for excess in copy_tests.excesses(candidate.texts, sides["train"], sides["test"]):
        if excess.significant:
            sentence = (
                f"{excess.what}: {excess.count} of {excess.of}, held-out records {excess.held_out} of "
                f"{excess.held_out_of} (one-sided p = {excess.p:.1e}, allowed {copy_tests.LEVEL / 3:.1e})"
            )
            remedy = "make the arm again with a smaller target_epsilon, fewer steps, or a higher temperature"
            yield Refusal("copies", Reason("release.copies", sentence), remedy)


def private(candidate: Candidate, strings: leak_scan.Strings) -> list[Refusal]:
    """Look for private text in the files that would be released.

    Args:
        candidate: the arm.
        strings: the strings of each file, by its name.

    Returns:
        A refusal for each kind of private text in each file.
    """
    remedy = (
        "look at these strings; write the texts again with another seed (training is not repeated), or change the "
        "parameter that holds them"
    )
    refusals = []
    for finding in leak_scan.search(strings, candidate.real["train"], candidate.real["test"]):
        sentence = f"{finding.file}: {finding.count} {finding.kind} of private records, first in {_places(finding)}"
        refusals.append(Refusal("private text", Reason("release.private_text", sentence), remedy))
    return refusals


def _places(finding: leak_scan.Passages) -> str:
    numbers = ", ".join(map(str, finding.first))
    return f"strings {numbers}" if len(finding.first) > 1 else f"string {numbers}"
