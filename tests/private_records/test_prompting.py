"""Prompt files are checked step by step, and what a model is told of a person has no slot."""

from pathlib import Path

import pytest
from support.errors import refused
from support.record_toys import tasks

from lib.private_records import prompting
from lib.private_records.fields import fields
from lib.private_records.prompting import FILE, PLACES, Prompts
from lib.private_records.schema import Attribute


def changed(folder: Path, old: str, new: str) -> Path:
    path, text = folder / "model.yaml", FILE.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize("old, new, name", [("  judge:", "  juge:", "juge"), ("  group:", "  gruop:", "gruop")])
def test_an_unknown_step_is_refused(tmp_path: Path, old: str, new: str, name: str) -> None:
    with refused("private_records.prompt_step", name=name):
        Prompts(changed(tmp_path, old, new))


def test_a_missing_step_is_refused(tmp_path: Path) -> None:
    text = FILE.read_text()
    (tmp_path / "model.yaml").write_text(text[: text.index("\n  group:")] + "\n")
    with refused("private_records.prompt_step", name="group"):
        Prompts(tmp_path / "model.yaml")


@pytest.mark.parametrize(
    "old, new, name", [("Version B:\n      {second}", "Version B:", "second"), ("{titles}", "{titles} {mood}", "mood")]
)
def test_a_place_that_is_missing_or_unknown_is_refused(tmp_path: Path, old: str, new: str, name: str) -> None:
    with refused("private_records.prompt_place", name=name):
        Prompts(changed(tmp_path, old, new))


def test_every_place_of_a_request_is_filled() -> None:
    for step, (needed, allowed) in PLACES.items():
        call = Prompts().call(step, **{name: f"<{name}>" for name in needed | allowed})
        asked = call.messages[-1][1]
        assert call.step == step and not [name for name in needed | allowed if f"{{{name}}}" in asked]
        assert all(f"<{name}>" in asked for name in needed)


def test_a_model_is_told_nothing_that_has_a_slot() -> None:
    for task in tasks(5):
        told = prompting.facts(task)
        assert not set(told) & {field.name for field in fields().values()}
        assert not {task.known["first_name"], task.known["date_of_birth"], task.known["age"]} & set(told.values())
        assert told["pronouns"][:2] == {"female": "sh", "male": "he"}[task.known["sex"]]


def test_a_value_in_a_slot_is_told_by_what_it_is() -> None:
    named = [Attribute("email_2", "jo@acme.org", "text", True, label="EMAIL"), Attribute("cost", "$3", "event", False)]
    assert prompting.listed_attributes(named) == "- email_2: e-mail address\n- cost: $3"
