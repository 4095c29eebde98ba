"""A notebook as JSON: its parameters cell and its code. Light: nothing is imported to read one."""

import json
from pathlib import Path

from lib.common.errors import DoppelError

PARAMETERS_TAG = "parameters"  # the tag that papermill looks for


def load(path: Path) -> list[dict]:
    """The cells of a notebook, each with ``cell_type``, ``source`` (one string) and ``metadata``."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise DoppelError(f"{path}: not a notebook; open it in JupyterLab and save it again") from None
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def is_parameters(cell: dict) -> bool:
    return PARAMETERS_TAG in cell["metadata"].get("tags", [])


def parameters_cell(path: Path) -> str:
    """Source of the one cell tagged ``parameters``."""
    tagged = [cell["source"] for cell in load(path) if is_parameters(cell)]
    if len(tagged) != 1:
        raise DoppelError(f"{path}: {len(tagged)} cells are tagged {PARAMETERS_TAG!r}; exactly one must be")
    return tagged[0]


def code(path: Path) -> list[str]:
    """Sources of the code cells, without the parameters cell: its values are counted as resolved."""
    return [cell["source"] for cell in load(path) if cell["cell_type"] == "code" and not is_parameters(cell)]
