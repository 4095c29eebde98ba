"""The stages of a run as the report shows them: figures, pictures with their captions, time and memory."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from lib.common.errors import DoppelError
from lib.common.formatting import duration, memory, number
from lib.common.paths import LIB
from lib.privacy import advisories
from lib.report.cells import Cell, Table
from lib.report.images import Figure
from lib.stage import condition, notebook_file
from lib.stage.finished import FinishedStage, Run

_CALL = re.compile(r"""stage\.figure\(\s*f?["'](?P<name>[^"']+)["'],\s*(?P<maker>[A-Za-z_][\w.]*)?""")
_READING = "**How to read it.**"


@dataclass(frozen=True)
class StageView:
    """A finished stage as the report shows it.

    Attributes:
        id: of the stage.
        metrics: its own.
        of_arms: how many more it has that belong to single arms (``task/metric/arm``); other tables show them.
        seconds: that it took; None where nothing recorded them.
        peak_memory_mb: likewise.
        commit: of the code that made it, in words.
        notes: that an older version made it, and with which known privacy faults; a sentence each.
        notebook: the notebook as it ran; None for a stage that was run by hand, and where its runner was killed while
            it wrote the notebook of a stage that was done.
        figures: its pictures.
    """

    id: str
    metrics: Mapping[str, float]
    of_arms: int
    seconds: float | None
    peak_memory_mb: float | None
    commit: str | None
    notes: Sequence[str]
    notebook: Path | None
    figures: Sequence[Figure]


def view(stage: FinishedStage) -> StageView:
    """What the report shows of a stage.

    Args:
        stage: of any notebook.
    """
    metrics, provenance, cells = stage.read("metrics.json"), stage.read("provenance.json"), _cells(stage)
    own = {name: value for name, value in metrics.items() if "/" not in name}
    commit = provenance.get("commit")
    return StageView(
        id=stage.id,
        metrics=own,
        of_arms=len(metrics) - len(own),
        seconds=provenance.get("seconds"),
        peak_memory_mb=provenance.get("peak_memory_mb"),
        commit=commit and commit[:10] + (" with uncommitted changes" if provenance.get("dirty") else ""),
        notes=[note for note in (condition.older(stage), *map(str, advisories.of(stage))) if note],
        notebook=stage.folder / "notebook.ipynb" if cells is not None else None,
        figures=list(_figures(stage, cells or ())),
    )


def unfinished(run: Run, *, but: str) -> list[str]:
    """Ids of the stages that were started and are not done.

    Args:
        run: whose stages.
        but: the stage that makes the report, which is not done yet.
    """
    started = sorted(path.parent.name for path in run.folder.glob("*/params.yaml"))
    return [stage for stage in started if stage != but and stage not in run.finished()]


def shown(stage: StageView) -> dict[str, object]:
    """A stage for the template ``report.html``, without its pictures.

    Args:
        stage: to show.
    """
    rows = [[Cell(name, sort=name), Cell(number(value, 4), sort=value)] for name, value in stage.metrics.items()]
    return {
        "id": stage.id,
        "about": f"{duration(stage.seconds)}, {memory(stage.peak_memory_mb)} at its peak",
        "commit": stage.commit,
        "notes": stage.notes,
        "link": f"notebooks/{quote(stage.id)}.html" if stage.notebook else None,
        "table": Table(f"Figures of {stage.id}", [("Figure", ""), ("Value", "")], rows),
        "of_arms": stage.of_arms,
    }


@dataclass(frozen=True)
class Caption:
    """What a notebook says about a picture that it saves.

    Attributes:
        pattern: a regular expression of the picture's file name.
        heading: the one above the cell.
        shows: what the picture shows: the docstring of the function that draws it.
        reading: how to read it: the text below the cell.
    """

    pattern: str
    heading: str
    shows: str
    reading: str


def captions(cells: Sequence[Mapping]) -> Iterator[Caption]:
    """The captions of the pictures that a notebook saves with ``stage.figure``.

    Args:
        cells: of the notebook, see `lib.stage.notebook_file.load`.
    """
    heading, imported = "", _imported(cells)
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            headings = [line.lstrip("# ") for line in cell["source"].splitlines() if line.startswith("##")]
            heading = headings[0] if headings else heading
            continue
        below = next((later["source"] for later in cells[place + 1 :] if later["cell_type"] == "markdown"), "").strip()
        reading = below.removeprefix(_READING).strip() if below.startswith(_READING) else ""
        for call in _CALL.finditer(cell["source"]):
            pattern = ".+".join(re.escape(text) for text in re.split(r"\{[^}]*\}", call["name"]))
            shows = _docstring(_full_name(call["maker"] or "", imported))
            yield Caption(pattern, heading, shows, _plain(reading.split("\n\n")[0]))


def _cells(stage: FinishedStage) -> list[dict] | None:
    """The cells of the notebook as it ran; None where there is no whole one."""
    try:
        return notebook_file.load(stage.folder / "notebook.ipynb")
    except (DoppelError, FileNotFoundError):
        return None


def _figures(stage: FinishedStage, cells: Sequence[Mapping]) -> Iterator[Figure]:
    """The pictures of a stage with the captions that the ``cells`` of its notebook give them."""
    known = list(captions(cells))
    for path in sorted((stage.folder / "figures").glob("*.png")):
        name = path.stem.replace("_", " ")
        fitting = (caption for caption in known if re.fullmatch(caption.pattern, path.stem))
        caption = next(fitting, Caption("", name, "", ""))
        alt = caption.shows or f"Picture {name} of stage {stage.id}."
        yield Figure(path, caption.heading or name, alt, caption.reading or caption.shows)


def _imported(cells: Sequence[Mapping]) -> dict[str, str]:
    """Full dotted names of what a notebook imports from lib, by the name that it uses for it."""
    names = {}
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        try:
            tree = ast.parse(cell["source"])
        except SyntaxError:  # a line magic
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lib":
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _full_name(maker: str, imported: Mapping[str, str]) -> str:
    """``lib.plots.data.kept`` for a notebook's ``data.kept`` or ``kept``; empty where it was not imported from lib."""
    first, dot, rest = maker.partition(".")
    return f"{imported[first]}{dot}{rest}" if first in imported else ""


@cache
def _docstring(function: str) -> str:
    """The first paragraph of a function's docstring, or nothing; ``function`` is its full name."""
    module, _, name = function.rpartition(".")
    path = LIB.parent / f"{module.replace('.', '/')}.py"
    if not module or not path.is_file():
        return ""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _plain((ast.get_docstring(node) or "").split("\n\n")[0])
    return ""


def _plain(text: str) -> str:
    """Without the marks of Markdown and docstrings."""
    return " ".join(re.sub(r"[`*]+", "", text).split())
