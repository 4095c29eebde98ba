"""README and docs name what is there: files behind links, notebooks, presets of commands, benchmarks."""

import re
from pathlib import Path

import pytest

from lib.cli.__main__ import _USAGE

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_names_lead_to_what_is_there(page: Path) -> None:
    assert missing(page.read_text(encoding="utf-8"), page.parent) == []


@pytest.mark.parametrize(
    "text",
    [
        "[a page](docs/none.md)",
        "![a picture](docs/none.png)",
        "`13_none`",
        "`13_none.eps8`",
        "    ./run_all.sh nothing --dry-run",
        "./run_all.sh sweep nothing",
        "python benchmarks/none.py",
    ],
)
def test_what_is_not_there_is_found(text: str) -> None:
    assert len(missing(text, ROOT)) == 1


def test_each_benchmark_that_runs_is_listed() -> None:
    listed = set(re.findall(r"benchmarks/(\w+)\.py", (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")))
    runs = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text(encoding="utf-8")}
    assert runs and listed == runs


def test_each_page_is_reached_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert linked == {page.name for page in PAGES[1:]}


def missing(text: str, folder: Path) -> list[str]:
    """What a page names and is not there. Names of a reader's own (``mine``, ``reviews``) are no presets."""
    links = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    found = [target for target in links if not (folder / target).exists()]
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    found += sorted(set(re.findall(r"\b\d\d_[a-z_]+", text)) - notebooks)
    presets = {path.name for path in (ROOT / "params").iterdir()} | {"mine", "reviews"}
    commands = set(re.findall(r"run_all\.sh ([a-z][\w-]*)", _USAGE))
    found += sorted(set(re.findall(r"\./run_all\.sh ([a-z][\w-]*)", text)) - presets - commands)
    grids = {path.stem for path in (ROOT / "sweeps").glob("*.yaml")}
    found += sorted(set(re.findall(r"\./run_all\.sh sweep ([a-z][\w-]*)", text)) - grids)
    return found + [path for path in re.findall(r"benchmarks/\w+\.py", text) if not (ROOT / path).exists()]
