"""What the audits of a run say about one arm, read from their findings.json."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.audit import violations
from lib.audit.verdict import WORST_FIRST, Verdict
from lib.common.errors import Reason
from lib.common.files import read_json, sha256
from lib.release import kinds
from lib.stage.fingerprint import read_done
from lib.stage.notebook_roles import AUDIT, VOTE_AUDIT
from lib.stage.original import parameters as parameters_of


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit says about an arm.

    Attributes:
        stage: id of the audit's stage; None where no audit attacked the arm.
        verdict: its verdict on the arm; None where there is none, or none that counts today.
        ideal_bound: the largest epsilon that an ideal attack on as many canaries would have shown on the mechanisms.
        bound: the largest epsilon that the attack did show.
        because: why there is no verdict; None where there is one.
        tampered: whether the findings were changed after the audit was done.
    """

    stage: str | None
    verdict: Verdict | None
    ideal_bound: float | None = None
    bound: float | None = None
    because: Reason | None = None
    tampered: bool = False


def of_arm(run: Path, stage: str, findings: Path | None = None) -> Audit:
    """The audit of an arm; of several the one with the worst verdict.

    Args:
        run: ``results/RUN``.
        stage: the arm's stage id.
        findings: the findings.json of one audit; None reads those of all audits in the run.

    Returns:
        The audit. A *violated* counts whatever came later, an audit of the same arm that found nothing included;
        another verdict counts only while the audit is finished and unchanged, and the arm is the one that it attacked.
    """
    audit = AUDIT if kinds.of_stage(stage) is kinds.TEXTS else VOTE_AUDIT
    files = [findings] if findings else sorted(run.glob(f"{audit}*/findings.json"))
    audits = [audit for file in files for audit in _read(file, run, stage)]
    if earlier := violations.of_arm(run, stage):
        audits.append(Audit(earlier[0], Verdict.VIOLATED, bound=earlier[1]))
    if audits:
        return min(audits, key=lambda audit: (*WORST_FIRST, None).index(audit.verdict))
    if files:
        sentence = f"{stage} is not among the arms that the audit of this run attacked"
        return Audit(None, None, because=Reason("release.not_attacked", sentence))
    return Audit(None, None, because=Reason("release.no_audit", f"this run holds no audit ({audit})"))


def _read(file: Path, run: Path, stage: str) -> Iterator[Audit]:
    """What one findings.json says of an arm, once for each input of the audit that is the arm."""
    folder = file.parent
    parameters = parameters_of(folder)
    local_names = [name for name, arm in parameters["inputs"].items() if arm == stage]
    if not local_names:
        return
    content, tampered = read_json(file), _tampered(file)
    for name in local_names:
        spelled = content["verdicts"].get(name)
        verdict = None if spelled is None else Verdict(spelled)
        rows = [row for row in content["findings"] if row["arm"] == name]
        ideal_bound, bound = (max((row[key] for row in rows), default=None) for key in ("ceiling", "bound"))
        because = None
        if verdict is not Verdict.VIOLATED:  # which counts whatever came later
            because = _not_valid(file, run, stage)
            if because is None and verdict is None:
                sentence = "no access of the arm takes canaries, so there was no mechanism to attack"
                because = Reason("release.no_bound", sentence)
        yield Audit(folder.name, None if because else verdict, ideal_bound, bound, because, tampered)


def _not_valid(file: Path, run: Path, stage: str) -> Reason | None:
    """Why an audit says nothing about the arm as it is now, or None."""
    done, arm = read_done(file.parent), read_done(run / stage)
    if done is None:
        return Reason("release.audit_not_done", "the audit is not finished")
    if _tampered(file):
        return Reason("release.findings_changed", "the audit's findings were changed after it was done")
    if arm is None or done["made_from"]["inputs"].get(stage) != arm["digest"]:
        return Reason("release.audit_of_earlier_run", "the audit attacked an earlier run of this arm")
    return None


def _tampered(file: Path) -> bool:
    done = read_done(file.parent)
    return done is not None and done["outputs"].get(file.name, {}).get("sha256") != sha256(file)
