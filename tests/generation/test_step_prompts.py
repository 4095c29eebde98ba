"""A step's places are filled in once, and a file with other steps than it must have is told apart."""

import pytest
from pydantic import ValidationError

from lib.generation.step_prompts import Step, Unlike, unlike

STEP = Step(temperature=0.5, max_new_tokens=9, ask="Write {kind} as {who}; keep {kind} and {more} and {}.")


def test_places_are_filled_and_what_fills_them_has_none() -> None:
    assert STEP.places == {"kind", "who", "more"}
    call = STEP.call("draft", "Be short.", {"kind": "a {who}", "who": "Ann"})
    assert call.messages == (
        ("system", "Be short."),
        ("user", "Write a {who} as Ann; keep a {who} and {more} and {}."),
    )
    assert (call.step, call.max_new_tokens, call.temperature) == ("draft", 9, 0.5)


@pytest.mark.parametrize(
    "changes", [{"ask": ""}, {"temperature": -0.1}, {"temperature": 5.5}, {"max_new_tokens": 0}, {"top_p": 1.0}]
)
def test_a_step_out_of_its_range_or_with_another_key_is_refused(changes: dict) -> None:
    with pytest.raises(ValidationError):
        Step(**{"temperature": 1.0, "max_new_tokens": 9, "ask": "Write."} | changes)


def test_steps_too_many_and_too_few_are_named() -> None:
    assert list(unlike(["draft", "check"], ["draft", "check"], "prompts/x.yaml")) == []
    wrong = list(unlike(["drafft", "check"], ["draft", "check"], "prompts/x.yaml"))
    assert wrong == [
        Unlike("drafft", "no step", "did you mean draft?"),
        Unlike("draft", "missing", "see prompts/x.yaml"),
    ]
