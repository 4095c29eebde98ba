"""A batch for Bedrock: requests are written, the stage stops with what comes next, and the output is read."""

from collections import Counter
from pathlib import Path

import pytest
from support import batches
from support.aws import MODEL
from support.errors import refused
from support.pii_writing import plan_of, real
from support.project import ROOT

from lib.generation.endpoint.bedrock_batch import Batch
from lib.generation.engines.base import Request, Sampling
from lib.pii.classes import classes
from lib.pii.detectors.rules import Rules
from lib.pii.slots import parse, read_brackets
from lib.pii.writing import batch
from lib.pii.writing.prompting import FILE, Prompts
from lib.pii.writing.writers import BRACKETS

PROMPTS, PLAN, SAMPLING = Prompts(ROOT / FILE, real()), plan_of(100), Sampling(max_new_tokens=99)
TABLE = read_brackets(ROOT / BRACKETS, classes())


def take(folder: Path, sampling: Sampling = SAMPLING):
    return batch.take(
        folder, PROMPTS, PLAN, sampling, MODEL, detector=Rules("en_US"), brackets=TABLE, prices={"input": 1.0}
    )


def the_batch() -> tuple[Batch, list]:
    asked = [PROMPTS.request(PLAN, PLAN.task(number)) for number in range(PLAN.samples)]
    return Batch([Request(one.messages, SAMPLING.max_new_tokens) for one in asked], SAMPLING, MODEL), asked


def test_the_stage_stops_with_the_commands_that_come_next(tmp_path: Path) -> None:
    with refused("pii.batch_waits", name="writer", value="batch") as error:
        take(tmp_path)
    assert "aws bedrock create-model-invocation-job" in error.value.sentence
    files = {path.name: path.read_bytes() for path in (tmp_path / "requests").iterdir()}
    with refused("pii.batch_waits"):
        take(tmp_path)
    assert files and files == {path.name: path.read_bytes() for path in (tmp_path / "requests").iterdir()}


def test_replies_are_joined_in_any_order_and_what_cannot_be_taken_is_counted(tmp_path: Path) -> None:
    sent, asked = the_batch()
    rows = batches.rows(sent)
    for row in rows:
        number = int(row["recordId"][-6:])
        name = sorted(asked[number].classes)[0]
        row["modelOutput"] = batches.reply(f"Text {number} has [{name}].")
    places = {int(row["recordId"][-6:]): row for row in rows}
    places[1]["modelOutput"] = batches.reply("Dear [Madam], none.")
    places[2]["modelOutput"] = batches.reply("Text 2", stop="max_tokens")
    places[3] |= {"error": {"errorCode": "ThrottlingException", "errorMessage": "x"}, "modelOutput": None}
    kept = [row for row in rows if not row["recordId"].endswith("000004")]
    batches.leave(tmp_path, kept)
    written, counts = take(tmp_path)
    assert [number for number, text in enumerate(written.texts) if text is None] == [1, 2, 3, 4]
    assert written.rejected == Counter({"unresolved": 1, "truncated": 1, "error ThrottlingException": 1, "missing": 1})
    assert all(f"Text {number} has [" in text.text for number, text in enumerate(written.texts) if text)
    assert all(parse(text.text, classes()).slots for text in written.texts if text)
    assert counts.answered == 98 and counts.usage.cost > 0


def test_output_of_another_job_is_refused(tmp_path: Path) -> None:
    batches.leave(tmp_path, batches.rows(the_batch()[0]))
    with refused("generation.batch_of_another_job", value=100):
        take(tmp_path, Sampling(max_new_tokens=99, seed=1))


def test_the_folder_lies_outside_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = batch.folder_of("pii", "40_pii_text.x")
    assert folder.parts[-3:] == ("batches", "pii", "40_pii_text.x") and "results" not in folder.parts
