"""The house keeps its shape: imports point down, no circle, no file at lib's top level, a paragraph a room."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.project import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def lint(root: Path) -> subprocess.CompletedProcess:
    """import-linter on the lib of a folder, by the contracts of its pyproject.toml."""
    return subprocess.run([LINT, "--no-cache"], cwd=root, capture_output=True, text=True, timeout=60)


def test_imports_point_down_and_make_no_circle() -> None:
    ended = lint(ROOT)
    assert ended.returncode == 0, ended.stdout
    assert "2 kept, 0 broken" in ended.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("common/files.py", "from lib.stage import stage", "Imports point down"),
        ("audit/target.py", "from lib.methods import registry", "Imports point down"),
        ("data/records.py", "from lib.data import labels", "No circle"),
        ("attic/__init__.py", "", "Imports point down"),
    ],
    ids=["up", "audit knows a method", "circle", "a room that is not listed"],
)
def test_what_breaks_the_shape_is_seen(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "lib" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.is_file() else "") + f"\n{line}\n")
    ended = lint(tmp_path)
    assert ended.returncode == 1 and (f"{contract} BROKEN" in ended.stdout or "unmatched" in ended.stdout.lower())


def test_no_file_lies_at_the_top_level_of_lib() -> None:
    assert [path.name for path in (ROOT / "lib").glob("*.py")] == ["__init__.py"]


def test_every_room_has_a_paragraph() -> None:
    rooms = sorted(path.parent.name for path in (ROOT / "lib").glob("*/__init__.py"))
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert [room for room in rooms if f"\n**{room}** " not in text] == []


def test_every_file_that_decides_by_device_is_listed() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().partition("## What depends on the device")[2]
    listed = section.partition("\n## ")[0]
    decides = re.compile(r"cuda\.|[\"']cuda[\"']|device\.type|/dev")
    files = [path for path in (ROOT / "lib").rglob("*.py") if decides.search(path.read_text())]
    rooms = {path.relative_to(ROOT / "lib").parts[0] for path in files}
    assert "machine" in rooms  # which is the check itself, as is its command
    unlisted = [path for path in files if not {"machine", "cli"} & {*path.parts} and f"{path.name}`" not in listed]
    assert [path.relative_to(ROOT).as_posix() for path in unlisted] == []
