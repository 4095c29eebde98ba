"""A set is the same however it is written: in parts, by several processes, or behind a kill."""

from pathlib import Path

import pytest
from support.pii_writing import plan_of
from support.project import ROOT

from lib.pii.classes import classes
from lib.pii.spans import problems
from lib.pii.writing import parts, rows
from lib.pii.writing.grammar import SlotText
from lib.pii.writing.parts import write_set


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # as a stage does


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_bytes_with_one_process_and_with_two(tmp_path: Path) -> None:
    plan = plan_of(24, messy=0.3, negatives=0.3, locales={"en_US": 1, "en_GB": 1})
    one, two = (tmp_path / name for name in ("one", "two"))
    made = write_set(plan, one, size=9, workers=1)
    assert write_set(plan, two, size=9, workers=2) == made and files(one) == files(two)
    assert [row.number for row in made] == list(range(24))
    assert not any(problems(row.filled, classes()) for row in made)


def test_a_killed_run_goes_on_behind_its_last_whole_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(20)
    whole = write_set(plan, tmp_path / "whole", size=5)
    seen, write = [], rows.write

    def killed_at_the_third(path: Path, made: list) -> None:
        seen.append(path.name)
        if len(seen) == 3:
            raise KeyboardInterrupt
        write(path, made)

    monkeypatch.setattr(parts.rows, "write", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_set(plan, tmp_path / "killed", size=5)
    told: list[int] = []
    assert write_set(plan, tmp_path / "killed", size=5, progress=told.append) == whole
    assert seen[3:] == [*seen[2:3], "part-00000015.jsonl"] and told == [10, 5, 5]
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


def test_the_size_of_parts_changes_nothing(tmp_path: Path) -> None:
    plan = plan_of(12)
    assert write_set(plan, tmp_path / "a", size=5) == write_set(plan, tmp_path / "b", size=500)


def test_texts_of_others_are_filled_and_missing_ones_left_out(tmp_path: Path) -> None:
    plan = plan_of(4, mode="random")
    texts = [SlotText("[EMAIL]", "a"), None, SlotText("none", "b"), SlotText("[CITY] [CITY_2]", "c")]
    made = write_set(plan, tmp_path, texts=texts, labels=[{"n": str(number)} for number in range(4)])
    assert [(row.number, len(row.filled.spans), row.labels["n"]) for row in made] == [
        (0, 1, "0"),
        (2, 0, "2"),
        (3, 2, "3"),
    ]
