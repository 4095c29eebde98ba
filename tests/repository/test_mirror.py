"""Tests mirror lib: tests/ROOM/test_FILE.py tests lib/ROOM/FILE.py, and tests/ROOM/test_ROOM.py the room as a whole."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.project import ROOT

WHOLE_HOUSE = ("end_to_end", "repository")  # folders of tests of no single room
EXCEPTIONS = {  # what they test instead of a file of lib
    "cli/test_front_door.py": "run_all.sh",
    "generation/endpoint/test_scripted_faults.py": "lib/generation/workflow.py",
    "methods/private_evolution/test_evolution_over_endpoint.py": "lib/methods/private_evolution/evolution.py",
    "report/test_in_browser.py": "lib/report/templates",
}
TESTED_WITH: Mapping[str, tuple[str, ...]] = {  # by test: files of lib without a test of their own name
    "audit/test_canaries.py": ("audit/canary_texts.py",),
    "audit/test_finding.py": ("audit/canary_run.py", "audit/verdict.py"),
    "cli/test_new.py": ("cli/new_columns.py",),
    "cli/test_run.py": ("cli/__main__.py",),
    "data/sources/test_sources.py": ("data/sources/corpus.py",),
    "data/tables/test_processing.py": ("data/sources/rows.py",),
    "end_to_end/test_sanitize_notebook.py": ("sanitization/opening.py",),
    "evaluation/human/test_rating_sheet.py": ("evaluation/human/rating_forms.py",),
    "evaluation/test_registry.py": ("evaluation/entry.py", "evaluation/fidelity/metric_input.py"),
    "generation/endpoint/test_converse.py": ("generation/endpoint/answer.py",),
    "generation/endpoint/test_group.py": ("generation/endpoint/servers.py",),
    "generation/test_generate.py": (
        "generation/engines/base.py", "generation/engines/ctranslate2_engine.py", "generation/engines/names.py",
        "generation/engines/registry.py", "generation/engines/smoothquant.py",
        "generation/engines/transformers_engine.py",
    ),
    "generation/test_prompt_file.py": ("generation/prompt_checks.py", "generation/prompt_parts.py"),
    "machine/test_checks.py": ("machine/adaptation.py", "machine/check.py"),
    "methods/private_evolution/test_evolution.py": ("methods/private_evolution/modality.py",),
    "methods/private_evolution/test_image_method.py": ("methods/private_evolution/modalities.py",),
    "models/test_loading.py": ("models/bundled.py",),
    "pii/exports/test_exports.py": ("pii/exports/ai4privacy.py", "pii/exports/examples.py", "pii/exports/registry.py"),
    "pipeline/test_stage_checks.py": ("pipeline/corpus_checks.py",),
    "plots/test_frontier.py": ("plots/style.py",),
    "privacy/test_ledger.py": ("privacy/statement_check.py",),
    "privacy/test_mechanism_kinds.py": ("privacy/mechanism.py",),
    "private_records/test_people.py": ("private_records/task.py",),
    "private_records/test_pipeline.py": ("private_records/author.py",),
    "private_records/test_public_lists.py": ("private_records/list_shapes.py",),
    "private_records/test_settings.py": ("private_records/opening.py",),
    "report/test_report.py": (
        "plots/data.py", "report/cells.py", "report/certificate_view.py", "report/notebook_html.py", "report/page.py",
        "report/sections.py", "report/stage_view.py", "report/tables.py",
    ),
    "sanitization/test_rates.py": ("sanitization/rule_guesser.py",),
    "sanitization/test_rules.py": ("sanitization/case.py",),
    "scorecard/test_run_comparison.py": ("cli/compare.py", "scorecard/frontier.py"),
    "scorecard/test_scorecard.py": (
        "scorecard/arm_summary.py", "scorecard/conclusions.py", "scorecard/inputs.py", "scorecard/measures.py",
        "scorecard/tables.py",
    ),
    "stage/test_fingerprint.py": ("stage/condition.py", "stage/notebook_file.py"),
    "stage/test_parameters.py": ("stage/strict_yaml.py",),
    "stage/test_stage.py": ("stage/finished.py",),
}  # fmt: skip


def without_a_file(root: Path) -> list[str]:
    """Tests whose names say that they test a file which is not there."""
    lost = []
    for test in sorted((root / "tests").rglob("test_*.py")):
        path = test.relative_to(root / "tests")
        if path.parts[0] in WHOLE_HOUSE or path.as_posix() in EXCEPTIONS:
            continue
        room, name = root / "lib" / path.parent, path.stem.removeprefix("test_")
        if not ((room / f"{name}.py").is_file() or (name == room.name and room.is_dir())):
            lost.append(path.as_posix())
    return lost


def without_a_test(root: Path) -> list[str]:
    """Files of lib that no test is named after, though they have a public function or class."""
    return [
        path.relative_to(root / "lib").as_posix()
        for path in sorted((root / "lib").rglob("*.py"))
        if not (root / "tests" / path.relative_to(root / "lib").with_name(f"test_{path.stem}.py")).is_file()
        and path.name != "__init__.py"  # its room's test is called after the room
        and any(
            isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            for node in ast.parse(path.read_text("utf-8")).body
        )
    ]


def test_every_file_of_tests_is_named_after_what_it_tests() -> None:
    assert without_a_file(ROOT) == []


def test_every_file_of_lib_has_its_test_and_no_exception_is_left_that_has_one() -> None:
    assert without_a_test(ROOT) == sorted(file for files in TESTED_WITH.values() for file in files)
    assert [test for test in TESTED_WITH if not (ROOT / "tests" / test).is_file()] == []


@pytest.mark.parametrize(("test", "tested"), EXCEPTIONS.items())
def test_an_exception_is_still_needed_and_tests_something_that_is_there(test: str, tested: str) -> None:
    assert (ROOT / "tests" / test).is_file() and (ROOT / tested).exists()


def test_a_test_of_a_file_that_moved_is_seen(tmp_path: Path) -> None:
    for path in ("lib/room/file.py", "tests/room/test_file.py", "tests/room/test_room.py", "tests/room/test_moved.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert without_a_file(tmp_path) == ["room/test_moved.py"]


@pytest.mark.parametrize(("code", "seen"), [("def f(): ...", True), ("class C: ...", True), ("X = 1", False)])
def test_a_file_of_lib_without_its_test_is_seen(tmp_path: Path, code: str, seen: bool) -> None:
    for path in ("lib/room/__init__.py", "lib/room/tested.py", "lib/room/file.py", "tests/room/test_tested.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("def f(): ...\n")
    (tmp_path / "lib/room/file.py").write_text(f"def _own(): ...\n\n\n{code}\n")
    assert without_a_test(tmp_path) == ["room/file.py"] * seen
