"""Addresses in one form and without secrets, and environment variables that must be set."""

import traceback

import pytest
from support.errors import refused

from lib.generation.endpoint import access


@pytest.mark.parametrize(
    ("url", "host", "place"),
    [
        ("https://Host.example/v1/", "host.example", "https://host.example/v1"),
        (" http://127.0.0.1:8000 ", "127.0.0.1", "http://127.0.0.1:8000"),
        ("http://[::1]:80/v1", "::1", "http://[::1]:80/v1"),
    ],
)
def test_an_address_has_one_form(url: str, host: str, place: str) -> None:
    assert access.address(url) == (host, place)
    assert access.address(place) == (host, place)


@pytest.mark.parametrize(
    "url", ["", "host:8000", "ftp://host", "https://me:sesame@host", "https://host?key=sesame", "https://host#sesame",
            "http://host:99999", "http://[::1", "https://:80"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    with refused("generation.base_url_wrong", name="base_url", value=None) as error:
        access.address(url)
    assert "sesame" not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True),
     ("localhost.example", False), ("10.0.0.1", False), ("0.0.0.0", False)],
)  # fmt: skip
def test_which_hosts_are_this_machine(host: str, here: bool) -> None:
    assert access.is_loopback(host) is here


def test_an_environment_variable_must_hold_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPEL_TOY_KEY", " sesame\n")
    assert access.variable("DOPPEL_TOY_KEY", "the key") == "sesame"
    for empty in ("", "  "):
        monkeypatch.setenv("DOPPEL_TOY_KEY", empty)
        with refused("generation.variable_missing", name="DOPPEL_TOY_KEY") as error:
            access.variable("DOPPEL_TOY_KEY", "the key")
        assert "the key" in error.value.remedy


def test_a_secret_goes_to_encrypted_addresses_alone() -> None:
    access.refuse_unencrypted("https://host/v1", "the key", "use https")
    with refused("generation.key_unencrypted", name="base_url", value="http://host/v1"):
        access.refuse_unencrypted("http://host/v1", "the key", "use https")
