"""Prompts for texts with slots: classes, field, style and a public example are in them, and nothing is left open."""

import re
from pathlib import Path

import pytest
from support.errors import refused
from support.pii_writing import plan_of, real
from support.project import ROOT

from lib.pii.classes import classes
from lib.pii.slots import parse
from lib.pii.writing.prompting import FILE, MORE, Prompts

GRAMMAR = real()


def test_a_request_has_all_that_the_model_needs() -> None:
    prompts, plan = Prompts(ROOT / FILE, GRAMMAR), plan_of(8, fields=list(GRAMMAR.fields), mode="random")
    for number in range(8):
        task = plan.task(number)
        asked = prompts.request(plan, task)
        (system, _), (user, content) = asked.messages
        assert (system, user) == ("system", "user") and asked.example in content
        assert not re.search(r"\{\w+\}", content)
        (listed,) = re.findall(r"some of these placeholders: (.*)\.\n", content)
        assert {slot.name for slot in parse(listed, classes()).slots} == asked.classes
        shown = {slot.name for slot in parse(asked.example, classes()).slots}
        assert shown <= asked.classes <= classes().keys() and len(asked.classes) >= MORE
        assert not parse(asked.example, classes()).faults


def test_requests_differ_and_are_the_same_again() -> None:
    prompts, plan = Prompts(ROOT / FILE, GRAMMAR), plan_of(8)
    made = [prompts.request(plan, plan.task(number)) for number in range(8)]
    assert len(set(made)) == 8 and made == [prompts.request(plan, plan.task(number)) for number in range(8)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("system: s\nuser: '{field} {style} {classes}'", "pii.prompt_place"),
        ("user: '{field} {style} {classes} {example}'", "pii.file_shape"),
        ("system: s\nuser: '{field} {style} {classes} {example}'\nshots: []", "pii.file_shape"),
    ],
)
def test_a_file_that_cannot_ask_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with refused(code):
        Prompts(tmp_path / "x.yaml", GRAMMAR)
