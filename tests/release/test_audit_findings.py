"""What audits say of an arm: the worst of them, of this arm alone, and only while it is about the arm as it is."""

from pathlib import Path

import pytest
import yaml

from lib.audit.verdict import Verdict
from lib.common.files import sha256, write_json
from lib.release import audit_findings
from lib.release.audit_findings import Audit

ARM, PICTURES = "11_generate.eps8", "15_image_evolution.eps8"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with an arm of texts and one of pictures, and no audit."""
    for stage in (ARM, PICTURES):
        write_json(tmp_path / stage / "done.json", {"digest": f"digest of {stage}"})
    return tmp_path


def audit(
    run: Path, verdict: str | None, *bounds: float, name: str = "20_canary_privacy", arm: str = ARM, digest: str = ""
) -> Path:
    """An audit that is done, of an arm that it calls ``mine`` beside another one; its findings.json."""
    folder = run / name
    rows = [{"arm": "mine", "bound": bound, "ceiling": 10 * bound} for bound in bounds]
    other = {"arm": "other", "bound": 9.0, "ceiling": 99.0}
    verdicts = {"other": "violated"} | ({"mine": verdict} if verdict else {})
    write_json(folder / "findings.json", {"verdicts": verdicts, "findings": [*rows, other]})
    (folder / "params.yaml").write_text(yaml.safe_dump({"inputs": {"mine": arm, "other": "11_generate.base"}}))
    outputs = {"findings.json": {"sha256": sha256(folder / "findings.json")}}
    made_from = {"inputs": {arm: digest or f"digest of {arm}"}}
    write_json(folder / "done.json", {"digest": "x", "outputs": outputs, "made_from": made_from})
    return folder / "findings.json"


def code(audit: Audit) -> str | None:
    return audit.because and audit.because.code


def test_verdict_and_largest_figures_are_the_arms_own(run: Path) -> None:
    audit(run, "consistent", 0.25, 0.5)
    assert audit_findings.of_arm(run, ARM) == Audit("20_canary_privacy", Verdict.CONSISTENT, 5.0, 0.5)


def test_of_several_audits_the_worst_counts_unless_one_is_named(run: Path) -> None:
    named = audit(run, "consistent", 0.5)
    audit(run, "inconclusive", 0.25, name="20_canary_privacy.b")
    assert audit_findings.of_arm(run, ARM).stage == "20_canary_privacy.b"
    audit(run, "violated", 3.0, name="20_canary_privacy.c")
    assert audit_findings.of_arm(run, ARM).verdict is Verdict.VIOLATED
    assert audit_findings.of_arm(run, ARM, named).verdict is Verdict.CONSISTENT


def not_done(findings: Path) -> None:
    (findings.parent / "done.json").unlink()


def edited(findings: Path) -> None:
    findings.write_text(findings.read_text() + "\n")


def arm_made_again(findings: Path) -> None:
    write_json(findings.parent.parent / ARM / "done.json", {"digest": "another"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (not_done, "release.audit_not_done"),
        (edited, "release.findings_changed"),
        (arm_made_again, "release.audit_of_earlier_run"),
    ],
)
def test_only_a_violation_counts_whatever_came_later(run: Path, change, expected: str) -> None:
    change(audit(run, "consistent", 0.5))
    found = audit_findings.of_arm(run, ARM)
    assert (found.verdict, code(found), found.tampered) == (None, expected, change is edited)
    change(audit(run, "violated", 0.5))
    found = audit_findings.of_arm(run, ARM)
    assert (found.verdict, code(found), found.tampered) == (Verdict.VIOLATED, None, change is edited)


def test_why_there_is_no_verdict(run: Path) -> None:
    assert code(audit_findings.of_arm(run, ARM)) == "release.no_audit"
    audit(run, None)
    assert code(audit_findings.of_arm(run, ARM)) == "release.no_bound"
    assert code(audit_findings.of_arm(run, "11_generate.more")) == "release.not_attacked"


def test_pictures_and_rows_have_an_audit_of_their_own(run: Path) -> None:
    audit(run, "consistent", 0.5, arm=PICTURES)
    assert code(audit_findings.of_arm(run, PICTURES)) == "release.no_audit"
    audit(run, "consistent", 0.5, name="20_vote_privacy", arm=PICTURES)
    assert audit_findings.of_arm(run, PICTURES).stage == "20_vote_privacy"
