"""Executed notebooks as pages: one file each, without scripts and addresses, in the report's own style."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import files
from pathlib import Path

import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

# Widgets and scripts are not among them: their outputs fall back to the plain text beside them.
SHOWN = ["text/html", "text/markdown", "image/png", "image/jpeg", "text/plain"]


def body(path: Path, alternatives: Mapping[str, str]) -> Markup:
    """The cells of a notebook as HTML.

    Args:
        path: of the notebook.
        alternatives: descriptions of its pictures, by the name that a cell saves them under.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "<script" in "".join(output.get("data", {}).get("text/html", "")).lower():
                del output.data["text/html"]
        for name, alt in alternatives.items():
            if f'"{name}"' in cell.source and "stage.figure(" in cell.source:
                cell.metadata["alt"] = alt
                break
    html, _ = _exporter().from_notebook_node(notebook)
    return Markup(html)


@cache  # to read its templates takes longer than to convert a notebook
def _exporter() -> HTMLExporter:
    places = {"extra_template_basedirs": _templates(), "extra_template_paths": _templates()}
    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True, **places)
    exporter.config.NbConvertBase.display_data_priority = SHOWN
    return exporter


def _templates() -> list[str]:
    """Where this nbconvert has its templates: an environment that borrows its packages has them elsewhere."""
    own = (file for file in files("nbconvert") or () if file.match("nbconvert/templates/basic/conf.json"))
    return [str(file.locate().parents[1]) for file in own]


def colours_of_code() -> Markup:
    """CSS rules of the highlighted code, for the light and the dark page."""
    light, dark = (HtmlFormatter(style=style).get_style_defs(".highlight") for style in ("friendly", "github-dark"))
    rules = f"{_without_backgrounds(light)}\n@media (prefers-color-scheme: dark) {{\n{_without_backgrounds(dark)}\n}}"
    return Markup(rules)


def _without_backgrounds(rules: str) -> str:
    """The page has its own background."""
    return "\n".join(line for line in rules.splitlines() if "background" not in line)
