"""Endpoints before a request is sent: addresses, keys, settings, sampling parameters, and waits before retries."""

import os
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.errors import refused

from lib.generation.endpoint import retries
from lib.generation.endpoint.client import connect
from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.endpoint.wire_format import sampling_fields
from lib.generation.engines.base import Sampling

KEY = "sk-planted-key-0123456789"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "AZURE_OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def test_openai_and_azure_get_only_parameters_that_they_have():
    assert sampling_fields(Sampling(seed=3, max_new_tokens=9), "m", hosted=True) == {}
    got = sampling_fields(Sampling(temperature=0.5, top_p=0.9), "m", hosted=True)
    assert got == {"temperature": 0.5, "top_p": 0.9}
    for name, value in {"top_k": 50, "min_new_tokens": 2, "repetition_penalty": 1.1}.items():
        with refused("generation.sampling_unsupported", name=name, value=value) as error:
            sampling_fields(Sampling(**{name: value}), "m", hosted=True)
        assert "a vLLM server" in error.value.remedy
    for hosted in (True, False):
        with refused("generation.sampling_unsupported", name="no_repeat_ngram_size", value=2) as error:
            sampling_fields(Sampling(no_repeat_ngram_size=2), "m", hosted=hosted)
        assert "vLLM" not in error.value.remedy and "a local model" in error.value.remedy


def test_the_address_comes_from_the_parameters_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    server = connect("openai:m", None, "OPENAI_API_KEY", 1)
    assert (server.place, server.hosted, str(server.client.base_url)) == (
        "https://api.openai.com/v1",
        True,
        "https://api.openai.com/v1/",
    )
    assert connect("openai:m", "https://eu.api.openai.com/v1", "OPENAI_API_KEY", 1).hosted
    assert not connect("openai:m", "https://notopenai.com/v1", "OPENAI_API_KEY", 1).hosted
    assert not connect("openai:m", "http://[::1]:8000/v1/", "OPENAI_API_KEY", 1).hosted


@pytest.mark.parametrize("url", ["http://localhost:8000/v1", "http://node7:8000/v1"])
def test_a_self_hosted_server_needs_no_key(url: str):
    assert connect("openai:m", url, "NO_SUCH_KEY", 1).client.api_key == "none"


@pytest.mark.parametrize(
    ("given", "fault", "name", "value"),
    [
        ({"model": "gpt-4o"}, "endpoint_name_wrong", "model", "gpt-4o"),
        ({"model": "openai:"}, "endpoint_name_wrong", "model", "openai:"),
        ({"model": "gemini:m"}, "endpoint_name_wrong", "model", "gemini:m"),
        ({"key_variable": "MISSING_KEY"}, "key_missing", "MISSING_KEY", None),
        ({"key_variable": KEY}, "key_variable_wrong", "key_variable", None),
        ({"base_url": f"https://me:{KEY}@host/v1"}, "base_url_wrong", "base_url", None),
        ({"base_url": f"https://host/v1?key={KEY}"}, "base_url_wrong", "base_url", None),
        ({"base_url": "host:8000"}, "base_url_wrong", "base_url", None),
        ({"base_url": "http://host:99999/v1"}, "base_url_wrong", "base_url", None),
        ({"base_url": "https://[::1/v1"}, "base_url_wrong", "base_url", None),
        ({"base_url": "http://host/v1"}, "key_unencrypted", "base_url", "http://host/v1"),
        ({"concurrency": 0}, "endpoint_setting_out_of_range", "concurrency", 0),
        ({"concurrency": 257}, "endpoint_setting_out_of_range", "concurrency", 257),
        ({"timeout": 0.0}, "endpoint_setting_out_of_range", "timeout", 0.0),
        ({"timeout": float("inf")}, "endpoint_setting_out_of_range", "timeout", float("inf")),
        ({"max_retries": -1}, "endpoint_setting_out_of_range", "max_retries", -1),
        ({"prices": {"inputs": 1.0}}, "price_unknown", "inputs", None),
        ({"prices": {"input": -1.0}}, "endpoint_setting_out_of_range", "prices: input", -1.0),
        ({"prices": {"input": 1.0}, "max_cost": 0.0}, "endpoint_setting_out_of_range", "max_cost", 0.0),
        ({"prices": {"input": 0.0}, "max_cost": 2.0}, "max_cost_without_prices", "max_cost", 2.0),
    ],
)
def test_bad_settings_are_refused_by_name(given: dict, fault: str, name: str, value: object, tmp_path: Path):
    with refused(f"generation.{fault}", name=name, value=value) as error:
        Endpoint(**({"model": "openai:m", "cache": tmp_path / "replies.sqlite"} | given))
    assert KEY not in str(error.value) + repr(vars(error.value))


def test_refusals_name_the_place_the_variable_and_the_nearest_price(tmp_path: Path):
    with refused("generation.key_missing") as error:
        connect("openai:m", None, "MISSING_KEY", 1)
    assert "https://api.openai.com/v1" in error.value.sentence
    with refused("generation.key_unencrypted") as error:
        connect("openai:m", "http://host/v1", "OPENAI_API_KEY", 1)
    assert "OPENAI_API_KEY" in error.value.sentence
    with refused("generation.price_unknown") as error:
        Endpoint("openai:m", prices={"inputs": 1.0}, cache=tmp_path / "replies.sqlite")
    assert error.value.remedy == "did you mean input?"


def test_a_malformed_key_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nsecond line")
    with refused("generation.key_malformed", name="OPENAI_API_KEY") as error:
        connect("openai:m", None, "OPENAI_API_KEY", 1)
    assert KEY not in str(error.value)


def asks_to_wait(header: str) -> retries.Fault:
    return retries.answered(429, "", retries.asked_wait(header), "", passes=True)


def test_waits_double_differ_and_end_at_half_a_minute():
    waits = [retries.backoff(retries.broken(""), retry, seed=5) for retry in range(12)]
    for retry, seconds in enumerate(waits):
        least = min(0.5 * 2**retry, 30)
        assert least <= seconds <= 1.5 * least
    assert len({retries.backoff(retries.broken(""), 0, seed) for seed in range(20)}) == 20


def test_a_server_is_waited_for_as_long_as_it_asks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retries, "time", SimpleNamespace(time=lambda: 1000.0))
    for header, least in {"20": 20, "2.5": 2.5, "0": 0.5, formatdate(1040): 40, formatdate(900): 0.5}.items():
        assert least <= retries.backoff(asks_to_wait(header), 3, seed=1) <= 1.5 * least, header
    for header in ("soon", "", "nan", "-3", "inf"):
        assert 4 <= retries.backoff(asks_to_wait(header), 3, seed=1) <= 6, header
    assert asks_to_wait("120").retryable
    assert not asks_to_wait("121").retryable
