"""Files that have no name: a full disk is a refusal. What they hold is tested with `lib.data.shelf`."""

import errno
import os
import tempfile

import pytest
from support.errors import refused

from lib.data import spill


def test_a_disk_without_room_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch):
    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spill, "FOLDER", tmp_path)
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", full)
    with refused("common.system") as error:
        spill.Spill(1).write(b"more than one byte")
    assert "ENOSPC" in str(error.value)
