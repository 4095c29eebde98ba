"""Calls that pre-flight tells are those that a set takes."""

from lib.private_records.expected import expected
from lib.private_records.prompting import FILE

GIVEN = {"prompts": str(FILE), "samples": 100, "revisions": 2, "type_and_format": True, "ablation": 0}


def test_a_set_takes_13_calls_a_record_and_the_comparison_its_own() -> None:
    assert expected(GIVEN, {}).calls == 1300
    assert expected(GIVEN | {"ablation": 10}, {}).calls == 1300 + 10 * (13 + 9 + 11)
    assert expected(GIVEN | {"ablation": 1000}, {}).calls == 1300 + 100 * (13 + 9 + 11)


def test_tokens_grow_with_the_records() -> None:
    one, ten = expected(GIVEN | {"samples": 1}, {}), expected(GIVEN | {"samples": 10}, {})
    assert one.prompt_tokens > one.completion_tokens > 0
    assert (ten.prompt_tokens, ten.completion_tokens) == (10 * one.prompt_tokens, 10 * one.completion_tokens)
