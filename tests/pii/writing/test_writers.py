"""The writers of a stage: what each reads, and what it gives to be filled."""

from pathlib import Path

import pytest
from support.pii_writing import Scripted, real
from support.project import ROOT

from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.pii.writing import parts, writers
from lib.stage.parameters import read_spec

DEFAULTS = {name: given.default for name, given in read_spec(ROOT / "notebooks/40_pii_text.ipynb").items()}


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_files_that_are_no_modules_are_named_by_writer() -> None:
    grammar, model, arm = (
        {path.as_posix() for path in writers.files({"writer": writer, "prompts": "prompts/pii/model.yaml"})}
        for writer in ("grammar", "model", "arm")
    )
    tables = {"lib/pii/classes.csv", "lib/pii/locales.csv", "lib/pii/places.csv", "lib/pii/words.yml"}
    assert tables < grammar and "prompts/pii/grammar/styles.yaml" in grammar
    assert model == grammar | {"prompts/pii/brackets.yaml", "prompts/pii/model.yaml"}
    assert arm == tables | {"prompts/pii/brackets.yaml"}
    assert all(Path(name).is_file() for name in model)


def test_the_tables_of_lib_pii_are_all_named() -> None:
    beside = {path.name for path in (ROOT / "lib/pii").iterdir() if path.suffix not in ("", ".py")}
    assert beside == set(writers.TABLES)


def test_the_grammar_writes_while_texts_are_filled(tmp_path: Path) -> None:
    texts = writers.slot_texts(DEFAULTS | {"samples": 99}, real(), arm=None, folder=tmp_path)
    assert texts.written is None and texts.plan.samples == 99


def test_an_arm_s_texts_are_filled_with_their_own_labels(tmp_path: Path) -> None:
    given = [
        Record(f"r{i}", PrivateText(text), {"mood": "glad"}) for i, text in enumerate(["[EMAIL] [laughs]", "none"])
    ]
    records.write(tmp_path / "synthetic.jsonl", given)
    texts = writers.slot_texts(DEFAULTS | {"writer": "arm"}, real(), arm=tmp_path, folder=tmp_path)
    (row,) = parts.write_set(texts.plan, tmp_path / "parts", **texts.filling)
    assert row.id == "synthetic-000000" and row.labels == {"mood": "glad"} and "[laughs]" in row.filled.text
    assert texts.written.rejected == {"no slot": 1}
    first = writers.slot_texts(DEFAULTS | {"writer": "arm", "samples": 1}, real(), arm=tmp_path, folder=tmp_path)
    assert first.plan.samples == 1


def test_a_model_s_texts_are_filled_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Scripted(*["My name, [FIRSTNAME] [LASTNAME], is on it."] * 50)
    monkeypatch.setattr(writers, "open_chat", lambda *args, **settings: model)
    chosen = {
        "writer": "model",
        "model": "bundled:tiny-random",
        "samples": 2,
        "fields": ["bank"],
        "styles": ["chat", "note"],
    }
    texts = writers.slot_texts(DEFAULTS | chosen, real(), arm=None, folder=tmp_path)
    made = parts.write_set(texts.plan, tmp_path / "parts", **texts.filling)
    assert len(made) == 2 and {row.labels["style"] for row in made} == {"chat", "note"}
    assert texts.usage is model.usage and made[0].template == made[1].template
