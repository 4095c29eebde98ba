"""Calls that pre-flight tells follow from what a model is asked to do."""

import pytest

from lib.sanitization.expected import ABSTRACT, SIDES, a_record, expected
from lib.sanitization.prompting import FILE

GIVEN = {
    "prompts": str(FILE), "samples": None, "chunk_characters": 512, "attributes": "given", "rewriter": "model",
    "passages": "places", "target_weights": "uniform", "guesser": "rules",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"attributes": "model"}, 1),
        ({"target_weights": "sensitivity"}, 1),
        ({"guesser": "model"}, SIDES),
        ({"passages": "model"}, 10),  # five targets in two chunks
    ],
)
def test_each_thing_that_a_model_does_adds_its_calls(changes: dict, more: int) -> None:
    before, after = a_record(GIVEN), a_record(GIVEN | changes)
    assert after.calls - before.calls == more
    assert after.prompt_tokens > before.prompt_tokens and after.completion_tokens > before.completion_tokens


def test_rules_ask_nothing_and_a_model_at_least_a_strategy_for_each_attribute_told_less_exactly() -> None:
    assert a_record(GIVEN | {"rewriter": "rules"}).calls == 0 and a_record(GIVEN).calls > ABSTRACT


@pytest.mark.parametrize(
    ("samples", "inputs", "records"),
    [(20, {}, 20), (None, {"records": {"samples": 50}}, 50), (20, {"records": {"samples": 10}}, 10), (None, {}, 1)],
)
def test_the_number_of_records_is_that_of_the_stage_or_of_its_input(samples: int, inputs: dict, records: int) -> None:
    assert expected(GIVEN | {"samples": samples}, inputs).calls == records * a_record(GIVEN).calls
