"""Where private data goes that does not fit into memory: files without a name, which go with the process."""

import tempfile

import numpy as np

from lib.common import system
from lib.common.paths import DATA

FOLDER = DATA / "cache" / "spill"


class Spill(tempfile.SpooledTemporaryFile):
    """A binary file that stays in memory until it is large.

    Args:
        in_memory: bytes from which on it lies on the disk, at least 1.
    """

    def __init__(self, in_memory: int):
        self.on_disk = False
        super().__init__(max_size=in_memory, dir=str(FOLDER))

    def rollover(self) -> None:
        """Move to the disk."""
        with system.refusals(FOLDER):
            FOLDER.mkdir(parents=True, exist_ok=True)
            FOLDER.chmod(0o700)
            super().rollover()
        self.on_disk = True

    def array(self, dtype: type[np.generic]) -> np.ndarray:
        """All that was written, as numbers, shape (n,), read-only; memory-mapped where it lies on the disk."""
        self.flush()
        if self.on_disk and self.seek(0, 2):
            return np.memmap(self._file, dtype=dtype, mode="r")
        self.seek(0)
        return np.frombuffer(self.read(), dtype)
