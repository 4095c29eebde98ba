"""Models on Bedrock: what pre-flight finds missing, and a loopback server that throttles, breaks off and answers."""

import io
import json
import logging
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from support.aws import MODEL, SECRET, TOKEN, configure
from support.chat_server import ChatServer, aws_error, conversed, drop, hang, page
from support.endpoints import KEY, SAMPLING, asks, one_try_each, replies
from support.errors import refused
from urllib3 import HTTPResponse

from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.endpoint.servers import open_server
from lib.generation.engines.base import Completion, Usage

PASSING = {  # faults that a second try may not meet again, and how a lasting one is told
    "throttled": (aws_error(429, "ThrottlingException"), "HTTP 429 (ThrottlingException)"),
    "asked to wait": (aws_error(429, "ThrottlingException", Retry_After=7), "asks to wait 7 s"),
    "not ready": (aws_error(429, "ModelNotReadyException"), "HTTP 429 (ModelNotReadyException)"),
    "model slow": (aws_error(408, "ModelTimeoutException"), "HTTP 408 (ModelTimeoutException)"),
    "model failed": (aws_error(424, "ModelErrorException"), "HTTP 424 (ModelErrorException)"),
    "500": (aws_error(500, "InternalServerException"), "HTTP 500 (InternalServerException)"),
    "503": (aws_error(503, "ServiceUnavailableException"), "HTTP 503 (ServiceUnavailableException)"),
    "slow": (hang, "no reply within timeout = 0.5 s"),
    "dropped": (drop, "the connection was refused or dropped"),
    "cut": (page(b'{"output"', Content_Length=500), "a reply that is not a chat completion"),
    "no JSON": (page(b"{"), "a reply that is not a chat completion"),
    "a page": (page(b"<html>Sign in</html>", Content_Type="text/html"), "a reply that is not a chat completion"),
    "a list": (page(b'["fine"]'), "a reply that is not a chat completion"),
    "not UTF-8": (page(b'{"output": "\xff"}'), "a reply that is not a chat completion"),
    "no message": (conversed(output={}), "a reply that is not a chat completion"),
    "wrong shape": (conversed(output={"message": {"content": "fine"}}), "a reply that is not a chat completion"),
}
FINAL = {
    "parameters": (aws_error(400, "ValidationException", "p1 is wrong"), "HTTP 400 (ValidationException)"),
    "access": (aws_error(403, "AccessDeniedException"), "check that the model is enabled"),
    "credentials": (aws_error(403, "UnrecognizedClientException"), "HTTP 403 (UnrecognizedClientException)"),
    "unknown": (aws_error(404, "ResourceNotFoundException"), "check the model's ID"),
    "words": (aws_error(400, "Say p1 again"), "failed: HTTP 400 (max_retries"),
    "tomorrow": (aws_error(429, "ThrottlingException", Retry_After=86400), "asks to wait 86400 s"),
}


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configure(monkeypatch, tmp_path)


@pytest.fixture
def open_bedrock(server: ChatServer, tmp_path: Path, waits: list[float]) -> Callable[..., Endpoint]:
    """A function that opens endpoints of a server with Bedrock's API, which share a cache."""
    server.usual = conversed()

    def opened(**changes: object) -> Endpoint:
        settings = {"base_url": server.url, "concurrency": 2, "max_retries": 2, "cache": tmp_path / "replies.sqlite"}
        return Endpoint(MODEL, **(settings | changes))

    return opened


def test_each_request_is_answered_counted_and_paid_for_once(open_bedrock, server: ChatServer):
    endpoint = open_bedrock(prices={"input": 2.0, "output": 10.0})
    got = replies(endpoint, asks(6))
    assert got == {number: Completion(f"p{number} answered", 7, ended=True) for number in range(6)}
    assert endpoint.usage == Usage(requests=6, prompt_tokens=30, completion_tokens=42, cost=pytest.approx(480e-6))
    again = open_bedrock()
    assert replies(again, asks(6)) == got and again.usage == Usage(cached=6)
    assert server.tries == one_try_each(6)
    assert set(server.paths) == {"/v1/model/amazon.nova-lite-v1%3A0/converse"}
    assert all("eu-west-3/bedrock/aws4_request" in headers["authorization"] for headers in server.headers)


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_a_second_try(fault: str, open_bedrock, server: ChatServer, waits: list[float]):
    server.script["p3"] = [PASSING[fault][0]]
    endpoint = open_bedrock(timeout=0.5 if fault == "slow" else 30)
    assert replies(endpoint, asks(6))[3].text == "p3 answered"
    assert server.tries == one_try_each(6, p3=2)
    assert (endpoint.usage.requests, endpoint.usage.retries) == (6, 1)
    low, high = (7, 10.5) if fault == "asked to wait" else (0.5, 0.75)
    assert [low <= wait <= high for wait in waits] == [True]


@pytest.mark.parametrize("fault", PASSING)
def test_a_lasting_fault_stops_and_the_next_run_resumes(fault: str, open_bedrock, server: ChatServer):
    answer, described = PASSING[fault]
    server.script["p3"] = [answer] * 9
    endpoint = open_bedrock(timeout=0.5 if fault == "slow" else 30)
    with refused("generation.endpoint_failed", name=MODEL) as error:
        list(endpoint.reply(asks(12), SAMPLING))
    assert server.tries["p3"] == 3 and described in error.value.sentence
    assert error.value.value == endpoint.usage.requests < 12
    server.script.clear()
    again = open_bedrock()
    assert len(replies(again, asks(12))) == 12 and again.usage.cached == endpoint.usage.requests
    assert server.tries == one_try_each(12, p3=4)


@pytest.mark.parametrize("fault", FINAL)
def test_a_final_fault_stops_at_once(fault: str, open_bedrock, server: ChatServer, waits: list[float]):
    answer, described = FINAL[fault]
    server.script["p1"] = [answer]
    with refused("generation.endpoint_failed", value=1) as error:
        list(open_bedrock(concurrency=1).reply(asks(5), SAMPLING))
    assert described in str(error.value) and "p1" not in str(error.value)
    assert (server.tries, waits) == ({"p0": 1, "p1": 1}, [])
    assert error.value.__suppress_context__


def test_no_request_is_sent_once_max_cost_is_reached(open_bedrock, server: ChatServer):
    prices = {"input": 0.0, "output": 1e6 / 7}  # a reply costs 1
    endpoint = open_bedrock(prices=prices, max_cost=3.0, concurrency=1)
    with refused("generation.max_cost_reached", name="max_cost", value=3.0) as error:
        list(endpoint.reply(asks(8), SAMPLING))
    assert "3 of 8 requests are answered" in error.value.sentence and "with the 5 that are missing" in str(error.value)
    assert server.tries == one_try_each(3) and endpoint.usage.cost == pytest.approx(3)
    again = open_bedrock(prices=prices, max_cost=9.0)
    assert len(replies(again, asks(8))) == 8 and (again.usage.cached, again.usage.requests) == (3, 5)


def test_secrets_are_never_shown_logged_or_stored(open_bedrock, server: ChatServer, tmp_path: Path, caplog):
    caplog.set_level(logging.DEBUG)
    server.script["p1"] = [aws_error(403, "UnrecognizedClientException", f"{SECRET} {TOKEN}")]
    endpoint = open_bedrock(concurrency=1)
    with refused("generation.endpoint_failed") as error:
        list(endpoint.reply(asks(3), SAMPLING))
    assert {headers["x-amz-security-token"] for headers in server.headers} == {TOKEN}
    shown = "".join(traceback.format_exception(error.value)) + repr(vars(endpoint)) + caplog.text
    assert "403" in shown and SECRET not in shown and TOKEN not in shown
    stored = (tmp_path / "replies.sqlite").read_bytes()
    assert b"p0 answered" in stored and SECRET.encode() not in stored and TOKEN.encode() not in stored


def test_a_token_in_place_of_keys_is_sent_and_never_unencrypted(
    open_bedrock, server: ChatServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
    configure(monkeypatch, tmp_path, **none, AWS_BEARER_TOKEN_BEDROCK=TOKEN)
    sent = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:  # in place of the network
        sent.append(request)
        content = conversed()(None, json.loads(request.body))[2]
        return AWSResponse(request.url, 200, {}, HTTPResponse(io.BytesIO(content), preload_content=False))

    hosted = open_server(MODEL)
    hosted.client.meta.events.register("before-send.bedrock-runtime.Converse", answer)
    assert hosted.ask(asks(1)[0], {}, 1).completion.text == "p0 answered"
    assert sent[0].headers["Authorization"] in (f"Bearer {TOKEN}", f"Bearer {TOKEN}".encode())
    assert sent[0].url.startswith("https://")
    with refused("generation.endpoint_failed"):
        list(open_bedrock().reply(asks(1), SAMPLING))
    assert server.tries == {}


MISSING = {
    "credentials": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, {}, "aws_credentials_missing", "model", MODEL
    ),
    "half of them": ({"AWS_SECRET_ACCESS_KEY": ""}, {}, "aws_configuration", "model", MODEL),
    "region": ({"AWS_DEFAULT_REGION": ""}, {}, "aws_region_missing", "AWS_DEFAULT_REGION", None),
    "no region": ({"AWS_DEFAULT_REGION": "eu west"}, {}, "aws_configuration", "model", MODEL),
    "profile": ({"AWS_PROFILE": "nobody"}, {}, "aws_configuration", "model", MODEL),
    "unencrypted": ({}, {"base_url": "http://host/v1"}, "key_unencrypted", "base_url", "http://host/v1"),
    "address": ({}, {"base_url": f"https://me:{KEY}@host"}, "base_url_wrong", "base_url", None),
    "a key's name": ({}, {"key_variable": "MY_KEY"}, "bedrock_setting", "key_variable", None),
    "a limit's name": ({}, {"length_parameter": "max_tokens"}, "bedrock_setting", "length_parameter", None),
}  # fmt: skip


@pytest.mark.parametrize("missing", MISSING)
def test_what_is_missing_is_said_without_a_call(missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    variables, settings, code, name, value = MISSING[missing]

    def connect(self: socket.socket, place: object) -> None:
        raise AssertionError(f"a connection to {place}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    assert open_server(MODEL).place == "https://bedrock-runtime.eu-west-3.amazonaws.com"
    configure(monkeypatch, tmp_path, **variables)
    with refused(f"generation.{code}", name=name, value=value) as error:
        open_server(MODEL, **settings)
    shown = "".join(traceback.format_exception(error.value))
    assert not any(secret in shown for secret in (SECRET, TOKEN, KEY))


def test_a_region_and_a_profile_may_come_from_the_files_of_the_aws_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    missing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_DEFAULT_REGION": ""}
    configure(monkeypatch, tmp_path, **missing, AWS_PROFILE="mine", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    (tmp_path / "config").write_text("[profile mine]\nregion = ap-south-1\n")
    (tmp_path / "credentials").write_text(
        f"[mine]\naws_access_key_id = AKIAPLANTED\naws_secret_access_key = {SECRET}\n"
    )
    server = open_server(MODEL)
    assert server.place == "https://bedrock-runtime.ap-south-1.amazonaws.com", "not AWS_ENDPOINT_URL"
    assert SECRET not in repr(server)


def test_boto3_is_imported_only_where_a_model_on_bedrock_is_named():
    code = "import sys, lib.pipeline.preflight, lib.generation.endpoint.endpoint; print('boto3' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
