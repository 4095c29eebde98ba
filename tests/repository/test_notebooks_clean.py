"""What is committed is clean: notebooks without outputs, in one shape, and code that ruff accepts."""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.project import ROOT

from lib.pipeline.graph import Node
from lib.pipeline.preflight import preflight
from lib.stage import notebook_file
from lib.stage.parameters import read_spec

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_LINES = 15  # of a code cell; the parameters cell may have more


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_a_notebook_is_stripped(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}  # no papermill, no widget states
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter"}
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_a_notebook_has_one_parameters_cell_then_begins_and_finishes_its_stage(path: Path) -> None:
    spec = read_spec(path)
    assert spec["run"].default == "quick"
    assert str(spec["stage"].default).partition(".")[0] == path.stem
    code = [cell for cell in notebook_file.load(path) if cell["cell_type"] == "code"]
    tagged = next(i for i, cell in enumerate(code) if notebook_file.is_parameters(cell))
    assert f'Stage.begin("{path.stem}", globals())' in code[tagged + 1]["source"]
    assert "stage.finish(" in code[-1]["source"]
    assert not any("stage.finish(" in cell["source"] for cell in code[:-1])


@pytest.fixture(scope="module")
def quick() -> dict[str, Node]:
    """The stages of preset quick."""
    return preflight("quick", "quick").nodes


def test_the_defaults_are_those_of_preset_quick(path: Path, quick: dict[str, Node]) -> None:
    spec = read_spec(path)
    node = quick.get(str(spec["stage"].default))
    if node is None:
        pytest.skip("preset quick does not run this notebook")
    assert {name: parameter.default for name, parameter in spec.items()} == node.parameters


def test_code_cells_are_short(path: Path) -> None:
    for cell in notebook_file.load(path):
        if cell["cell_type"] == "code" and not notebook_file.is_parameters(cell):
            statements = ast.parse(cell["source"]).body
            if all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements):
                continue  # a list of imports has as many lines as it needs
            assert len(cell["source"].splitlines()) < MOST_LINES, cell["source"].splitlines()[0]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_accepts_all_code(command: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "lib", "tests", "benchmarks", "notebooks", "docs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
