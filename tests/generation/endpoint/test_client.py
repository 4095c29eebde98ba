"""Endpoints before anything is sent: addresses, keys, settings, parameters, and how long to wait for a server."""

import os
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

import httpx2
import openai
import pytest

from lib.common.errors import DoppelError
from lib.generation.endpoint import retries as faults
from lib.generation.endpoint.client import connect
from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.endpoint.wire_format import BrokenReply, sampling_fields
from lib.generation.engines.base import Sampling

KEY = "sk-planted-key-0123456789"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def test_openai_and_azure_are_told_what_they_know():
    assert sampling_fields(Sampling(seed=3, max_new_tokens=9), "m", hosted=True) == {}
    got = sampling_fields(Sampling(temperature=0.5, top_p=0.9), "m", hosted=True)
    assert got == {"temperature": 0.5, "top_p": 0.9}
    for name, value in {"top_k": 50, "min_new_tokens": 2, "repetition_penalty": 1.1}.items():
        with pytest.raises(DoppelError, match=rf"{name} = {value} has no counterpart at m.*or use a vLLM server"):
            sampling_fields(Sampling(**{name: value}), "m", hosted=True)
    for hosted in (True, False):
        with pytest.raises(DoppelError, match=r"no_repeat_ngram_size = 2 has no counterpart .*or use a local model"):
            sampling_fields(Sampling(no_repeat_ngram_size=2), "m", hosted=hosted)


def test_where_the_replies_come_from_is_said_by_parameters_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    made = connect("openai:m", None, "OPENAI_API_KEY", 1)
    assert (made.place, made.hosted, str(made.client.base_url)) == (
        "https://api.openai.com/v1",
        True,
        "https://api.openai.com/v1/",
    )
    assert connect("openai:m", "https://eu.api.openai.com/v1", "OPENAI_API_KEY", 1).hosted
    assert not connect("openai:m", "https://notopenai.com/v1", "OPENAI_API_KEY", 1).hosted
    assert not connect("openai:m", "http://[::1]:8000/v1/", "OPENAI_API_KEY", 1).hosted


@pytest.mark.parametrize("url", ["http://localhost:8000/v1", "http://node7:8000/v1"])
def test_a_server_of_ones_own_needs_no_key(url: str):
    assert connect("openai:m", url, "NO_SUCH_KEY", 1).client.api_key == "none"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"model": "gpt-4o"}, "model = 'gpt-4o' must be openai:MODEL or azure:DEPLOYMENT"),
        ({"model": "openai:"}, "must be openai:MODEL"),
        ({"model": "bedrock:m"}, "must be openai:MODEL"),
        ({"key_variable": "MISSING_KEY"}, "MISSING_KEY holds no key for https://api.openai.com/v1"),
        ({"key_variable": KEY}, "key_variable must be the name"),
        ({"base_url": f"https://me:{KEY}@host/v1"}, "base_url must be"),
        ({"base_url": f"https://host/v1?key={KEY}"}, "base_url must be"),
        ({"base_url": "host:8000"}, "base_url must be"),
        ({"base_url": "http://host:99999/v1"}, "base_url must be"),
        ({"base_url": "https://[::1/v1"}, "base_url must be"),
        ({"base_url": "http://host/v1"}, "http://host/v1 would send the key in OPENAI_API_KEY unencrypted"),
        ({"concurrency": 0}, r"concurrency = 0 must be in \[1, 256\]"),
        ({"concurrency": 257}, "concurrency = 257 must be"),
        ({"timeout": 0.0}, "timeout = 0.0 must be above 0"),
        ({"timeout": float("inf")}, "timeout = inf must be"),
        ({"max_retries": -1}, "max_retries = -1 must be at least 0"),
        ({"prices": {"inputs": 1.0}}, "unknown price 'inputs'; did you mean input"),
        ({"prices": {"input": -1.0}}, "prices: input = -1.0 must be at least 0"),
    ],
)
def test_bad_settings_are_refused_by_name(given: dict, told: str, tmp_path: Path):
    with pytest.raises(DoppelError, match=told) as error:
        Endpoint(**({"model": "openai:m", "cache": tmp_path / "replies.sqlite"} | given))
    assert KEY not in str(error.value)


def test_a_key_that_is_none_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nsecond line")
    with pytest.raises(DoppelError, match="OPENAI_API_KEY has characters that no key has") as error:
        connect("openai:m", None, "OPENAI_API_KEY", 1)
    assert KEY not in str(error.value)


def answered_with(code: int, **headers: str) -> openai.APIStatusError:
    request = httpx2.Request("POST", "http://x")
    response = httpx2.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()}, request=request)
    return openai.APIStatusError("no", response=response, body=None)


def test_waits_double_differ_and_end_at_half_a_minute():
    waits = [faults.wait(BrokenReply(), retry, seed=5) for retry in range(12)]
    for retry, seconds in enumerate(waits):
        least = min(0.5 * 2**retry, 30)
        assert least <= seconds <= 1.5 * least
    assert len({faults.wait(BrokenReply(), 0, seed) for seed in range(20)}) == 20


def test_a_server_is_waited_for_as_long_as_it_asks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(faults, "time", SimpleNamespace(time=lambda: 1000.0))
    for header, least in {"20": 20, "2.5": 2.5, "0": 0.5, formatdate(1040): 40, formatdate(900): 0.5}.items():
        assert least <= faults.wait(answered_with(429, retry_after=header), 3, seed=1) <= 1.5 * least, header
    for header in ("soon", "", "nan", "-3", "inf"):
        assert 4 <= faults.wait(answered_with(429, retry_after=header), 3, seed=1) <= 6, header
    assert faults.passes(answered_with(429, retry_after="120"))
    assert not faults.passes(answered_with(429, retry_after="121"))
