"""A finished toy run and packs of it, made once for all tests of releases; what a test changes is its own copy."""

import shutil
from pathlib import Path

import pytest
from support import release_world

finished, world = release_world.finished, release_world.world


@pytest.fixture(scope="session")
def packed_once(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack that no test changes."""
    folder = tmp_path_factory.mktemp("packed")
    with release_world.copied(finished, folder / "project") as world:
        return release_world.packed(world, folder / "alone" / "pack")


@pytest.fixture(scope="session")
def audited_once(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, of a run with an audit."""
    folder = tmp_path_factory.mktemp("audited")
    with release_world.copied(finished, folder / "project") as world:
        world.play(release_world.AUDIT)
        return release_world.packed(world, folder / "alone" / "pack")


@pytest.fixture
def packed(audited_once: Path, tmp_path: Path) -> Path:
    """A pack in a folder of its own, with nothing beside it."""
    return shutil.copytree(audited_once, tmp_path / "alone" / "pack")
