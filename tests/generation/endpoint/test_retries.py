"""Faults of one request, while others go on, and faults of all of them."""

import pytest
from support.chat_server import ChatServer, drop, hang, page, status
from support.endpoints import SAMPLING, asks, one_try_each, replies
from support.errors import refused

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
