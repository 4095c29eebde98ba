"""Calls and tokens that pre-flight tells follow from what a model is asked to do."""

import pytest

from lib.sanitization.expected import expected
from lib.sanitization.prompting import FILE
from lib.sanitization.settings import expected_calls

GIVEN = {
    "prompts": str(FILE), "samples": None, "chunk_characters": 512, "attributes": "given", "rewriter": "model",
    "passages": "places", "target_weights": "uniform", "guesser": "rules",
}  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{"attributes": "model"}, {"target_weights": "sensitivity"}, {"guesser": "model"}, {"passages": "model"}]
)
def test_each_thing_that_a_model_does_adds_calls_and_tokens(changes: dict) -> None:
    before, after = (expected(GIVEN | more | {"samples": 100}, {}) for more in ({}, changes))
    more = sum(expected_calls(GIVEN | changes).values()) - sum(expected_calls(GIVEN).values())
    assert after.calls - before.calls == pytest.approx(100 * more, abs=3) and more > 0
    assert after.prompt_tokens > before.prompt_tokens and after.completion_tokens > before.completion_tokens


def test_rules_ask_nothing() -> None:
    assert expected(GIVEN | {"rewriter": "rules"}, {}).calls == 0


@pytest.mark.parametrize(
    ("samples", "inputs", "records"),
    [(20, {}, 20), (None, {"records": {"samples": 50}}, 50), (20, {"records": {"samples": 10}}, 10), (None, {}, 1)],
)
def test_the_number_of_records_is_that_of_the_stage_or_of_its_input(samples: int, inputs: dict, records: int) -> None:
    found = expected(GIVEN | {"samples": samples}, inputs)
    assert found.calls == pytest.approx(records * sum(expected_calls(GIVEN).values()), abs=3)
