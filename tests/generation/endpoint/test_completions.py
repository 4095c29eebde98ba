"""Connections to vLLM servers that complete token ids; `test_served.py` asks one."""

import pytest
from support.errors import refused

from lib.generation.endpoint.completions import CompletionServer
from lib.generation.endpoint.servers import open_server, open_servers


def test_a_server_is_known_by_its_name_without_the_hash(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server = open_server("vllm:tuned@0123", base_url="http://localhost:8000/v1/")
    assert isinstance(server, CompletionServer)
    assert (server.model, server.place, server.hosted) == ("tuned", "http://localhost:8000/v1", False)
    assert server.client.max_retries == 0, "retries are the endpoint's"


def test_no_address_and_an_unencrypted_key_are_refused(monkeypatch: pytest.MonkeyPatch):
    with refused("generation.served_nowhere", name="base_url"):
        open_servers("vllm:tuned@0123")
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    with refused("generation.key_unencrypted", name="base_url"):
        open_servers("vllm:tuned@0123", base_url=["http://localhost:8000/v1", "http://elsewhere.example/v1"])
