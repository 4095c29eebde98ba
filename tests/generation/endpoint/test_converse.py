"""Converse's requests and replies, checked by botocore's own model of the API."""

from pathlib import Path

import pytest
from botocore.exceptions import ParamValidationError
from botocore.stub import Stubber
from support.aws import MODEL, configure
from support.endpoints import SAMPLING, asks
from support.errors import refused

from lib.generation.endpoint import converse
from lib.generation.endpoint.answer import Answer, BrokenReply
from lib.generation.endpoint.bedrock import BedrockServer
from lib.generation.endpoint.retries import Fault
from lib.generation.endpoint.servers import open_server
from lib.generation.engines.base import Completion, Request, Sampling
from lib.generation.rejection import rejection

USAGE = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
STOPS = {  # every stop reason: how the reply ended, and what becomes of it as a record
    "end_turn": (Completion("It is short.", 7, ended=True), None),
    "stop_sequence": (Completion("It is short.", 7, ended=True), None),
    "max_tokens": (Completion("It is short.", 7, ended=False), "truncated"),
    "model_context_window_exceeded": (Completion("It is short.", 7, ended=False), "truncated"),
    "guardrail_intervened": (Completion("It is short.", 7, ended=False, refused=True), "refusal"),
    "content_filtered": (Completion("It is short.", 7, ended=False, refused=True), "refusal"),
    "tool_use": (Completion("", 7, ended=True), "empty"),
    "malformed_tool_use": (Completion("", 7, ended=True), "empty"),
    "malformed_model_output": (Completion("", 7, ended=True), "empty"),
}


def reply(stop: object = "end_turn", *blocks: dict, usage: object = USAGE) -> dict:
    message = {"role": "assistant", "content": list(blocks) or [{"text": "It is short."}]}
    return {"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 3}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> BedrockServer:
    configure(monkeypatch, tmp_path)
    return open_server(MODEL)


def stubbed(server: BedrockServer, response: dict, prompt: int = 0) -> Answer:
    """The answer to a request where botocore checks both against its model of the API, and compares the request."""
    expected = {
        "modelId": MODEL.removeprefix("bedrock:"),
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "p0"}]}],
        "inferenceConfig": {"temperature": 1.0, "topP": 1.0, "maxTokens": 16},
    }
    with Stubber(server.client) as stub:
        stub.add_response("converse", response, expected)
        got = server.ask(asks(2)[prompt], server.fields(SAMPLING), seed=3)
        stub.assert_no_pending_responses()
    return got


@pytest.mark.parametrize("stop", STOPS)
def test_every_stop_reason_is_read(stop: str, server: BedrockServer):
    completion, rejected_as = STOPS[stop]
    assert stubbed(server, reply(stop)) == Answer(completion, prompt_tokens=5)
    assert rejection(completion, "p0", ()) == rejected_as


def test_these_are_all_the_stop_reasons_that_there_are(server: BedrockServer):
    shape = server.client.meta.service_model.operation_model("Converse").output_shape
    assert STOPS.keys() == set(shape.members["stopReason"].enum)


def test_an_unknown_stop_reason_is_judged_by_the_length(server: BedrockServer):
    assert stubbed(server, reply("unheard_of")).completion.ended
    assert not stubbed(server, reply("unheard_of", usage=USAGE | {"outputTokens": 16})).completion.ended


def test_of_the_blocks_the_texts_are_read(server: BedrockServer):
    reasoning = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    assert stubbed(server, reply("end_turn", reasoning, {"text": "It "}, {"text": "is."})).completion.text == "It is."


def test_the_stub_sees_a_request_and_a_reply_of_the_wrong_shape(server: BedrockServer):
    with pytest.raises(ParamValidationError):
        stubbed(server, reply() | {"output": {"message": {"role": "assistant", "content": "It is short."}}})
    with pytest.raises(Fault) as fault:
        stubbed(server, reply(), prompt=1)
    assert "StubAssertionError" in fault.value.described


@pytest.mark.parametrize(
    "broken", [{}, [], None, "text", {"output": {}}, {"output": {"message": {}}}, reply() | {"output": None}]
)
def test_what_is_no_reply_is_broken(broken: object):
    assert converse.read_reply(reply(), 16).completion.text  # the same whole
    with pytest.raises(BrokenReply):
        converse.read_reply(broken, 16)


def test_a_conversation_keeps_its_order_and_its_system_prompt_goes_apart():
    messages = (("system", "Be brief."), ("user", "a"), ("assistant", "b"), ("user", "c"))
    body = converse.request_body(Request(messages, 9), {"topP": 0.5})
    assert body["system"] == [{"text": "Be brief."}]
    assert [(turn["role"], turn["content"][0]["text"]) for turn in body["messages"]] == list(messages[1:])
    assert body["inferenceConfig"] == {"topP": 0.5, "maxTokens": 9}
    assert "system" not in converse.request_body(Request(messages[1:], 9), {})


def test_anthropics_models_get_only_what_differs_from_their_defaults():
    claude = "bedrock:us.anthropic.claude-haiku-4-5-20251001-v1:0"
    assert converse.inference_fields(Sampling(), claude) == {}
    assert converse.inference_fields(Sampling(temperature=0.5), claude) == {"temperature": 0.5}
    assert converse.inference_fields(Sampling(top_p=0.9), MODEL) == {"temperature": 1.0, "topP": 0.9}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("temperature", 1.2, "temperature_too_high"),
        ("top_k", 50, "sampling_unsupported"),
        ("repetition_penalty", 1.1, "sampling_unsupported"),
        ("no_repeat_ngram_size", 2, "sampling_unsupported"),
    ],
)
def test_a_parameter_that_converse_does_not_have_is_refused(name: str, value: float, code: str):
    with refused(f"generation.{code}", name=name, value=value):
        converse.inference_fields(Sampling(**{name: value}), MODEL)
