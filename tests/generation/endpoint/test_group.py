"""Several servers of one model: each request is answered once, by whichever of them works."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.chat_server import ChatServer, drop, fine, hang, status
from support.endpoints import SAMPLING, asks, replies
from support.errors import refused

from lib.generation.endpoint import group, retries
from lib.generation.endpoint.answer import Answer
from lib.generation.endpoint.endpoint import LOST, Endpoint
from lib.generation.endpoint.group import Group
from lib.generation.endpoint.servers import check_server, open_servers
from lib.generation.engines.base import Completion
from lib.generation.engines.names import is_remote


@pytest.fixture
def servers(_environment: None) -> Iterator[list[ChatServer]]:
    made = [ChatServer() for _ in range(3)]
    yield made
    for server in made:
        server.stop()


@pytest.fixture
def open_group(servers: list[ChatServer], tmp_path: Path, waits: list[float]) -> Callable[..., Endpoint]:
    """A function that opens endpoints of the three servers; those of one cache have one first address."""

    def opened(**changes: object) -> Endpoint:
        urls = [server.url for server in servers]
        settings = {"base_url": urls, "concurrency": 2, "max_retries": 2, "cache": tmp_path / "replies.sqlite"}
        return Endpoint("openai:tiny", **(settings | changes))

    return opened


def paid(servers: list[ChatServer]) -> Counter[str]:
    return +sum((server.paid for server in servers), Counter())


def dies(server: ChatServer, after: int):
    """Answers so many requests, and is then gone: in the middle of a reply, and for all that come later."""
    left = iter(range(after))

    def answer(handler, body):
        if next(left, None) is None:
            threading.Thread(target=server.stop).start()
            return drop(handler, body)
        return fine()(handler, body)

    return answer


FAULTS = {
    "refused": lambda server: server.stop(),
    "500": lambda server: setattr(server, "usual", status(500)),
    "429": lambda server: setattr(server, "usual", status(429, Retry_After=9)),
    "dropped": lambda server: setattr(server, "usual", drop),
    "hangs": lambda server: setattr(server, "usual", hang),
    "dies": lambda server: setattr(server, "usual", dies(server, 5)),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("which", [0, 2])
def test_every_request_is_answered_once_when_a_server_fails(
    fault: str, which: int, open_group, servers: list[ChatServer], tmp_path: Path, waits: list[float]
):
    alone = replies(open_group(), asks(40))
    for server in servers:
        server.paid.clear()
    FAULTS[fault](servers[which])
    endpoint = open_group(cache=tmp_path / "other.sqlite", timeout=0.5 if fault == "hangs" else 30, max_retries=0)
    assert replies(endpoint, asks(40)) == alone, "the same seeds, whoever answers"
    working = [server for server in servers if server is not servers[which] or fault == "dies"]
    assert paid(working) == Counter({f"p{number}": 1 for number in range(40)})
    assert endpoint.usage.requests == 40 and endpoint.usage.retries >= 1
    assert not waits, "another server is asked at once"
    assert replies(open_group(cache=tmp_path / "other.sqlite"), asks(40)) == alone, "all are stored"


def test_each_server_has_a_cap_of_its_own(open_group, servers: list[ChatServer]):
    barrier = threading.Barrier(6)

    def together(handler, body):
        barrier.wait(20)
        return fine()(handler, body)

    for server in servers:
        server.usual = together
    replies(open_group(), asks(12))
    assert [server.most_in_flight for server in servers] == [2, 2, 2]


def test_a_server_that_is_back_takes_part_again(open_group, servers: list[ChatServer], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group, "FIRST_REST", 0.01)
    servers[1].usual = status(503)
    endpoint = open_group()
    replies(endpoint, asks(30))
    failed = servers[1].tries.total()
    assert 1 <= failed < 20, "it is passed over, and tried again"
    servers[1].heal()
    replies(endpoint, [*asks(90)][30:])
    assert servers[1].paid.total() >= 10


def test_all_servers_gone_ends_with_a_reason_for_each_and_the_next_run_resumes(
    open_group, servers: list[ChatServer], waits: list[float]
):
    servers[0].usual, servers[1].usual = dies(servers[0], 8), dies(servers[1], 8)
    servers[2].usual = status(500)
    endpoint = open_group()
    with refused("generation.endpoint_failed", name="openai:tiny") as error:
        list(endpoint.reply(asks(40), SAMPLING))
    assert "failed at 3 of 3 servers" in error.value.sentence and "HTTP 500" in error.value.sentence
    assert all(server.url in error.value.sentence for server in servers)
    assert error.value.value == endpoint.usage.requests == 16 and waits
    servers[2].heal()
    again = open_group()
    assert len(replies(again, asks(40))) == 40 and again.usage.cached == 16
    assert paid(servers) == Counter({f"p{number}": 1 for number in range(40)})


def test_servers_that_are_gone_end_a_call_that_goes_on_without_single_requests(open_group, servers: list[ChatServer]):
    for server in servers:
        server.stop()
    failed: dict[int, str] = {}
    with refused("generation.endpoint_failed", value=0):
        list(open_group().reply(asks(200), SAMPLING, failed))
    assert LOST <= len(failed) < 30


def test_a_request_that_no_server_answers_fails_alone(open_group, servers: list[ChatServer]):
    for server in servers:
        server.script["p7"] = [status(500)] * 99
    failed: dict[int, str] = {}
    got = dict(open_group().reply(asks(40), SAMPLING, failed))
    assert failed == {7: "HTTP 500"} and sorted(got) == [number for number in range(40) if number != 7]


def test_a_key_that_one_server_refuses_ends_the_run(open_group, servers: list[ChatServer]):
    servers[0].stop()  # passed over, and not what the message is about
    servers[1].usual = status(401, "invalid_api_key")
    with refused("generation.endpoint_failed") as error:
        list(open_group().reply(asks(12), SAMPLING))
    assert f"at {servers[1].url} failed: HTTP 401" in error.value.sentence


def test_the_first_address_stands_in_the_keys(open_group, servers: list[ChatServer]):
    urls = [server.url for server in servers]
    keys = {
        str(given): open_group(base_url=given)._keys(asks(3), SAMPLING)
        for given in (urls[0], urls[:1], urls, [urls[0], urls[2]])
    }
    assert len({tuple(key) for key in keys.values()}) == 1
    assert open_group(base_url=urls[1:])._keys(asks(3), SAMPLING) not in keys.values()


def test_addresses_that_cannot_be_a_group_are_refused(_environment: None):
    place = "http://localhost:8000/v1"
    with refused("generation.base_url_count", name="base_url", value=0):
        open_servers("openai:tiny", base_url=[])
    with refused("generation.base_url_count", value=2):
        open_servers("bedrock:tiny", base_url=["https://a.example", "https://b.example"])
    with refused("generation.base_url_twice", value=place):
        open_servers("openai:tiny", base_url=[place, f"{place}/"])
    assert [server.place for server in open_servers("openai:tiny", base_url=[place])] == [place]


def test_every_address_is_checked_and_one_that_is_remote_makes_the_model_remote(_environment: None):
    urls = ["http://localhost:8000/v1", "http://elsewhere.example/v1"]
    parameters = {"key_variable": "OPENAI_API_KEY", "timeout": 9.0, "length_parameter": "auto"}
    parameters |= {"max_cost": None, "prices": {}}
    check_server("openai:tiny", parameters | {"base_url": urls[:1]})
    with refused("generation.key_unencrypted", value=urls[1]):
        check_server("openai:tiny", parameters | {"base_url": urls})
    assert is_remote("openai:tiny"), "whatever its addresses: no private text is sent to any of them"


class Fake:
    """A server that fails as often as it is told to, and counts."""

    def __init__(self, place: str, failures: int):
        self.place, self.failures, self.asked = place, failures, 0

    def ask(self, request, fields, seed):
        self.asked += 1
        if self.asked <= self.failures:
            raise retries.disconnected("")
        return Answer(Completion(self.place, 1, ended=True))


def test_a_server_that_failed_gets_one_request_at_a_time_until_it_replies():
    good, bad = Fake("good", 0), Fake("bad", 1)
    pair = Group([bad, good], cap=3)
    tried: set = set()
    with pytest.raises(retries.Fault):
        pair.ask(asks(1)[0], {}, 0, tried)
    assert pair.has_other(tried) and pair.ask(asks(1)[0], {}, 0, tried).completion.text == "good"
    failed = next(member for member in pair._members if member.server is bad)
    failed.rests_until = 0.0
    held = [pair._wait(set()) for _ in range(1)]
    held[0].busy += 1
    assert held[0] is failed and pair._wait(set()).server is good, "the second waits for the reply to the first"
    held[0].busy -= 1
    assert pair.ask(asks(1)[0], {}, 0, set()).completion.text == "bad" and failed.failures == 0


def test_a_request_is_checked_after_its_wait_and_not_sent_when_refused():
    server = Fake("one", 0)
    with pytest.raises(ZeroDivisionError):
        Group([server], cap=1).ask(asks(1)[0], {}, 0, set(), lambda: 1 / 0)
    assert server.asked == 0
