"""The bar of long work: in a notebook's plain output, and as lines of a stage's log."""

import sys

from tqdm import tqdm

EVERY = 5  # seconds between two states of a bar


class Bar(tqdm):
    """A bar of ``total`` steps, of which ``done`` were done before; it ends by itself with the last one.

    It stands on standard output, for JupyterLab paints what comes on standard error in the colour of faults.
    """

    def __init__(self, total: int, what: str = "", *, unit: str = "step", done: int = 0):
        shape = {"unit": unit, "initial": done, "mininterval": EVERY, "position": 0, "file": sys.stdout}
        super().__init__(total=total, desc=what or None, **shape)

    def update(self, n: float = 1) -> bool | None:
        """``n`` more steps are done; at the last one the bar keeps its state and no longer counts."""
        shown = super().update(n)
        if self.n >= self.total:
            self.close()
        return shown
