"""Which commit the code is of, and whether it was changed since."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import Project, edit

from lib.stage import provenance


@pytest.fixture
def committed(here: Project) -> Project:
    """A project under git, with a notebook and nothing changed."""
    here.notebook("00_make", "size: int = 3\n", "print(size)")
    for command in (["init", "-q"], ["add", "notebooks", "Snakefile"], ["commit", "-q", "-m", "first"]):
        name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(here.root), *name, *command], check=True)
    return here


def opened(path: Path) -> None:
    """What JupyterLab does to a notebook that it opens and runs."""
    notebook = json.loads(path.read_text())
    notebook["metadata"]["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"]["trusted"] = True
        if cell["cell_type"] == "code":
            cell |= {"execution_count": 1, "outputs": [{"output_type": "stream", "name": "stdout", "text": "3\n"}]}
    path.write_text(json.dumps(notebook, indent=1))


@pytest.mark.parametrize(
    ("change", "dirty"),
    [
        (lambda path: None, False),
        (opened, False),
        (lambda path: edit(path, "print(size)", "print(size + 1)"), True),
        (lambda path: edit(path, "A toy.", "Another toy."), True),
        (lambda path: edit(path, '["parameters"]', '["other"]'), True),
        (lambda path: path.unlink(), True),
        (lambda path: path.write_text("{"), True),
        (lambda path: edit(path.parents[1] / "Snakefile", "rule all", "rule every"), True),
    ],
    ids=["nothing", "opened", "code", "words", "tag", "gone", "broken", "another file"],
)
def test_a_notebook_that_was_only_opened_is_no_change(
    committed: Project, change: Callable[[Path], object], dirty: bool
) -> None:
    change(committed.root / "notebooks" / "00_make.ipynb")
    found = provenance.commit(committed.root)
    assert found["dirty"] is dirty and len(found["commit"]) == 40
