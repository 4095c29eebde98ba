"""Endpoints against a loopback server: faults, costs, concurrency, the key, the cache."""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from support.chat_server import Answer, ChatServer, drop, fine, hang, page, status
from support.endpoints import KEY, SAMPLING, asks, one_try_each, replies
from support.errors import refused

from lib.generation.endpoint import retries
from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.engines.base import Completion, Request, Sampling, Usage

CUT = page(b'{"choices"', Content_Length=500)  # the connection ends inside the reply
RETRYABLE = {
    "429": status(429),
    "429 with Retry-After": status(429, Retry_After=7),
    "408": status(408),
    "500": status(500),
    "503": status(503),
    "slow": hang,
    "dropped": drop,
    "cut": CUT,
    "no JSON": page(b"{"),
    "a page": page(b"<html>Sign in</html>", Content_Type="text/html"),
    "no choices": page(b'{"choices": []}'),
    "wrong shape": page(b'{"choices": {"text": 3}}'),
    "another API": page(b'["fine"]'),
}
DESCRIBED = {
    "429": "HTTP 429",
    "429 with Retry-After": "HTTP 429, asks to wait 7 s",
    "408": "HTTP 408",
    "500": "HTTP 500",
    "503": "HTTP 503",
    "slow": "no reply within timeout = 0.5 s",
    "dropped": "the connection was refused or dropped",
    "cut": "the connection was refused or dropped",
}  # the others: a reply that is not a chat completion
FINAL = {
    "400": (status(400), "HTTP 400"),
    "too long": (status(400, "context_length_exceeded"), "HTTP 400 (context_length_exceeded)"),
    "401": (status(401, "invalid_api_key"), "check the key in OPENAI_API_KEY"),
    "403": (status(403), "HTTP 403"),
    "404": (status(404), "check the model's name"),
    "422": (status(422), "HTTP 422"),
    "parameter": (status(400, "unsupported_value", param="temperature"), "HTTP 400 (unsupported_value: temperature)"),
    "place": (status(400, None, param="messages[0].content"), "HTTP 400 (messages[0].content)"),
    "vLLM": (status(400, 400, param=["max_tokens", 7]), "failed: HTTP 400 (max_retries"),
    "words": (status(400, "Say p1 again", param="p1, as you said"), "failed: HTTP 400 (max_retries"),
    "seed": (status(400, "unsupported_parameter", param="seed"), "set send_seed: false"),
    "too long a reply": (status(400, "invalid_value", param="max_tokens"), "lower max_new_tokens, or name the limit"),
    "no money": (status(429, "insufficient_quota"), "HTTP 429 (insufficient_quota)"),
    "tomorrow": (status(429, Retry_After=86400), "asks to wait 86400 s"),
}


def test_each_request_is_answered_in_its_place_counted_and_paid_for_once(open_endpoint, server: ChatServer):
    endpoint = open_endpoint(prices={"input": 2.0, "output": 10.0})
    got = replies(endpoint, asks(6))
    assert all(got[number].text.startswith(f"p{number} drawn") for number in range(6))
    assert got[0] == Completion(got[0].text, 7, ended=True)
    assert endpoint.usage == Usage(requests=6, prompt_tokens=30, completion_tokens=42, cost=pytest.approx(480e-6))
    assert endpoint.name == "openai:tiny"
    again = open_endpoint()
    assert replies(again, asks(6)) == got
    assert again.usage == Usage(cached=6)
    assert server.tries == one_try_each(6)


@pytest.mark.parametrize("fault", RETRYABLE)
def test_a_retryable_fault_costs_a_second_try(fault: str, open_endpoint, server: ChatServer, waits: list[float]):
    server.script["p3"] = [RETRYABLE[fault]]
    endpoint = open_endpoint(timeout=0.5 if fault == "slow" else 30)
    got = replies(endpoint, asks(6))
    assert all(got[number].text.startswith(f"p{number} ") for number in range(6))
    assert server.tries == one_try_each(6, p3=2)
    assert (endpoint.usage.requests, endpoint.usage.retries, len(waits)) == (6, 1, 1)
    low, high = (7, 10.5) if "Retry-After" in fault else (0.5, 0.75)
    assert low <= waits[0] <= high


@pytest.mark.parametrize("fault", RETRYABLE)
def test_a_lasting_fault_stops_with_the_count_and_the_next_run_resumes(fault: str, open_endpoint, server: ChatServer):
    server.script["p3"] = [RETRYABLE[fault]] * 9
    endpoint = open_endpoint(timeout=0.5 if fault == "slow" else 30)
    got: dict[int, Completion] = {}
    with refused("generation.endpoint_failed", name="openai:tiny") as error:
        got.update(endpoint.reply(asks(12), SAMPLING))
    assert server.tries["p3"] == 3
    answered = endpoint.usage.requests
    assert error.value.value == answered
    described = DESCRIBED.get(fault, "a reply that is not a chat completion")
    assert f"openai:tiny at {server.url} failed: {described} (" in error.value.sentence
    assert f"; {answered} of 12 requests are answered" in error.value.sentence
    assert f"resumes with the {12 - answered} that are missing" in error.value.remedy
    assert 3 <= answered < 12, "at least those before it"
    server.heal()
    again = open_endpoint()
    whole = replies(again, asks(12))
    assert (again.usage.cached, again.usage.requests) == (answered, 12 - answered)
    assert server.tries == one_try_each(12, p3=4)
    assert len(whole) == 12


@pytest.mark.parametrize("fault", FINAL)
def test_a_final_fault_stops_at_once(fault: str, open_endpoint, server: ChatServer, waits: list[float]):
    answer, described = FINAL[fault]
    server.script["p1"] = [answer]
    with refused("generation.endpoint_failed", value=1) as error:
        list(open_endpoint(concurrency=1).reply(asks(5), SAMPLING))
    assert "1 of 5 requests are answered" in error.value.sentence
    assert described in str(error.value)
    assert (server.tries, waits) == ({"p0": 1, "p1": 1}, [])
    assert error.value.__suppress_context__, "the client's own error holds the request"
    replies(open_endpoint(), asks(5))
    assert server.tries == one_try_each(5, p1=2)


def test_requests_in_flight_at_a_failure_are_completed_and_stored(open_endpoint, server: ChatServer):
    failed = threading.Event()

    def late(handler, body):
        assert failed.wait(10)
        return fine()(handler, body)

    def wrong(handler, body):
        failed.set()
        return status(401)(handler, body)

    server.script |= {"p0": [late], "p1": [wrong]}
    with refused("generation.endpoint_failed", value=1):
        list(open_endpoint().reply(asks(4), SAMPLING))
    again = open_endpoint()
    replies(again, asks(4))
    assert again.usage.cached == 1
    assert server.tries == one_try_each(4, p1=2)


def test_a_server_that_does_not_run_is_reported(open_endpoint, server: ChatServer):
    server.stop()
    with refused("generation.endpoint_failed", value=0) as error:
        list(open_endpoint().reply(asks(3), SAMPLING))
    assert "refused or dropped" in error.value.sentence and "0 of 3 requests" in error.value.sentence
    assert "check that the server runs" in error.value.remedy


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (fine("length", content="half a"), Completion("half a", 7, ended=False)),
        (fine(content=""), Completion("", 7, ended=True)),
        (fine(content=None), Completion("", 7, ended=True)),
        (fine(content=None, refusal="I will not."), Completion("", 7, ended=True, refused=True)),
        (fine("content_filter", content="half"), Completion("half", 7, ended=False, refused=True)),
        (status(400, "content_filter"), Completion("", 0, ended=True, refused=True)),
        (status(400, "invalid_prompt", type="invalid_request_error"), Completion("", 0, ended=True, refused=True)),
        (status(400, "content_policy_violation"), Completion("", 0, ended=True, refused=True)),
        (status(403, 403, type="content_filter"), Completion("", 0, ended=True, refused=True)),
        (
            page(b'{"choices": [{"message": {"content": "so"}, "finish_reason": "stop"}]}'),
            Completion("so", 0, ended=True),
        ),
    ],
    ids=[
        "half",
        "empty",
        "null",
        "refusal",
        "filtered reply",
        "filtered prompt",
        "invalid prompt",
        "policy",
        "type",
        "no usage",
    ],
)
def test_empty_cut_and_refused_replies_are_not_retried(
    answer: Answer, expected: Completion, open_endpoint, server: ChatServer
):
    server.script["p1"] = [answer]
    endpoint = open_endpoint()
    assert replies(endpoint, asks(3))[1] == expected
    assert (endpoint.usage.requests, endpoint.usage.retries) == (3, 0)
    assert replies(open_endpoint(), asks(3))[1] == expected
    assert server.tries["p1"] == 1


@pytest.mark.parametrize("callers", [1, 2])
def test_concurrency_is_reached_and_never_exceeded(callers: int, open_endpoint, server: ChatServer):
    barrier = threading.Barrier(3)

    def together(handler, body):
        barrier.wait(10)  # three must be in flight at once, or none is answered
        return fine()(handler, body)

    server.usual = together
    endpoint = open_endpoint(concurrency=3)
    got: list[dict] = []
    threads = [
        threading.Thread(target=lambda seed=seed: got.append(replies(endpoint, asks(12), Sampling(seed=seed))))
        for seed in range(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert server.most_in_flight == 3
    assert [len(answers) for answers in got] == [12] * callers


def test_the_key_is_sent_and_never_shown_or_stored(open_endpoint, server: ChatServer, tmp_path: Path, caplog):
    caplog.set_level("DEBUG")
    server.script["p1"] = [status(401, KEY, f"Incorrect API key provided: {KEY}")]
    endpoint = open_endpoint(concurrency=1)
    with refused("generation.endpoint_failed") as error:
        list(endpoint.reply(asks(3), SAMPLING))
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    shown = "".join(traceback.format_exception(error.value)) + repr(endpoint) + str(vars(endpoint)) + caplog.text
    assert "401" in shown
    assert KEY not in shown
    stored = (tmp_path / "replies.sqlite").read_bytes()
    assert b"p0 drawn" in stored
    assert KEY.encode() not in stored
    assert b"Be brief" not in stored, "prompts are not stored"


def test_equal_requests_get_different_draws(open_endpoint, server: ChatServer, tmp_path: Path):
    twice = [*asks(2), *asks(2)]
    got = replies(open_endpoint(), twice)
    assert len({reply.text for reply in got.values()}) == 4
    assert replies(open_endpoint(), twice) == got
    assert replies(open_endpoint(), asks(2)) == {0: got[0], 1: got[1]}, "the first of equal requests keeps its reply"
    assert server.tries == {"p0": 2, "p1": 2}
    assert all(0 <= body["seed"] < 2**31 for body in server.bodies)
    assert replies(open_endpoint(cache=tmp_path / "other.sqlite"), twice) == got, "the same seeds are drawn again"


def test_streams_tell_equal_requests_apart_whatever_their_order(open_endpoint, server: ChatServer, tmp_path):
    (one,) = asks(1)
    several = [replace(one, stream=stream) for stream in (0, 5, 9, 0, 5)]
    got = replies(open_endpoint(), several)
    assert len({reply.text for reply in got.values()}) == 5, "equal ones of one stream are numbered"
    other = replies(open_endpoint(cache=tmp_path / "other.sqlite"), several[::-1])
    assert {other[4 - i].text for i in (1, 4)} == {got[i].text for i in (1, 4)} and other[2] == got[2]
    assert replies(open_endpoint(), [several[2]]) == {0: got[2]} and server.tries["p0"] == 10, "it was in the cache"


def test_a_request_without_a_stream_keeps_the_key_it_had(open_endpoint):
    endpoint = open_endpoint(base_url="http://localhost:1/v1")
    keys = endpoint._keys([*asks(1), replace(asks(1)[0], stream=3), Request((("user", "p0"),), 16)], SAMPLING)
    assert keys[0] == "bff3bfa816d621052afbd533cd23482ee4127861afc6a0ce6a672fd377da619b"
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"sampling": replace(SAMPLING, seed=2)},
        {"sampling": replace(SAMPLING, temperature=0.5)},
        {"sampling": replace(SAMPLING, top_p=0.5)},
        {"sampling": replace(SAMPLING, top_k=5)},
        {"request": replace(asks(1)[0], max_new_tokens=17)},
        {"request": Request((("user", "p0"),), 16)},
        {"model": "openai:other"},
    ],
    ids=["seed", "temperature", "top_p", "top_k", "max_new_tokens", "messages", "model"],
)
def test_whatever_determines_a_reply_is_in_its_key(other: dict, open_endpoint, server: ChatServer, tmp_path: Path):
    first = replies(open_endpoint(), asks(1))
    model = other.get("model", "openai:tiny")
    endpoint = Endpoint(model, base_url=server.url, cache=tmp_path / "replies.sqlite")
    second = replies(endpoint, [other.get("request", asks(1)[0])], other.get("sampling", SAMPLING))
    assert endpoint.usage.cached == 0
    assert first[0].text != second[0].text, "the seed changes with the key"


def test_the_limit_of_the_sampling_is_not_part_of_the_key(open_endpoint, server: ChatServer):
    replies(open_endpoint(), asks(2))
    replies(open_endpoint(), asks(2), replace(SAMPLING, max_new_tokens=999))
    assert server.tries == one_try_each(2)


def test_a_killed_run_pays_for_nothing_twice(open_endpoint, server: ChatServer, tmp_path: Path):
    """SIGKILL while two requests are in flight and four are answered."""
    server.script |= {"p4": [hang], "p5": [hang]}
    code = (
        "import sys; from pathlib import Path; from lib.generation.engines.base import Request, Sampling\n"
        "from lib.generation.endpoint.endpoint import Endpoint\n"
        "endpoint = Endpoint('openai:tiny', base_url=sys.argv[1], concurrency=2, cache=Path(sys.argv[2]))\n"
        "asks = [Request((('system', 'Be brief.'), ('user', f'p{i}')), 16) for i in range(8)]\n"
        "print(list(endpoint.reply(asks, Sampling(seed=1))))\n"
    )
    cache = tmp_path / "replies.sqlite"
    run = subprocess.Popen([sys.executable, "-c", code, server.url, str(cache)])
    try:
        deadline = time.monotonic() + 60
        while server.tries["p4"] + server.tries["p5"] < 2 and time.monotonic() < deadline:
            assert run.poll() is None
            time.sleep(0.02)
    finally:
        run.kill()
    assert run.wait(10) == -signal.SIGKILL
    server.release.set()
    endpoint = open_endpoint()
    replies(endpoint, asks(8))
    assert (endpoint.usage.cached, endpoint.usage.requests) == (4, 4)
    assert server.tries == one_try_each(8, p4=2, p5=2)


def test_a_caller_that_stops_early_starts_no_request_and_finds_those_in_flight(open_endpoint, server: ChatServer):
    server.usual = hang
    server.script["p0"] = [fine()]
    endpoint = open_endpoint()
    stream = endpoint.reply(asks(20), SAMPLING)
    assert next(stream)[0] == 0
    stream.close()  # with two requests in flight, which are not waited for
    assert not server.release.is_set()
    started = server.tries.total()
    server.release.set()
    endpoint._pool.shutdown(wait=True)
    assert started <= 3
    assert server.tries.total() <= 3
    again = open_endpoint()
    server.heal()
    replies(again, asks(20))
    assert again.usage.cached == endpoint.usage.requests == server.paid.total() - again.usage.requests


@pytest.mark.parametrize("where", ["a request", "a wait for a retry"])
def test_an_interrupt_is_prompt(where: str, open_endpoint, server: ChatServer, monkeypatch: pytest.MonkeyPatch):
    def interrupt() -> None:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def asked(handler, body):
        interrupt()
        return hang(handler, body)

    server.usual = asked if where == "a request" else status(500)
    monkeypatch.setattr(retries, "backoff", lambda *arguments: interrupt() or 600.0)
    endpoint = open_endpoint(concurrency=1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores SIGINT
    try:
        with pytest.raises(KeyboardInterrupt):
            list(endpoint.reply(asks(20), SAMPLING))
    finally:
        signal.signal(signal.SIGINT, before)
    server.release.set()
    endpoint._pool.shutdown(wait=True)  # the 600 seconds are not waited for
    assert server.tries == {"p0": 1}


def test_a_self_hosted_server_gets_all_sampling_parameters(open_endpoint, server: ChatServer):
    sampling = Sampling(temperature=0.7, top_k=50, min_new_tokens=3, repetition_penalty=1.1, max_new_tokens=999)
    replies(open_endpoint(), asks(1), sampling)
    replies(open_endpoint(), asks(1), SAMPLING)
    full, plain = server.bodies
    assert full["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "p0"}]
    del full["messages"], full["seed"], plain["messages"], plain["seed"]
    shared = {"model": "tiny", "max_tokens": 16, "top_p": 1.0}
    assert full == shared | {"temperature": 0.7, "top_k": 50, "min_tokens": 3, "repetition_penalty": 1.1}
    assert plain == shared | {"temperature": 1.0}


def test_azure_is_configured_by_its_own_variables(
    server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
):
    azure = {"AZURE_OPENAI_ENDPOINT": server.url, "AZURE_OPENAI_API_KEY": "azure-key", "OPENAI_API_VERSION": "2026-01"}
    for missing in azure:
        with monkeypatch.context() as partly:
            for name, value in azure.items():
                if name != missing:
                    partly.setenv(name, value)
            fault = "key_missing" if missing == "AZURE_OPENAI_API_KEY" else "variable_missing"
            with refused(f"generation.{fault}", name=missing):
                Endpoint("azure:tiny", cache=tmp_path / "replies.sqlite")
    for name, value in azure.items():
        monkeypatch.setenv(name, value)
    replies(Endpoint("azure:tiny", cache=tmp_path / "replies.sqlite"), asks(1))
    assert server.paths == ["/v1/openai/deployments/tiny/chat/completions?api-version=2026-01"]
    assert server.headers[0]["api-key"] == "azure-key"
    assert "authorization" not in server.headers[0]
    assert (server.bodies[0]["max_completion_tokens"], "max_tokens" in server.bodies[0]) == (16, False)


def test_a_cache_damaged_during_a_run_stops_it(open_endpoint, server: ChatServer, tmp_path: Path):
    endpoint = open_endpoint(concurrency=1)
    replies(endpoint, asks(40))
    path = tmp_path / "replies.sqlite"
    with path.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(path.stat().st_size - 100))
    with refused("generation.reply_cache_damaged", name=str(path)):
        list(open_endpoint().reply(asks(80), SAMPLING))
