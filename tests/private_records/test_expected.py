"""Calls and tokens that pre-flight tells are those that a record takes."""

import pytest

from lib.private_records.expected import a_record, expected
from lib.private_records.pipeline import Recipe, expected_calls
from lib.private_records.prompting import FILE, Prompts

GIVEN = {"prompts": str(FILE), "samples": 100, "revisions": 2, "type_and_format": True, "ablation": 0}


@pytest.mark.parametrize("revisions", [0, 1, 2, 5])
@pytest.mark.parametrize("type_and_format", [True, False])
def test_a_record_takes_the_calls_of_its_steps(revisions: int, type_and_format: bool) -> None:
    one = a_record(Prompts(), Recipe(revisions=revisions, type_and_format=type_and_format))
    assert one.calls == expected_calls(revisions, type_and_format)
    assert one.prompt_tokens > one.calls and one.completion_tokens > one.calls


def test_a_set_takes_13_calls_a_record_and_the_comparison_its_own() -> None:
    assert expected(GIVEN, {}).calls == 1300
    assert expected(GIVEN | {"ablation": 10}, {}).calls == 1300 + 10 * (13 + 13 + 9 + 11)
    assert expected(GIVEN | {"ablation": 1000}, {}).calls == 1300 + 100 * (13 + 13 + 9 + 11)
