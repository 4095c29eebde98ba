"""Requests that fail by themselves while others go on, and equal requests with draws of their own."""

from dataclasses import replace

import pytest
from support.chat_server import ChatServer, drop, hang, page, status
from support.endpoints import SAMPLING, asks, one_try_each, replies
from support.errors import refused

from lib.generation.engines.base import Request

ALONE = {
    "400": (status(400), 1, "HTTP 400"),
    "too long": (status(400, "context_length_exceeded"), 1, "HTTP 400 (context_length_exceeded)"),
    "422": (status(422), 1, "HTTP 422"),
    "500": (status(500), 3, "HTTP 500"),
    "dropped": (drop, 3, "the connection was refused or dropped"),
    "slow": (hang, 3, "no reply within timeout = 0.5 s"),
    "no JSON": (page(b"{"), 3, "a reply that is not a chat completion"),
}
OF_ALL = {"401": status(401), "403": status(403), "404": status(404), "429": status(429)}


@pytest.mark.parametrize("fault", ALONE)
def test_a_request_that_fails_by_itself_is_told_and_the_others_go_on(fault: str, open_endpoint, server: ChatServer):
    answer, tries, described = ALONE[fault]
    server.script["p3"] = [answer] * 9
    endpoint = open_endpoint(timeout=0.5 if fault == "slow" else 30)
    failed: dict[int, str] = {}
    got = dict(endpoint.reply(asks(8), SAMPLING, failed))
    assert failed == {3: described}
    assert sorted(got) == [0, 1, 2, 4, 5, 6, 7]
    assert server.tries == one_try_each(8, p3=tries)
    server.heal()
    assert replies(open_endpoint(), asks(8)).items() >= got.items(), "what was answered is in the cache"


@pytest.mark.parametrize("fault", OF_ALL)
def test_a_fault_of_all_requests_ends_the_call(fault: str, open_endpoint, server: ChatServer):
    server.script["p1"] = [OF_ALL[fault]] * 9
    failed: dict[int, str] = {}
    with refused("generation.endpoint_failed"):
        list(open_endpoint(concurrency=1).reply(asks(8), SAMPLING, failed))
    assert not failed and server.tries["p7"] == 0


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
