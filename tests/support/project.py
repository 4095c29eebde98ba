"""A small project of its own for a test: a copy of lib and Snakefile, toy notebooks, toy parameters."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from lib.stage import notebook_file

ROOT = Path(__file__).resolve().parents[2]


def cell(source: str, cell_type: str = "code", tags: tuple[str, ...] = ()) -> dict:
    """One notebook cell without outputs."""
    made = {"cell_type": cell_type, "id": uuid.uuid4().hex[:8], "metadata": {}, "source": source}
    if tags:
        made["metadata"] = {"tags": list(tags)}
    return made | ({"outputs": [], "execution_count": None} if cell_type == "code" else {})


class Project:
    """A project in a temporary folder. Its ``lib`` is a copy, so a test may edit it."""

    def __init__(self, root: Path):
        self.root = root
        shutil.copytree(ROOT / "lib", root / "lib", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "Snakefile", root)
        # nothing of the test runner's own state may leak into the front door
        leaking = ("DOPPEL_", "WANDB_", "PYTEST_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(leaking)}
        self.env = inherited | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "WANDB_MODE": "off"}

    def notebook(self, name: str, parameters: str, *body: str, words: str = "A toy.") -> Path:
        """A notebook with the two parameters that all have, ``parameters``, and a cell for each of ``body``."""
        reserved = f'run: str = "quick"\nstage: str = "{name}"\n'
        cells = [
            cell(f"# {name}", "markdown"),
            cell("from typing import Literal\n\nfrom lib.stage.stage import Stage"),
            cell(reserved + parameters, tags=("parameters",)),
            cell(f'stage = Stage.begin("{name}", globals())'),
        ]
        for source in body:
            cells += [cell(words, "markdown"), cell(source)]
        path = self.root / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        kernel = {"kernelspec": {"name": "elsewhere", "display_name": "Elsewhere", "language": "python"}}
        path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
        return path

    def preset(self, preset: str, **files: str) -> None:
        """Parameter files of a preset; ``__`` in a name stands for the dot before the variant."""
        folder = self.root / "params" / preset
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"{name.removeprefix('n').replace('__', '.')}.yaml").write_text(text)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "lib.cli", *arguments]

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess:
        """The front door, to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=self.root, env=self.env | env, capture_output=True, text=True, timeout=120
        )

    def stage(self, name: str, run: str = "toy") -> Path:
        return self.root / "results" / run / name

    def done(self, name: str, run: str = "toy") -> dict:
        return json.loads((self.stage(name, run) / "done.json").read_text())

    def play(self, name: str, **values: object) -> dict[str, object]:
        """Execute a notebook's cells in this process, with ``values`` over its parameters; its globals."""
        namespace: dict[str, object] = {}
        try:
            for loaded in notebook_file.load(self.root / "notebooks" / f"{name}.ipynb"):
                if loaded["cell_type"] == "code":
                    exec(loaded["source"], namespace)
                if notebook_file.is_parameters(loaded):
                    namespace |= values
        finally:
            if "matplotlib.pyplot" in sys.modules:  # a kernel would end now, and its figures with it
                sys.modules["matplotlib.pyplot"].close("all")
        return namespace


def toy_chain(project: Project) -> None:
    """00_make -> 01_grow.fast -> 02_end.a, 02_end.b; 01_grow uses lib.toy_b, late and through lib.toy_a."""
    for name, code in {
        "toy_a": "def grow(x):\n    from lib.toy_b import twice\n\n    return twice(x)\n",
        "toy_b": "def twice(x):\n    return 2 * x\n",
        "toy_c": "UNRELATED = 1\n",
    }.items():
        (project.root / "lib" / f"{name}.py").write_text(code)
    project.notebook(
        "00_make",
        'size: int = 3  # [1, 100]\ntracking: Literal["offline", "online", "off"] = "offline"\n',
        'stage.path("data.txt").write_text("x" * size)',
        'stage.finish({"size": size}, {"epsilon": None})',
    )
    project.notebook(
        "01_grow",
        'inputs: dict[str, str] = {"data": "00_make"}\nfactor: float = 2.0  # (0, 10]\ndevice: str = "cpu"\n',
        "from lib.toy_a import grow\n\n"
        'data = (stage.inputs["data"] / "data.txt").read_text()\nstage.path("grown.txt").write_text(grow(data))',
        'stage.finish({"factor": factor}, {"epsilon": 1.0})',
    )
    project.notebook(
        "02_end",
        'inputs: dict[str, str] = {"model": "01_grow"}\nsamples: int = 1\n',
        'import sys\n\nstage.path("synthetic.jsonl").write_text("{}")\nstage.path("python").write_text(sys.executable)',
        'stage.finish({"records": samples, "held_out_loss": 3.25}, {"epsilon": 7.96})',
    )
    edge = "inputs: {model: 01_grow.fast}\n"
    project.preset("toy", n00_make="", n01_grow__fast="factor: 3\n", n02_end__a=edge, n02_end__b=edge + "samples: 2\n")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def until(condition: Callable[[], object]) -> object:
    """The value of the condition, once it is true."""
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value
