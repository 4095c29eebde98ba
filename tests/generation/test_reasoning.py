"""Reasoning before the answer: taken off where the answer is whole, else no answer; no tag is left."""

import pytest

from lib.generation.engines.base import Completion
from lib.generation.reasoning import opening_tag, without_reasoning
from lib.generation.rejection import rejection

ANSWER = "The cable is too short."
THOUGHT = "The user wants a review.\n\nI can't use markup, so <b> is out."


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
        f"<think>\n\n</think>\n\n{ANSWER}",
        f"{THOUGHT}\n</think>\n\n{ANSWER}",
        f"<think>first</think><think>{THOUGHT}</think>{ANSWER}",
        f"<think>The user wants </think> to be named.</think> {ANSWER}",
        f"<thinking>{THOUGHT}</thinking> {ANSWER}",
        f"<Reasoning>{THOUGHT}</Reasoning>\n{ANSWER}",
        f"<thought>{THOUGHT}</thought>{ANSWER}",
        f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
        f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
        f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
        f"<think>{THOUGHT}</think>\n<answer>\n{ANSWER}\n</answer>",
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
        f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|>\n<|begin_of_solution|>{ANSWER}<|end_of_solution|>",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
        f"<|channel|>analysis{THOUGHT}<|channel|>final<|message|>{ANSWER}<|return|>",
        f"<|start|>assistant<|channel|>final <|constrain|>text<|message|>{ANSWER}<|end|>",
        f"analysis{THOUGHT}assistantfinal{ANSWER}",
    ],
)
def test_of_a_whole_reply_the_answer_is_kept(reply: str) -> None:
    answer = without_reasoning(Completion(reply, 9, True))
    assert answer == Completion(ANSWER, 9, True)
    assert rejection(answer, "", []) is None


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>\n{THOUGHT}",
        "<think>",
        f"<think>first</think> no, <think>{THOUGHT}",
        f"[THINK]{THOUGHT}",
        f"<|channel|>analysis<|message|>{THOUGHT}",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>commentary<|message|>I will",
        f"analysis{THOUGHT}",
    ],
)
@pytest.mark.parametrize("ended", [True, False])
def test_reasoning_that_was_cut_off_leaves_no_answer(reply: str, ended: bool) -> None:
    cut = without_reasoning(Completion(reply, 9, ended))
    assert cut == Completion("", 9, False)
    assert rejection(cut, "", []) == "truncated"


@pytest.mark.parametrize(
    "text", [ANSWER, "", "I think > you think.", "analysis of the cable: it is short", "An analysis. The final say."]
)
def test_a_reply_without_tags_stays_as_it_is(text: str) -> None:
    for reply in (Completion(text, 9, True), Completion(text, 9, False), Completion(text, 0, True, refused=True)):
        assert without_reasoning(reply) is reply


def test_a_template_that_opens_the_reasoning_is_seen() -> None:
    assert opening_tag("<|im_start|>assistant\n<think>\n") == "<think>"
    assert opening_tag("<|im_start|>assistant\n<think>\n\n</think>\n\n") == ""
    assert opening_tag("Say <think> to me.<|im_end|>\n<|im_start|>assistant\n") == ""
