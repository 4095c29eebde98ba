"""Tests mirror lib: tests/ROOM/test_FILE.py tests lib/ROOM/FILE.py, and tests/ROOM/test_ROOM.py the room as a whole."""

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


def test_every_file_of_tests_is_named_after_what_it_tests() -> None:
    assert without_a_file(ROOT) == []


@pytest.mark.parametrize(("test", "tested"), EXCEPTIONS.items())
def test_an_exception_is_still_needed_and_tests_something_that_is_there(test: str, tested: str) -> None:
    assert (ROOT / "tests" / test).is_file() and (ROOT / tested).exists()


def test_a_test_of_a_file_that_moved_is_seen(tmp_path: Path) -> None:
    for path in ("lib/room/file.py", "tests/room/test_file.py", "tests/room/test_room.py", "tests/room/test_moved.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert without_a_file(tmp_path) == ["room/test_moved.py"]
