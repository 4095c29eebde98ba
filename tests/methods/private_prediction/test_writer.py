"""From parameters to texts: the clip, what becomes of tokens, and the key that is drawn once."""

import math
from dataclasses import replace

import pytest

from lib.generation.prompt_file import PromptFile
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.writer import Writer, kept_key

PARAMETERS = {
    "temperature": 0.8,
    "expected_batch": 3.0,
    "top_k": 20,
    "top_k_margin": 0.5,
    "max_new_tokens": 7,
    "batch_size": 4,
}
CELLS = [{"mood": "good"}]


def test_the_rule_has_the_clip_that_the_noise_leaves(writer):
    rule = writer.rule(PARAMETERS, 4.0)
    assert rule.clip == pytest.approx(0.8 * 3 / 4) and rule.margin == pytest.approx(rule.clip / 3)
    assert (rule.divisor, rule.texts_at_once) == (3.0, 4)  # three blocks of four contexts, three for a text
    assert rule.stops == writer.ends and (rule.max_new_tokens, rule.rows) == (7, 4)
    assert (writer.rule(PARAMETERS, None).clip, writer.rule(PARAMETERS, None).margin) == (math.inf, 0)


def written(writer: Writer, text: str, *, end: bool, trim: bool = True):
    ids = writer.requests.tokenizer(text, add_special_tokens=False).input_ids
    ids = [*ids, writer.requests.tokenizer.eos_token_id] if end else ids
    return writer.texts([ids], [Batch(0, 0)], CELLS, trim=trim)


@pytest.mark.parametrize(
    ("text", "end", "trim", "kept", "reason"),
    [
        ("The box came late.", True, False, "The box came late.", None),
        ("The box came late. It was", False, True, "The box came late.", None),
        ("The box came late. It was", False, False, None, "truncated"),
        ("The box came", False, True, None, "truncated"),
        ("  ", True, True, None, "empty"),
        ("One good text. again", True, True, None, "echo of the prompt"),
    ],
)
def test_what_becomes_of_a_text(writer, text, end, trim, kept, reason):
    draws = written(writer, text, end=end, trim=trim)
    assert draws.items == ({} if kept is None else {0: kept})
    assert dict(draws.rejected) == ({} if reason is None else {reason: 1})


def test_a_text_of_one_line_ends_at_its_first_line_break(writer):
    (line_break,) = writer.requests.tokenizer("\n", add_special_tokens=False).input_ids
    lines = Writer(writer.model, writer.requests, writer.ends, frozenset([line_break]))
    assert line_break in lines.rule(PARAMETERS, 4.0).stops
    draws = written(lines, "The box came late.\n", end=False)
    assert draws.items == {0: "The box came late."} and draws.first_lines == 1


def test_a_key_is_drawn_once_for_a_run(tmp_path):
    first = kept_key(tmp_path / "a", None)
    assert kept_key(tmp_path / "a", None) == first != kept_key(tmp_path / "b", None)
    assert kept_key(tmp_path / "c", 5) == kept_key(tmp_path / "d", 5)


def test_with_a_prompt_file_texts_are_cleaned_and_its_examples_are_none(writer):
    shots = [{"labels": {"mood": "good"}, "text": "The box came late."}]
    one = {"random": ["A {mood} text:"], "rephrase": ["{text}"], "fill": ["{text}"], "shots": shots}
    prompts = PromptFile.model_validate({"about": "x", "labels": ["mood"], "one_line": True} | one)
    asking = replace(writer, requests=replace(writer.requests, prompts=prompts))
    assert written(asking, 'Review: "It came at noon."', end=True).items == {0: "It came at noon."}
    assert dict(written(asking, "the box came late", end=True).rejected) == {"copy of an example": 1}
