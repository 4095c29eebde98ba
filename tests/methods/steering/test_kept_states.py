"""States that were kept are those that a reader reads, to the bit, and are read once."""

from pathlib import Path

import numpy as np
import pytest
from methods.steering.conftest import RECORDS, read

from lib.methods.steering import kept_states, steering
from lib.methods.steering.kept_states import KeptReader
from lib.methods.steering.states import Public, Reader
from lib.methods.steering.steering import Asked
from lib.models import encoders
from lib.models.examples import Example

MODEL = "bundled:tiny-random"


def opened(asked: Asked, cache: Path, layers: list[int], done: list[int] | None = None) -> KeptReader:
    reader = Reader(asked.engine.model, layers, 128, 60)
    return KeptReader(**vars(reader), name=MODEL, progress=[].append if done is None else done.append, cache=cache)


def test_kept_states_are_those_of_the_reader_and_no_text_is_read_twice(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples, done = asked.examples(RECORDS), []
    expected = read(Reader(asked.engine.model, [0, 1], 128, 60), examples)
    assert np.array_equal(read(opened(asked, tmp_path, [0, 1], done), examples), expected)
    assert sum(done) == len(examples)
    monkeypatch.setattr(Reader, "_states", lambda *given: pytest.fail("read again"))
    assert np.array_equal(read(opened(asked, tmp_path, [0, 1], done), examples), expected)
    assert sum(done) == 2 * len(examples)
    for other, given in (([1], examples), ([0, 1], examples[1:])):  # other layers, and other records
        with pytest.raises(pytest.fail.Exception, match="read again"):
            read(opened(asked, tmp_path, other), given)
    with monkeypatch.context() as patch, pytest.raises(pytest.fail.Exception, match="read again"):
        patch.setattr(kept_states.torch, "get_num_threads", lambda: 999)  # a machine that may round otherwise
        read(opened(asked, tmp_path, [0, 1]), examples)
    assert read(opened(asked, tmp_path, [0, 1]), []).size == 0


def test_states_are_for_the_owner_alone_and_a_killed_run_goes_on(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "CHUNK", 4)
    examples, real = asked.examples(RECORDS), Reader._states
    assert len(examples) > 8
    expected, seen = read(Reader(asked.engine.model, [0], 128, 60), examples), []

    def killed(reader: Reader, batch: list[Example], width: int) -> np.ndarray:
        seen.extend(batch)
        if len(seen) > 4:
            raise KeyboardInterrupt
        return real(reader, batch, width)

    cache = tmp_path / "cache"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Reader, "_states", killed)
        read(opened(asked, cache, [0]), examples)
    assert cache.stat().st_mode & 0o077 == 0
    seen.clear()
    monkeypatch.setattr(
        Reader, "_states", lambda reader, batch, width: seen.extend(batch) or real(reader, batch, width)
    )
    assert np.array_equal(read(opened(asked, cache, [0]), examples), expected)
    assert len(seen) == len(examples) - 4


def test_sums_of_kept_states_are_those_of_read_ones(asked: Asked, tmp_path: Path) -> None:
    examples, reader = asked.examples(RECORDS), Reader(asked.engine.model, [0, 1], 128, 60)
    rows = np.zeros(len(examples), int)
    public = Public.of(reader, examples[:3], rows[:3], 1)
    kept = opened(asked, tmp_path, [0, 1])
    sums = [steering.summed(one, public, examples, rows, 1.0).sums for one in (reader, kept, kept)]
    assert np.array_equal(sums[0], sums[1]) and np.array_equal(sums[0], sums[2])
