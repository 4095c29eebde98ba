"""The stages of a run as the report tells them: figures, pictures with their words, time and memory."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.common.formatting import duration, memory, number
from lib.common.paths import LIB
from lib.report.cells import Cell, Table
from lib.report.images import Figure
from lib.stage import notebook_file
from lib.stage.fingerprint import read_done

_CALL = re.compile(r"""stage\.figure\(\s*f?["'](?P<name>[^"']+)["'],\s*(?P<maker>[A-Za-z_][\w.]*)?""")
_READING = "**How to read it.**"


@dataclass(frozen=True)
class Finished:
    """A stage that is done. Of its metrics ``of_arms`` belong to single arms (``task/metric/arm``) and are left out."""

    id: str
    folder: Path
    metrics: Mapping[str, float]
    of_arms: int
    seconds: float | None
    peak_memory_mb: float | None
    commit: str | None
    figures: Sequence[Figure]

    @property
    def notebook(self) -> Path | None:
        """The notebook as it ran; a stage that was run by hand has none."""
        path = self.folder / "notebook.ipynb"
        return path if path.is_file() else None


def finished(run_folder: Path, *, but: str) -> tuple[list[Finished], list[str]]:
    """The stages of a run in the order of their names, and the ids of those that are not done.

    ``but`` is the stage that makes the report: it is not done yet, and not missing either.
    """
    done, waiting = [], []
    for folder in sorted(path for path in run_folder.iterdir() if (path / "params.yaml").is_file()):
        if folder.name == but:
            continue
        if read_done(folder) is None:
            waiting.append(folder.name)
        else:
            done.append(_read(folder))
    return done, waiting


def told(stage: Finished) -> dict[str, object]:
    """A stage as ``report.html`` shows it, its pictures aside."""
    rows = [[Cell(name, sort=name), Cell(number(value, 4), sort=value)] for name, value in stage.metrics.items()]
    return {
        "id": stage.id,
        "about": f"{duration(stage.seconds)}, {memory(stage.peak_memory_mb)} at its peak",
        "commit": stage.commit,
        "link": f"notebooks/{quote(stage.id)}.html" if stage.notebook else None,
        "table": Table(f"Figures of {stage.id}", [("Figure", ""), ("Value", "")], rows),
        "of_arms": stage.of_arms,
    }


def _read(folder: Path) -> Finished:
    metrics = read_json(folder / "metrics.json")
    own = {name: value for name, value in metrics.items() if "/" not in name}
    came = read_json(folder / "provenance.json")
    commit = came.get("commit") and came["commit"][:10] + (" and changes to it" if came.get("dirty") else "")
    return Finished(
        folder.name,
        folder,
        own,
        len(metrics) - len(own),
        came.get("seconds"),
        came.get("peak_memory_mb"),
        commit,
        list(_figures(folder)),
    )


def _figures(folder: Path) -> Iterator[Figure]:
    """The pictures of a stage with the words that its notebook has for them."""
    try:
        told = list(_told(notebook_file.load(folder / "notebook.ipynb")))
    except (DoppelError, FileNotFoundError):
        told = []
    for path in sorted((folder / "figures").glob("*.png")):
        title, shows, reading = next(
            (rest for pattern, *rest in told if re.fullmatch(pattern, path.stem)), ("", "", "")
        )
        fallback = f"Picture {path.stem.replace('_', ' ')} of stage {folder.name}."
        yield Figure(path, title or path.stem.replace("_", " "), shows or fallback, reading or shows)


def _told(cells: Sequence[Mapping]) -> Iterator[tuple[str, str, str, str]]:
    """Of each picture that is saved: a pattern of its name, the heading above it, what it shows, how to read it."""
    heading, imported = "", _imported(cells)
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            heading = next(
                (line.lstrip("# ") for line in cell["source"].splitlines() if line.startswith("##")), heading
            )
            continue
        later = next((c["source"] for c in cells[place + 1 :] if c["cell_type"] == "markdown"), "")
        reading = later.strip().removeprefix(_READING).strip() if later.strip().startswith(_READING) else ""
        for call in _CALL.finditer(cell["source"]):
            pattern = ".+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", call["name"]))
            yield pattern, heading, _docstring(_resolved(call["maker"] or "", imported)), _plain(reading.split("\n\n")[0])


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


def _resolved(maker: str, imported: Mapping[str, str]) -> str:
    """``lib.plots.data.kept`` for a notebook's ``data.kept`` or ``kept``; empty where it was not imported from lib."""
    first, dot, rest = maker.partition(".")
    return f"{imported[first]}{dot}{rest}" if first in imported else ""


@cache
def _docstring(maker: str) -> str:
    """The first paragraph of a function's docstring; ``maker`` is its full name, ``lib.plots.data.kept``."""
    module, _, function = maker.rpartition(".")
    path = LIB.parent / f"{module.replace('.', '/')}.py"
    if not module or not path.is_file():
        return ""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return _plain((ast.get_docstring(node) or "").split("\n\n")[0])
    return ""


def _plain(text: str) -> str:
    """Without the marks of Markdown and docstrings."""
    return " ".join(re.sub(r"[`*]+", "", text).split())
