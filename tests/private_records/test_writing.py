"""Sets of records: blocks that see only those before them, resumed to the byte, every record once."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support.errors import refused
from support.record_toys import StepModel, ToyAuthor, embed, tasks

from lib.generation.engines.base import Sampling
from lib.private_records.author import Author
from lib.private_records.model_author import ModelAuthor
from lib.private_records.pipeline import Recipe
from lib.private_records.prompting import Prompts
from lib.private_records.schema import Failed
from lib.private_records.writing import RecordSet, blocks, check_each_once, write_set


def write(
    folder: Path, author: Author, count: int = 10, model: StepModel | None = None, **changes: object
) -> RecordSet:
    how = {"window": 8, "sample": 4, "block": 4, "sampling": Sampling(seed=3), "embed": embed} | changes
    return write_set(tasks(count), author, Recipe(revisions=1), model=model, folder=folder, **how)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole = write(tmp_path / "a", ToyAuthor())
    assert len(whole.records) == 10 and whole.embeddings.shape == (10, 16)
    killed = 0

    def dying(text: str) -> np.ndarray:
        nonlocal killed
        killed += 1
        if killed % 7 == 0:
            raise KeyboardInterrupt
        return embed(text)

    for _ in range(20):
        try:
            again = write(tmp_path / "b", ToyAuthor(), embed=dying)
            break
        except KeyboardInterrupt:
            killed = killed // 7 * 7 + (killed // 7) % 5  # elsewhere the next time
    else:
        again = write(tmp_path / "b", ToyAuthor())
    assert killed >= 7 and content(tmp_path / "a") == content(tmp_path / "b")
    assert again.records == whole.records and np.array_equal(again.embeddings, whole.embeddings)


def test_blocks_grow_to_their_size_and_hold_every_record_once() -> None:
    assert [len(block) for block in blocks(200, 64)] == [8, 16, 32, 64, 64, 16]
    assert [len(block) for block in blocks(5, 3)] == [1, 2, 2] and not list(blocks(0, 4))
    assert [place for block in blocks(99, 20) for place in block] == list(range(99))


def test_the_first_block_has_no_history_and_the_others_do(tmp_path: Path) -> None:
    made = write(tmp_path, ToyAuthor())
    novelty = [record.rounds[0].novelty for record in made.records]
    assert not novelty[0] and all(novelty[1:])


def test_a_block_sees_nothing_of_its_own(tmp_path: Path) -> None:
    """The last records of a block are not there: the first ones stay as they were."""
    more, fewer = write(tmp_path / "more", ToyAuthor(), 8), write(tmp_path / "fewer", ToyAuthor(), 6)
    assert more.records[:6] == fewer.records


def test_unrevised_records_are_in_the_history_too(tmp_path: Path) -> None:
    never = ToyAuthor(lambda text: -len(text))  # no revision is ever preferred
    made = write(tmp_path, never)
    assert not any(record.rounds[0].accepted for record in made.records)
    assert all(record.rounds[0].novelty for record in made.records[1:])


def test_every_record_is_written_or_failed_once(tmp_path: Path) -> None:
    model = StepModel(group=["{}"] * 5 + ['{"all": ["injury"], "a": ["cost"], "b": ["email"]}'])
    author = ModelAuthor(Prompts(), ["a fall", "a fine"], 2, 32, _Blind())
    made = write(tmp_path, author, count=9, model=model)
    assert made.failed and len(made.records) + len(made.failed) == 9
    assert all(one.step == "group" and one.reasons == ("too few groups",) * 2 for one in made.failed)
    assert made.calls["group"] == model.calls["group"] > 9
    again = write(tmp_path, author, count=9, model=model)
    assert again.failed == made.failed and again.records == made.records and again.calls == made.calls


class _Blind:
    name, scheme = "blind", "doppel"

    def find(self, texts: list[str]) -> list[tuple]:
        return [()] * len(texts)


@pytest.mark.parametrize("ids", [["a", "b", "c"], ["a"], ["a", "b", "b"]])
def test_a_record_that_is_lost_or_there_twice_is_refused(tmp_path: Path, ids: list[str]) -> None:
    failed = [Failed(id, "draft") for id in ids]
    made = RecordSet([], failed, 0, Counter(), np.empty((0, 1)))
    with refused("private_records.lost"):
        check_each_once(["a", "b"], made)
    check_each_once(ids, made)


def test_nothing_written_is_refused_with_its_reasons() -> None:
    made = RecordSet([], [Failed("a", "draft", ("truncated", "truncated"))], 0, Counter(), np.empty((0, 1)))
    with refused("private_records.nothing_written", value=1):
        made.require()
