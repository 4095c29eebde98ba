"""What the environment says of proxies and certificates is refused before a client is made, in a sentence."""

from pathlib import Path

import pytest
from support.errors import refused

from lib.common import network

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *map(str.lower, VARIABLES)):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "http_proxy"])
@pytest.mark.parametrize("address", ["socks://me:secret@here:9", "http://me:secret@here:port", "http://", "http://[x"])
def test_a_proxy_that_no_client_knows_is_refused_without_its_address(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    monkeypatch.setenv(name, address)
    with refused("common.proxy", name=name.upper(), value=None) as error:
        network.check_environment()
    assert "secret" not in str(error.value)


def test_a_socks_proxy_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://here:9")
    monkeypatch.setattr(network, "find_spec", lambda name: None)
    with refused("common.socks", name="ALL_PROXY"):
        network.check_environment()
    monkeypatch.setattr(network, "find_spec", lambda name: name)
    network.check_environment()


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_certificates_that_are_gone_or_none_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with refused("common.certificates", name="SSL_CERT_FILE", value=str(path)):
        network.check_environment()


@pytest.mark.parametrize("address", ["http://here:3128", "here:3128", "https://me:secret@here"])
def test_what_clients_take_is_taken(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    network.check_environment()


def test_a_name_of_the_hub_that_something_here_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner").mkdir()
    (tmp_path / "owner" / "name").touch()
    for given in ("owner", "owner/name", str(tmp_path)):
        with refused("common.hub_name_taken", name="encoder", value=f"hub:{given}"):
            network.check_hub_name(given, "encoder")
    for given in ("", "owner/other", "x" * 5000):
        network.check_hub_name(given, "encoder")
