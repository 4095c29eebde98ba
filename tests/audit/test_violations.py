"""A violation stands for the arm that was attacked, until that arm is made again."""

from pathlib import Path

import pytest

from lib.audit import violations
from lib.audit.verdict import Verdict
from lib.common.files import write_json

ARM, OTHER = "11_generate.eps8", "12_aug_pe.eps8"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for stage in (ARM, OTHER):
        write_json(tmp_path / stage / "done.json", {"digest": stage})
    return tmp_path


def test_only_violations_are_kept_and_the_last_one_is_told(run: Path) -> None:
    assert violations.of_arm(run, ARM) is None
    violations.keep(run, "20_a", {ARM: Verdict.CONSISTENT, OTHER: Verdict.FAILED}, {ARM: 0.5, OTHER: 0.0})
    assert not (run / violations.FILE).exists()
    violations.keep(run, "20_a", {ARM: Verdict.VIOLATED, OTHER: Verdict.INCONCLUSIVE}, {ARM: 3.0, OTHER: 0.0})
    violations.keep(run, "20_b", {ARM: Verdict.VIOLATED}, {ARM: 2.0})
    violations.keep(run, "20_c", {ARM: Verdict.CONSISTENT}, {ARM: 0.0})  # which takes none of them back
    assert violations.of_arm(run, ARM) == ("20_b", 2.0) and violations.of_arm(run, OTHER) is None


def test_an_arm_that_was_made_again_is_another(run: Path) -> None:
    violations.keep(run, "20_a", {ARM: Verdict.VIOLATED}, {ARM: 3.0})
    write_json(run / ARM / "done.json", {"digest": "another"})
    assert violations.of_arm(run, ARM) is None
    (run / ARM / "done.json").unlink()
    assert violations.of_arm(run, ARM) is None
