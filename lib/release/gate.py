"""The gate: every reason why an arm may not be released, all reported at once, each with a remedy.

What looks at private text does not decide about a release, unless the look is differentially private and in the ledger.
A text that is withheld only when it stands in the corpus tells, by being released, that it does not, whatever epsilon
is. So the gate decides by the noisy count that the arm drew (`lib.privacy.copy_count`), by what follows from ledgers
and accounts, and by the state of the files. Two decisions are outside epsilon, and the certificate says so
(`decisions`): an audit that stops a pack, and exact copies (`copies`), by which a holder may block.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from lib.audit.verdict import Verdict
from lib.common.errors import DoppelError, Reason
from lib.common.files import read_json
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.registry import ARMS
from lib.privacy import advisories, budget, copy_count, ledger, statement_check
from lib.privacy.guarantee import uncharged
from lib.release import closeness, copy_tests, kinds, leak_scan
from lib.release.candidate import Candidate
from lib.release.certificate import COUNTED, NOT_COUNTED, PUBLIC
from lib.stage import condition

NOTHING_READ = "no stage that it was made from reads a private record"
ACCOUNTED = (
    ("its events follow from the settings, are private, and are all in the account of the corpus", PUBLIC),
    ("epsilon is within the target, and the account within its limit", PUBLIC),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why an arm may not be released. Never holds private text.

    Attributes:
        case: what kind of reason it is, in a few words.
        reason: what is wrong; its code is finer than the case.
        remedy: what to do.
    """

    case: str
    reason: Reason
    remedy: str

    def __str__(self) -> str:
        return f"{self.case}: {self.reason}; {self.remedy}"


def decisions(candidate: Candidate, *, block_copies: bool = False) -> list[dict[str, str]]:
    """What decided that an arm may be released, for its certificate.

    Args:
        candidate: the arm; it has passed the gate.
        block_copies: whether its holder would have withheld it over an exact copy.

    Returns:
        A row for each decision: what decided, and whether that is `PUBLIC`, `COUNTED` or `NOT_COUNTED`.
    """
    rows = [
        ("its stages are finished and unchanged since, as hashes show", PUBLIC),
        *([(NOTHING_READ, PUBLIC)] if candidate.public_alone else ACCOUNTED),
    ]
    if candidate.copy_count is not None:
        rows.append(("the noisy count of copied units is within its limit", COUNTED))
    if candidate.audit.stage is not None:
        rows.append(("an audit that had found a violation would have stopped it", NOT_COUNTED))
    if block_copies:
        copies = "exact copies of private text" if candidate.kind is kinds.TEXTS else "copies of private records"
        rows.append((f"its holder looked for {copies}, and would have withheld it", NOT_COUNTED))
    return [{"what": what, "counted": counted} for what, counted in rows]


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
        known = (reason for stage in candidate.stages.values() for reason in advisories.of(stage))
        refusals += [Refusal("known fault", reason, "make the stage again: ./run_all.sh --force") for reason in known]
    except DoppelError as error:
        again = f"run ./run_all.sh PRESET --run {candidate.run.name} --only {candidate.stage}"
        refusals = [Refusal("not done", Reason(error.code, str(error)), again)]
    if not candidate.file.is_file():
        return refusals or [_no_arm(candidate)]
    refusals += _audit(candidate)
    if not (candidate.folder / "privacy.json").is_file():
        return refusals
    refusals += _statement(candidate)
    try:
        candidate.records  # noqa: B018  (read here, so that what cannot be read is a refusal)
        if not candidate.public_alone:
            candidate.corpus  # noqa: B018  (likewise)
            refusals += [*_account(candidate, exceeded), *_count(candidate)]
    except DoppelError as error:
        if not any(refusal.case == "not done" for refusal in refusals):  # else the same ancestor, already reported
            refusals.append(Refusal("not done", Reason(error.code, str(error)), "run the corpus stage and the arm"))
    return refusals


def _no_arm(candidate: Candidate) -> Refusal:
    reason = Reason("release.no_text", f"{candidate.stage} wrote no {candidate.kind.synthetic}")
    return Refusal("not done", reason, f"name an arm: {' or '.join(ARMS)}")


def _statement(candidate: Candidate) -> Iterator[Refusal]:
    """What is wrong with the arm's privacy.json, and what in its ledger forbids a release."""
    again = "run the arm again; if that does not help, the notebook states something that its ledger does not hold"
    try:
        statement = candidate.statement
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
        sentence = (
            f"{audit.stage} finds that the mechanism of {candidate.stage} is not the one that was accounted for; it "
            f"shows epsilon {audit.bound:.3g} at least"
        )
        yield Refusal(
            "audit violated",
            Reason("release.audit_violated", sentence),
            "find the fault in the mechanism, make the arm again, and audit it again",
        )
    if audit.verdict is Verdict.FAILED:
        sentence = f"{audit.stage} missed faults that were planted to test it, so nobody knows what it would miss"
        remedy = "audit the arm again, with more canaries"
        yield Refusal("audit failed", Reason("release.audit_failed", sentence), remedy)
    if audit.tampered:
        reason = Reason("release.findings_changed", f"{audit.stage}: findings.json was changed after the audit")
        yield Refusal("tampered", reason, "run the audit again")


def _account(candidate: Candidate, exceeded: Callable[[Path], str | None]) -> Iterator[Refusal]:
    """The account of the corpus: it must hold what the arm spent, and be within its limit."""
    if candidate.ledger is not None:
        for reason in uncharged(candidate.ledger, candidate.account.read()[1]):
            remedy = "bring the account back from a copy (data/budgets/), or make the arm again, which charges it"
            yield Refusal("not charged", reason, remedy)
    if sentence := exceeded(candidate.corpus.folder):
        remedy = "release nothing more of this corpus, unless its owner raises the limit"
        yield Refusal("over the corpus' budget", Reason("release.over_budget", sentence), remedy)


def _count(candidate: Candidate) -> Iterator[Refusal]:
    """The noisy count of copied units, where the arm's ledger holds one."""
    if candidate.ledger is None:
        return
    own = (event for event in candidate.ledger.events if event.stage == candidate.counted)  # not those of candidates
    counted = [event for event in own if event.what == copy_count.WHAT]
    if not counted:
        return
    noisy, most = candidate.copy_count, copy_count.limit(counted[0].mechanism.scale)
    if noisy is None or noisy > most:
        sentence = f"{copy_count.FILE} is missing" if noisy is None else f"{noisy} units are copied, {most} are allowed"
        remedy = "make the arm again with a smaller target_epsilon, fewer steps, or a higher temperature"
        yield Refusal("copies", Reason("release.copies", f"with noise, {sentence}"), remedy)


def copies(candidate: Candidate, strings: leak_scan.Strings) -> list[Refusal]:
    """Exact copies of private text, for the eyes of whoever holds it. Deciding by them is not counted in epsilon.

    Args:
        candidate: the arm.
        strings: the strings of each file that would be released, by its name.

    Returns:
        A refusal where the records are closer to train than held-out ones are, and for each kind of private text in
        each file; empty where there is no private text. Of pictures and rows, files are searched for names alone.
    """
    return [] if candidate.public_alone else [*_too_close(candidate), *_private(candidate, strings)]


def _too_close(candidate: Candidate) -> Iterator[Refusal]:
    """Records that are too close to the original ones, or to the scrubbed ones that the arm saw, each at its level."""
    for excess in chain.from_iterable(closeness.excesses(candidate, real) for real in candidate.real):
        if excess.significant:
            sentence = (
                f"{excess.what}: {excess.count} of {excess.of}, held-out records {excess.held_out} of "
                f"{excess.held_out_of} (one-sided p = {excess.p:.1e}, allowed {copy_tests.LEVEL / 3:.1e})"
            )
            remedy = "make the arm again with a smaller target_epsilon, fewer steps, or a higher temperature"
            yield Refusal("too close", Reason("release.too_close", sentence), remedy)


def _private(candidate: Candidate, strings: leak_scan.Strings) -> Iterator[Refusal]:
    remedy = "look at these strings; common phrases are harmless; a parameter that holds private text must be changed"
    train, test = ([record for real in candidate.real for record in real[side]] for side in ("train", "test"))
    if candidate.kind is not kinds.TEXTS:  # whose copies are looked for as a whole; here, names of records and users
        train, test = ([Record(r.id, PrivateText(""), r.labels, r.user) for r in rows] for rows in (train, test))
    for finding in leak_scan.search(strings, train, test):
        sentence = f"{finding.file}: {finding.count} {finding.kind} of private records, first in {_places(finding)}"
        yield Refusal("private text", Reason("release.private_text", sentence), remedy)


def _places(finding: leak_scan.Passages) -> str:
    numbers = ", ".join(map(str, finding.first))
    return f"strings {numbers}" if len(finding.first) > 1 else f"string {numbers}"
