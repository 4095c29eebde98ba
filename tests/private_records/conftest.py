"""Tests of private records read the project's lists, whose paths are from its folder."""

import pytest
from support.project import ROOT


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
