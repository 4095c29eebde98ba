"""A loopback server, and endpoints of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.chat_server import ChatServer
from support.endpoints import KEY

from lib.generation.endpoint import retries
from lib.generation.endpoint.endpoint import Endpoint


@pytest.fixture
def server(_environment: None) -> Iterator[ChatServer]:
    made = ChatServer()
    yield made
    made.stop()


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, and a proxy that does not exist, which requests to loopback must not use."""
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_"))]:
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait before a retry; no test waits for them."""
    waits: list[float] = []
    backoff = retries.backoff
    monkeypatch.setattr(retries, "backoff", lambda *arguments: waits.append(backoff(*arguments)) or 0.0)
    return waits


@pytest.fixture
def open_endpoint(server: ChatServer, tmp_path: Path, waits: list[float]) -> Callable[..., Endpoint]:
    """A function that opens endpoints of the server, which share a cache."""

    def opened(**changes: object) -> Endpoint:
        settings = {"base_url": server.url, "concurrency": 2, "max_retries": 2, "cache": tmp_path / "replies.sqlite"}
        return Endpoint("openai:tiny", **(settings | changes))

    return opened
