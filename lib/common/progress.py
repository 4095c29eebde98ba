"""Progress bars of long work, readable in a notebook's plain output and as lines of a stage's log."""

import sys

from tqdm import tqdm

EVERY = 5  # seconds between two updates of a bar


class Bar(tqdm):
    """A progress bar that closes itself at its last step.

    It writes to standard output, because JupyterLab shows standard error in the colour of errors.

    Args:
        total: how many steps there are.
        title: what the bar is called; nothing where it is empty.
        unit: what a step is, in the singular: ``text``.
        done: steps that were done before the bar starts, by a run that was interrupted.
    """

    def __init__(self, total: int, title: str = "", *, unit: str = "step", done: int = 0):
        settings = {"unit": unit, "initial": done, "mininterval": EVERY, "position": 0, "file": sys.stdout}
        super().__init__(total=total, desc=title or None, **settings)

    def update(self, n: float = 1) -> bool | None:
        """Count ``n`` more steps; returns whether the bar was drawn. The last step closes the bar."""
        drawn = super().update(n)
        if self.n >= self.total:
            self.close()
        return drawn
