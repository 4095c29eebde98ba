"""A model that guesses: what it is asked, what of its replies is read, and what comes of those that cannot be read."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from support.errors import refused
from support.project import ROOT
from support.sanitized_toys import CLEAN, TEXT, VALUES, record

from lib.generation.engines.base import Completion, Sampling, Usage
from lib.sanitization import guesses, rates
from lib.sanitization.guesses import ModelGuesser, guess_all

PROMPTS = ROOT / guesses.FILE
RECORD = record(CLEAN, ("age", "diagnosis"))


class Model:
    """Answers with what a function makes of the request's text."""

    name = "toy"

    def __init__(self, said: Callable[[str], str]):
        self.said, self.usage, self.asked = said, Usage(), []

    def reply(self, requests, sampling, failed=None) -> Iterator[tuple[int, Completion]]:
        for position, request in enumerate(requests):
            self.asked.append(request.messages)
            yield position, Completion(self.said(request.messages[-1][1]), 5, ended=True)


def guessed(said: Callable[[str], str], records=(RECORD,), tries: int = 2):
    model = Model(said)
    return guess_all(records, ModelGuesser("toy", tries, PROMPTS), model, Sampling()), model


def reader(text: str) -> str:
    """Reads what still stands there, and else guesses from *illness* and *middle-aged*."""
    guess = {
        "age": "42" if "aged 42" in text else "in their forties" if "middle-aged" in text else "",
        "diagnosis": VALUES["diagnosis"][0] if "illness" in text or "leukemia" in text else None,
        "escort": "brother" if "brother" in text else "",
    }
    return json.dumps(guess)


def test_a_guess_from_each_text_is_told_the_names_alone():
    made, model = guessed(reader)
    assert len(model.asked) == 3 and made.calls == {"guess": 3}
    contents = [messages[-1][1] for messages in model.asked]
    assert [TEXT in content for content in contents] == [True, False, False]
    assert all("- age\n- diagnosis\n- escort" in content for content in contents)
    assert "full_name" not in contents[0], "what may stay or go is not asked for"
    hidden = [value for name, (value, _) in VALUES.items() if name != "escort" and len(value) > 2]
    assert not any(value in content for value in hidden for content in contents[1:])


def test_what_is_guessed_beside_the_original_and_with_all_masked():
    made, _ = guessed(reader)
    found = {(row.side, row.name): row.leak for row in rates.check([RECORD], made) if not row.kept}
    assert found == {
        ("unsanitized", "age"): "direct", ("unsanitized", "diagnosis"): "direct",
        ("sanitized", "age"): "none", ("sanitized", "diagnosis"): "inferred",
        ("masked", "age"): "none", ("masked", "diagnosis"): "none",
    }  # fmt: skip
    near, _ = guessed(lambda text: reader(text).replace("in their forties", "41"))
    assert {row.leak for row in rates.check([RECORD], near) if (row.side, row.name) == ("sanitized", "age")} == {
        "proximity"
    }


@pytest.mark.parametrize(
    "wrap",
    [
        "{}", "Here it is: {}", "```json\n{}\n```", '{{"guesses": {}}}', "<think>Who is it?</think>{}",
    ],
)  # fmt: skip
def test_a_reply_is_read_in_whatever_dress(wrap):
    made, _ = guessed(lambda text: wrap.format('{"Age": 42, "DIAGNOSIS": ["a", "b"], "more": "x"}'))
    assert made.made["record-1", "sanitized"] == {"age": "42", "diagnosis": "a, b", "escort": ""}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [("I cannot know.", "not JSON"), ('{"name": "x"}', "other names"), ('{"age": 1, "age": 2}', "a key twice")],
)
def test_without_a_reply_that_can_be_used_the_leak_is_unknown_and_not_none(reply, reason):
    other = replace(RECORD, id="record-2", sanitized=RECORD.sanitized.replace("number", "phone"))
    made, _ = guessed(lambda text: reader(text) if "There is a phone" in text else reply, [RECORD, other], tries=3)
    assert made.failures["record-1", "sanitized"].reasons == (reason,) * 3
    assert sorted(made.made) == [("record-2", "sanitized")]
    rows = rates.check([RECORD, other], made)
    assert {row.leak for row in rows if row.id == "record-1" and not row.kept} == {"unknown", "direct"}
    assert {(row.side, row.readable) for row in rows if row.kept and row.id == "record-1"} == {
        ("unsanitized", True), ("sanitized", True), ("masked", False),
    }  # fmt: skip
    assert rates.unknown(rows) == 6, "two targets of one record sanitized, and of both masked"
    assert [rate.records for rate in rates.rates(rows) if (rate.side, rate.metric) == ("sanitized", "records")] == [1]


def test_a_prompt_without_a_place_is_refused(tmp_path):
    path = tmp_path / "guess.yaml"
    path.write_text(PROMPTS.read_text().replace("{attributes}", "the attributes"))
    with refused("sanitization.prompt_place", name="attributes"):
        ModelGuesser("toy", path=path)
