"""A checkpoint that is named must be there, and its hash declared, before anything runs."""

from pathlib import Path

import pytest
from support.errors import refused

from lib.common import paths
from lib.common.files import sha256
from lib.generation.images.checkpoint import USUAL, check_declared, locate


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)


def test_the_usual_file_may_be_missing_still_and_another_may_not(tmp_path: Path) -> None:
    assert locate(None) == tmp_path / USUAL
    check_declared(None, None)
    with refused("generation.no_checkpoint", name="model"):
        check_declared("mine.pt", "0" * 64)


def test_the_hash_must_be_declared_and_the_refusal_tells_it(tmp_path: Path) -> None:
    file = tmp_path / USUAL
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    for model in (None, USUAL, str(file)):
        with refused("generation.checkpoint_undeclared", name="model_sha256") as error:
            check_declared(model, None)
        assert sha256(file) in str(error.value)
        check_declared(model, sha256(file))
