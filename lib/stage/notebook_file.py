"""A notebook as JSON: its parameters cell and its code. Light: nothing is imported to read one."""

import json
from pathlib import Path

from lib.common.errors import DoppelError

PARAMETERS_TAG = "parameters"  # the tag that papermill looks for


def load(path: Path) -> list[dict]:
    """The cells of a notebook, each with ``cell_type``, ``source`` (one string) and ``metadata``.

    Args:
        path: of the notebook.

    Raises:
        DoppelError: the file is no notebook.
    """
    try:
        return cells(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError):
        raise DoppelError(
            "stage.no_notebook",
            "not a notebook",
            name=path.name,
            remedy="open it in JupyterLab and save it again",
            where=str(path),
        ) from None


def cells(text: str) -> list[dict]:
    """The cells in the text of a notebook's file, as `load` gives them.

    Args:
        text: JSON.

    Raises:
        ValueError: the text is not JSON.
        KeyError: it holds no cells, or a cell no source.
        TypeError: it is another JSON value.
    """
    return [cell | {"source": "".join(cell["source"])} for cell in json.loads(text)["cells"]]


def is_parameters(cell: dict) -> bool:
    """Whether a cell is tagged as the parameters cell.

    Args:
        cell: of `load`.
    """
    return PARAMETERS_TAG in cell["metadata"].get("tags", [])


def parameters_cell(path: Path) -> str:
    """Source of the one cell tagged ``parameters``.

    Args:
        path: of the notebook.

    Raises:
        DoppelError: no cell is tagged so, or several are.
    """
    tagged = [cell["source"] for cell in load(path) if is_parameters(cell)]
    if len(tagged) != 1:
        raise DoppelError(
            "stage.parameters_cells",
            f"{len(tagged)} cells are tagged {PARAMETERS_TAG!r}",
            name=path.name,
            value=len(tagged),
            remedy="exactly one must be",
            where=str(path),
        )
    return tagged[0]


def code(path: Path) -> list[str]:
    """Sources of the code cells, without the parameters cell: its values are counted as resolved.

    Args:
        path: of the notebook.
    """
    return [cell["source"] for cell in load(path) if cell["cell_type"] == "code" and not is_parameters(cell)]
