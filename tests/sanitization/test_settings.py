"""What a stage asks a model, and which files it reads."""

from lib.sanitization import guesses, instructions, rule_table, settings

PARAMETERS = {
    "attributes": "given", "passages": "places", "rewriter": "rules", "guesser": "rules", "target_weights": "uniform",
    "prompts": "prompts/sanitization/model.yaml",
}  # fmt: skip


def test_rules_ask_nothing():
    assert settings.expected_calls(PARAMETERS) == {} and not settings.asks_model(PARAMETERS)
    assert {rule_table.TABLE, instructions.FILE} <= set(settings.files(PARAMETERS))
    assert all(path.is_file() for path in settings.files(PARAMETERS))


def test_every_step_that_is_asked_is_counted_and_its_prompts_are_read():
    asked = PARAMETERS | {"rewriter": "model", "target_weights": "sensitivity", "guesser": "model"}
    calls = settings.expected_calls(asked)
    assert set(calls) == {"rank", "strategy", "abstract", "drop", "instruction", "guess"}
    assert 7 < sum(calls.values()) - calls["guess"] - calls["rank"] < 9
    assert guesses.FILE in settings.files(asked)
    assert set(settings.expected_calls(asked | {"attributes": "model", "passages": "model"})) - set(calls) == {
        "annotate",
        "passages",
    }
