"""The prompts of a new preset: of labels and a word for a record alone, and templates that hold together."""

import numpy as np
import pytest
from support.errors import refused
from support.project import ROOT

from lib.generation.prompt_file import PromptFile, load
from lib.models import templates
from lib.pipeline import new_prompts
from lib.pipeline.new_preset import as_yaml

DOMAIN = {"star_rating": ["1", "2"], "kind": ["Kind: a", "Kind: b"]}


def test_prompts_name_each_label_once() -> None:
    assert new_prompts.opening("customer review", {}) == "Customer review:"
    assert new_prompts.request("customer review", {}) == "Write one customer review."
    opening, request = new_prompts.opening("note", DOMAIN), new_prompts.request("note", DOMAIN)
    assert opening == "Note, star rating: {star_rating}, {kind}:"  # the values of kind name themselves
    assert request == "Write one note (star rating: {star_rating}, {kind})."
    for prompt in (opening, request):
        templates.check_labels(prompt, DOMAIN)


@pytest.mark.parametrize("what", ["customer review", "text", "back\\slash \\1", "Textbuch"])
def test_the_prompt_file_says_what_a_record_is(what: str, tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(as_yaml(new_prompts.prompt_file(what, ROOT, one_line=True), wide=True))
    prompts = load(path)
    prompts.check_labels(DOMAIN)
    assert prompts.one_line and prompts.about == what
    asked = _last(prompts.random({"kind": "a"}, np.random.default_rng(0), None))
    assert what.lower() in asked.lower() and "kind: a" in asked
    again = _last(prompts.rephrase("a synthetic text", {"kind": "a"}, np.random.default_rng(0), None))
    assert "a synthetic text" in again and what in again


def test_nothing_else_of_the_generic_file_changes() -> None:
    generic = load(ROOT / new_prompts.GENERIC)
    made = PromptFile.model_validate(new_prompts.prompt_file("text", ROOT, one_line=generic.one_line))
    assert made.model_copy(update={"about": generic.about}) == generic


@pytest.mark.parametrize("what", ["", " ", "a {text}", "[a]", "two\nlines", "\x1b[31m", "x" * 61])
def test_a_word_for_a_record_that_cannot_stand_in_a_template_is_refused(what: str) -> None:
    with refused("pipeline.what", name="--what"):
        new_prompts.check_what(what)


def _last(messages) -> str:
    return messages[-1][1]
