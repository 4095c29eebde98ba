"""Requests and replies of InvokeModel: Anthropic's form and Nova's, and no third one is guessed."""

import pytest
from support.errors import refused

from lib.generation.endpoint import invoke_model
from lib.generation.endpoint.answer import Answer, BrokenReply
from lib.generation.engines.base import Completion, Request

CLAUDE, NOVA = "bedrock:us.anthropic.claude-3-haiku-20240307-v1:0", "bedrock:amazon.nova-pro-v1:0"
ASKED = Request((("system", "Be short."), ("user", "One?"), ("assistant", "Two."), ("user", "Three?")), 20)


def test_a_request_in_anthropics_form() -> None:
    assert invoke_model.request_body(ASKED, {"temperature": 0.5, "topP": 0.9}, CLAUDE) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 20,
        "messages": [
            {"role": role, "content": [{"type": "text", "text": text}]}
            for role, text in (("user", "One?"), ("assistant", "Two."), ("user", "Three?"))
        ],
        "system": [{"type": "text", "text": "Be short."}],
        "temperature": 0.5,
        "top_p": 0.9,
    }
    alone = invoke_model.request_body(Request((("user", "One?"),), 20), {}, CLAUDE)
    assert alone.keys() == {"anthropic_version", "max_tokens", "messages"}


def test_a_request_in_novas_form_is_converses_with_a_version() -> None:
    body = invoke_model.request_body(ASKED, {"topP": 0.9}, NOVA)
    assert body["schemaVersion"] == "messages-v1" and body["system"] == [{"text": "Be short."}]
    assert body["inferenceConfig"] == {"topP": 0.9, "maxTokens": 20}


def reply(*blocks: dict, **more: object) -> dict:
    usage = {"input_tokens": 9, "output_tokens": 4}
    return {"content": list(blocks), "stop_reason": "end_turn", "usage": usage} | more


def test_the_text_of_a_reply_is_that_of_its_text_blocks() -> None:
    got = invoke_model.read_reply(
        reply({"type": "thinking", "text": "Hm."}, {"type": "text", "text": "It "}, {"type": "text", "text": "is."}),
        20,
        CLAUDE,
    )
    assert got == Answer(Completion("It is.", 4, ended=True), 9)
    assert not invoke_model.read_reply(reply(stop_reason="max_tokens"), 20, CLAUDE).completion.ended
    assert invoke_model.read_reply(reply(stop_reason="refusal"), 20, CLAUDE).completion.refused
    nova = {"output": {"message": {"content": [{"text": "It is."}]}}, "stopReason": "end_turn"}
    assert invoke_model.read_reply(nova, 20, NOVA).completion.text == "It is."


@pytest.mark.parametrize("broken", [None, [], {}, {"content": "It is."}, {"content": [{"text": 3}]}])
def test_what_is_of_another_form_is_no_reply(broken: object) -> None:
    with pytest.raises(BrokenReply):
        invoke_model.read_reply(broken, 20, CLAUDE)
    with pytest.raises(BrokenReply):
        invoke_model.read_reply(broken, 20, NOVA)


def test_a_model_of_another_maker_is_refused() -> None:
    invoke_model.check_model(CLAUDE)
    invoke_model.check_model(NOVA)
    with refused("generation.invoke_model_unknown", name="model", value="bedrock:meta.llama3-8b-instruct-v1:0"):
        invoke_model.check_model("bedrock:meta.llama3-8b-instruct-v1:0")
