"""Sets of records: the same bytes with any number of workers, behind a kill, and every record once."""

import pytest
from support.letters import Answers, hide, letter

from lib.common.errors import DoppelError
from lib.generation.engines.base import Sampling
from lib.sanitization import schema
from lib.sanitization.annotators import Given
from lib.sanitization.blocks import sanitize_set
from lib.sanitization.case import Original
from lib.sanitization.model_rewriter import Model
from lib.sanitization.prompting import Prompts
from lib.sanitization.rules import Rules
from lib.sanitization.sanitize import Sanitizer

LETTERS = [letter(f"record-{number}") for number in range(23)]


def by_rules() -> Sanitizer:
    return Sanitizer(Given(), Rules(), "sensitivity")


def write(folder, originals=LETTERS, make=by_rules, model=None, **given):
    settings = {"model": model, "sampling": Sampling(), "block": 5, "folder": folder} | given
    return sanitize_set(originals, make, **settings)


def in_file(made, path):
    schema.write(path, made.records)
    return path.read_bytes()


def test_every_letter_is_sanitized_and_tells_no_target(tmp_path):
    made = write(tmp_path)
    assert len(made.records) == len(LETTERS) and not made.failed and not made.calls
    assert [one.id for one in made.records] == [one.id for one in LETTERS]
    assert len({one.sanitized for one in made.records}) > 8
    assert str(made) == "23 of 23 records; failed: none"


def test_bytes_do_not_depend_on_workers_or_blocks(tmp_path):
    alone = in_file(write(tmp_path / "a"), tmp_path / "a.jsonl")
    assert alone == in_file(write(tmp_path / "b", workers=2), tmp_path / "b.jsonl")
    assert alone == in_file(write(tmp_path / "c", block=23), tmp_path / "c.jsonl")


def test_a_killed_run_goes_on_behind_its_last_whole_block(tmp_path):
    class Killed(Exception):
        pass

    def kill(records):
        if len(list((tmp_path / "a").glob("block-*.json"))) == 3:
            raise Killed

    with pytest.raises(Killed):
        write(tmp_path / "a", progress=kill)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").iterdir()}
    counted = []
    made = in_file(write(tmp_path / "a", progress=counted.append), tmp_path / "a.jsonl")
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert counted == [15, 5, 3] and made == in_file(write(tmp_path / "b"), tmp_path / "b.jsonl")


def test_a_record_without_attributes_fails_alone(tmp_path):
    made = write(tmp_path, [*LETTERS[:2], Original("empty", ""), Original("plain", "Nothing is told.")])
    assert [(one.id, one.step, one.reasons) for one in made.failed] == [
        ("empty", "attributes", ("none in the text",)),
        ("plain", "attributes", ("none in the text",)),
    ]
    assert len(made.records) == 2 and made.require() is made


def test_nothing_at_all_is_refused(tmp_path):
    with pytest.raises(DoppelError) as refusal:
        write(tmp_path, [Original("empty", "")]).require()
    assert (refusal.value.code, refusal.value.value) == ("sanitization.nothing_written", 1)


def test_equal_ids_are_refused(tmp_path):
    with pytest.raises(DoppelError) as refusal:
        write(tmp_path, [LETTERS[0], LETTERS[0]])
    assert refusal.value.code == "sanitization.repeated_id"


def test_with_a_model_every_record_ends_once_and_calls_are_counted(tmp_path):
    bad = {"record-3", "record-7"}
    model = Answers(abstract=lambda asked: "" if any(one in asked for one in bad) else hide("something")(asked))
    originals = [
        Original(one.id, f"{one.text}\nNo. {one.id}", one.labels, one.attributes, one.groups) for one in LETTERS
    ]
    made = write(tmp_path, originals, lambda: Sanitizer(Given(), Model(Prompts(), 2)), model)
    assert len(made.records) + len(made.failed) == len(LETTERS)
    assert made.calls == model.asked and made.calls["instruction"] == len(made.records)
