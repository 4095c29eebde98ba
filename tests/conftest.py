"""Fixtures of all tests."""

import atexit
import itertools
import os
import shutil
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from support.budgets import two_arms
from support.project import ROOT, Project
from traitlets.config import Config

from lib.common import paths
from lib.stage import fingerprint, redaction, stage

_NUMBERS = itertools.count()  # of the tests of this process
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: with models this small, threads only wait


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The project, with this process's own lib working in it."""
    monkeypatch.setattr(paths, "ROOT", project.root)
    monkeypatch.setattr(stage, "_PATIENCE", 0.0)
    monkeypatch.setenv("WANDB_MODE", "off")
    monkeypatch.delenv("DOPPEL_BUDGETS", raising=False)  # its accounts are its own
    monkeypatch.chdir(project.root)
    yield project
    if stage.Stage._current is not None:
        stage.Stage._current._release()


@pytest.fixture
def house(here: Project) -> Project:
    """The real notebooks, parameters and prompts in a project of its own, with a file of reviews beside them.

    Its preset quick has two private arms and no hybrid, and its corpus is that of preset test.
    """
    for name in ("notebooks", "params", "prompts"):
        shutil.copytree(ROOT / name, here.root / name)
    two_arms(here.root / "params" / "quick")
    corpus = here.root / "notebooks" / "00_process_data.ipynb"
    text = corpus.read_text(encoding="utf-8").replace('\\"rotten-tomatoes\\"', '\\"amazon-snippets\\"')
    kinds = r"\"kind\": [\"positive review\", \"negative review\", \"plot summary\"]"
    corpus.write_text(
        text.replace(kinds, r"\"sentiment\": [\"negative\", \"neutral\", \"positive\"]"), encoding="utf-8"
    )
    (here.root / "reviews.csv").write_text("Review,Author,Mood\nIt works.,ann,positive\n")
    return here


@pytest.fixture
def unfingerprinted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pre-flight that hashes no code, which takes most of its time: for tests of its checks."""

    def made_from(root: Path, notebook: str, parameters: dict[str, object]) -> dict:
        counted = {name: value for name, value in parameters.items() if name not in fingerprint.NOT_COUNTED}
        return {"parameters": counted, "notebook": notebook}

    monkeypatch.setattr(fingerprint, "made_from", made_from)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """IPython's shell in this process, and the hooks that the guard replaces put back afterwards."""
    for owner, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    formatter = traceback.TracebackException
    monkeypatch.setattr(formatter, "format_exception_only", formatter.format_exception_only)
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}), colors="nocolor")
    yield made
    atexit.unregister(made.atexit_operations)
    InteractiveShell.clear_instance()


@pytest.fixture(autouse=True)
def _own_accounts(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the accounts of whoever runs it. The folder is made by a test that charges something."""
    monkeypatch.setenv("DOPPEL_BUDGETS", str(tmp_path_factory.getbasetemp() / "budgets" / str(next(_NUMBERS))))


@pytest.fixture(autouse=True)
def _messages_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage begun inside a test must not hide the messages of pytest."""
    monkeypatch.setenv(redaction.SHOW, "1")


def pytest_configure(config: pytest.Config) -> None:
    """pytest-xdist hands files out as they come, and not, as by default, those of most tests first."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin with the end-to-end tests: one file of them takes minutes, and would keep one worker at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: "end_to_end" not in item.path.parts)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files again")
    parser.addoption("--kills", type=int, default=3, help="how often test_random_kills kills a stage")
