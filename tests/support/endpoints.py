"""Requests to an endpoint, and its replies."""

from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.engines.base import Completion, Request, Sampling

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
