"""Candidates: read from several arms, and one of each that are alike."""

from pathlib import Path

import pytest
from support.errors import refused

from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.selection import candidates

CELLS = [{"mood": "glad"}, {"mood": "sad"}]
SENTENCE = "the battery of this camera lasts for two long days"


def arm(root: Path, stage: str, texts: list[tuple[str, str]], file: str = candidates.TEXTS) -> Path:
    made = [Record(f"synthetic-{i:06d}", PrivateText(text), {"mood": mood}) for i, (text, mood) in enumerate(texts)]
    path = root / stage / file
    path.parent.mkdir(parents=True, exist_ok=True)
    records.write(path, made)
    return root / stage


def texts(found: candidates.Candidates) -> list[str]:
    return [record.text.reveal() for record in found.records]


def test_of_texts_that_are_alike_the_first_arm_s_stays_but_each_label_has_its_own(tmp_path: Path) -> None:
    arms = [
        arm(tmp_path, "11_generate.a", [(SENTENCE, "glad"), ("short and sweet", "sad")]),
        arm(tmp_path, "12_aug_pe.b", [(SENTENCE, "glad"), (SENTENCE, "sad"), (SENTENCE + " and nights", "glad")]),
    ]
    equal = candidates.gather(arms, CELLS, near_duplicate_similarity=1.0)
    assert texts(equal) == [SENTENCE, "short and sweet", SENTENCE, SENTENCE + " and nights"]
    assert equal.cells.tolist() == [0, 1, 1, 0]
    assert equal.sources == ["11_generate.a"] * 2 + ["12_aug_pe.b"] * 2
    assert equal.offered == {"11_generate.a": 2, "12_aug_pe.b": 3}
    assert len({record.id for record in equal.records}) == 4  # both arms have a synthetic-000000
    alike = candidates.gather(arms, CELLS, near_duplicate_similarity=0.7)
    assert texts(alike) == [SENTENCE, "short and sweet", SENTENCE]


def test_texts_of_earlier_iterations_are_candidates_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = arm(tmp_path, "12_aug_pe", [("the last vote chose this one", "glad")])
    arm(tmp_path, "12_aug_pe", [("an earlier vote chose that one", "glad")], "evolution/iteration-00.jsonl")
    assert len(candidates.gather([folder], CELLS, near_duplicate_similarity=1.0).records) == 1
    every = candidates.gather([folder], CELLS, near_duplicate_similarity=1.0, all_iterations=True)
    assert texts(every) == ["the last vote chose this one", "an earlier vote chose that one"]
    assert every.offered == {"12_aug_pe": 2}


def test_candidates_are_read_back_as_they_were_kept(tmp_path: Path) -> None:
    folder = arm(tmp_path, "11_generate.a", [(SENTENCE, "sad"), ("short and sweet", "glad")])
    found = candidates.gather([folder], CELLS, near_duplicate_similarity=1.0)
    records.write(tmp_path / candidates.FILE, found.records)
    again = candidates.read(tmp_path, CELLS)
    assert again.records == found.records and again.cells.tolist() == found.cells.tolist()
    assert again.generation == found.generation


@pytest.mark.parametrize("case", ["no file", "no texts"])
def test_arms_without_candidates_are_refused(tmp_path: Path, case: str) -> None:
    folder = arm(tmp_path, "11_generate.a", [])
    code = "methods.no_candidates"
    if case == "no file":
        (folder / candidates.TEXTS).unlink()
        code = "methods.input_without_texts"
    with refused(code, name="inputs"):
        candidates.gather([folder], CELLS, near_duplicate_similarity=1.0)
