"""Requests to an endpoint, and its replies."""

from pathlib import Path

from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.engines.base import Completion, Request, Sampling
from support.chat_server import ChatServer

KEY = "sk-planted-key-0123456789"
SAMPLING = Sampling(seed=1)


def asks(count: int) -> list[Request]:
    return [Request((("system", "Be brief."), ("user", f"p{number}")), 16) for number in range(count)]


def one_try_each(count: int, **other: int) -> dict[str, int]:
    """The number of tries by prompt: one for each, except those named."""
    return {f"p{number}": 1 for number in range(count)} | other


def replies(endpoint: Endpoint, requests: list[Request], sampling: Sampling = SAMPLING) -> dict[int, Completion]:
    got = list(endpoint.reply(requests, sampling))
    assert sorted(position for position, _ in got) == list(range(len(requests)))
    return dict(got)


def loopback(server: ChatServer, cache: Path, **settings: object) -> Endpoint:
    """An endpoint whose draws do not depend on the server's port, so that every run of a test gets the same."""
    endpoint = Endpoint("openai:tiny", base_url=server.url, cache=cache, **({"max_retries": 2} | settings))
    endpoint._servers.place = "loopback"
    return endpoint
