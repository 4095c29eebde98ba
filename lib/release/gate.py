"""The gate: every reason why an arm may not be handed out, reported at once, each with what to do.

The gate reads private text, so that a pack exists is itself a bit about it, outside the budget; the card says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.audit.verdict import Verdict
from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.methods.registry import ARMS
from lib.privacy import budget, ledger, statement_check
from lib.release import copy_tests, leak_scan
from lib.release.candidate import Candidate
from lib.stage import finished

CASES = {  # what the gate looks at, and what holds where it lets pass: a certificate says so
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
    """One reason. Never holds private text.

    Attributes:
        case: one of `CASES`; code decides on it.
        reason: what is wrong.
        remedy: what to do.
    """

    case: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.case}: {self.reason}; {self.remedy}"


def check(candidate: Candidate, *, exceeded: Callable[[Path], str | None] = budget.exceeded) -> list[Refusal]:
    """Every refusal of an arm; empty when it may be handed out.

    Args:
        candidate: the arm.
        exceeded: says why a corpus' account is over its limit, given the corpus stage's folder.
    """
    try:
        refusals = [Refusal(*fault) for fault in finished.faults(candidate.stages)]
    except DoppelError as error:
        again = f"run ./run_all.sh PRESET --run {candidate.run.name} --only {candidate.stage}"
        refusals = [Refusal("not done", str(error), again)]
    if not candidate.wrote_text:
        arms = " or ".join(ARMS)
        return refusals or [Refusal("not done", f"{candidate.stage} wrote no synthetic.jsonl", f"name an arm: {arms}")]
    refusals += _audit(candidate)
    if not (candidate.folder / "privacy.json").is_file():
        return refusals
    refusals += _statement(candidate)
    try:
        texts = candidate.texts
        candidate.real  # noqa: B018  (read now, so that what cannot be read is refused here)
    except DoppelError as error:  # an ancestor is not done, which is reported already, or a file cannot be read
        unread = Refusal("not done", str(error), "run the corpus stage and the arm")
        return refusals if any(refusal.case == "not done" for refusal in refusals) else [*refusals, unread]
    if reason := exceeded(candidate.corpus.folder):
        remedy = "nothing more may be handed out of this corpus, unless its owner raises the limit"
        refusals.append(Refusal("over the corpus' budget", reason, remedy))
    refusals += _copies(candidate)
    return refusals + private(candidate, {"synthetic.jsonl": texts})


def _statement(candidate: Candidate) -> Iterator[Refusal]:
    again = "run the arm again; if that does not help, the notebook states what its ledger does not hold"
    try:
        statement = read_json(candidate.folder / "privacy.json")
        wrong = statement_check.problems(statement)
        for name in (candidate.stage, *statement["ancestors"]):
            if (path := candidate.run / name / "privacy.json").is_file():
                wrong += statement_check.wrong_ancestors(path.parent, read_json(path))
        reasons = ledger.not_for_release(ledger.from_statement(statement).events)
    except (DoppelError, ValueError, KeyError, TypeError) as error:
        yield Refusal("certificate", f"privacy.json cannot be read ({type(error).__name__}: {error})", again)
        return
    for problem in dict.fromkeys(wrong):
        case = "over its target" if problem.code == "privacy.over_target" else "certificate"
        yield Refusal(case, str(problem), again)
    for reason in reasons:
        yield Refusal(
            "not for release", str(reason), "make an arm with a target_epsilon and privacy_seed: null, and release it"
        )


def _audit(candidate: Candidate) -> Iterator[Refusal]:
    audit = candidate.audit
    if audit.verdict is Verdict.VIOLATED:
        yield Refusal(
            "audit violated",
            f"{audit.stage} shows epsilon {audit.bound:.3g} at least, more than {candidate.stage} claims",
            "find the fault in the mechanism, make the arm again, and audit it again",
        )
    if audit.tampered:
        yield Refusal("tampered", f"{audit.stage}: findings.json was changed since", "run the audit again")


def _copies(candidate: Candidate) -> Iterator[Refusal]:
    sides = {side: [record.text.reveal() for record in rows] for side, rows in candidate.real.items()}
    for excess in copy_tests.excesses(candidate.texts, sides["train"], sides["test"]):
        if excess.significant:
            yield Refusal(
                "copies",
                f"{excess.what}: {excess.count} of {excess.of}, held-out records {excess.held_out} of "
                f"{excess.held_out_of} (one-sided p = {excess.p:.1e}, allowed {copy_tests.LEVEL / 3:.1e})",
                "make the arm again with a smaller target_epsilon, fewer steps, or a higher temperature",
            )


def private(candidate: Candidate, strings: leak_scan.Strings) -> list[Refusal]:
    """Refusals for private text in what would be handed out.

    Args:
        candidate: the arm.
        strings: the strings of each file, by its name.
    """
    remedy = (
        "look at them; write the texts again with another seed (training is not repeated), or change what holds them"
    )
    return [
        Refusal(
            "private text",
            f"{finding.file}: {finding.count} {finding.kind} of private records, first in {_where(finding)}",
            remedy,
        )
        for finding in leak_scan.search(strings, candidate.real["train"], candidate.real["test"])
    ]


def _where(finding: leak_scan.Finding) -> str:
    places = ", ".join(map(str, finding.first))
    return f"strings {places}" if len(finding.first) > 1 else f"string {places}"
