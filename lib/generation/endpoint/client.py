"""The connection to an OpenAI-compatible server: its address from the parameters, its key from the environment."""

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from openai import AzureOpenAI, DefaultHttpxClient, OpenAI

from lib.common import network
from lib.common.errors import DoppelError

OPENAI_KEY, AZURE_KEY = "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"
_OPENAI = "https://api.openai.com/v1"
_NO_KEY = "none"  # the client always sends a key; a local server ignores it


@dataclass(frozen=True)
class Server:
    """A model on a server, ready for requests.

    Attributes:
        client: the openai client; its own retries are off.
        model: name of the model or deployment.
        place: the server's address, which holds no credentials.
        hosted: True for OpenAI and Azure, whose API has fewer sampling parameters than vLLM's.
        key_variable: name of the environment variable that holds the key.
    """

    client: OpenAI
    model: str
    place: str
    hosted: bool
    key_variable: str


def connect(name: str, base_url: str | None, key_variable: str, timeout: float) -> Server:
    """Prepare the connection to a model; nothing is sent.

    OPENAI_BASE_URL is ignored, so that the parameters say where a run's replies came from.

    Args:
        name: ``openai:MODEL`` or ``azure:DEPLOYMENT``.
        base_url: the server's API; None is OpenAI's own, or for Azure the one in AZURE_OPENAI_ENDPOINT.
        key_variable: name of the environment variable that holds the key; for Azure, OPENAI_API_KEY means
            AZURE_OPENAI_API_KEY.
        timeout: seconds without a byte from the server after which a try fails.

    Raises:
        DoppelError: the name or the address cannot be used, the key is missing or would be sent unencrypted, or the
            environment names a proxy or certificates that no client can use.
    """
    provider, _, model = name.partition(":")
    if provider not in ("openai", "azure") or not model:
        raise DoppelError(
            "generation.endpoint_name_wrong",
            f"model = {name!r} must be openai:MODEL or azure:DEPLOYMENT",
            name="model",
            value=name,
        )
    if provider == "azure":
        key_variable = AZURE_KEY if key_variable == OPENAI_KEY else key_variable
        url = base_url or _variable("AZURE_OPENAI_ENDPOINT", "the address of the Azure resource")
    else:
        url = base_url or _OPENAI
    host, place = _address(url)
    local = _is_loopback(host)
    hosted = provider == "azure" or f".{host}".endswith((".openai.com", ".azure.com"))
    key = _key(key_variable)
    _check_key(key, key_variable, place, local=local, hosted=hosted)
    shared = {"api_key": key or _NO_KEY, "timeout": timeout, "max_retries": 0}
    if local:  # a proxy cannot reach the servers of this machine
        shared["http_client"] = DefaultHttpxClient(trust_env=False)
    else:
        network.check_environment()
    if provider == "azure":
        version = _variable("OPENAI_API_VERSION", "the version of Azure's API")
        client = AzureOpenAI(azure_endpoint=place, azure_deployment=model, api_version=version, **shared)
    else:
        client = OpenAI(base_url=place, **shared)
    return Server(client, model, place, hosted, key_variable)


def _check_key(key: str, variable: str, place: str, *, local: bool, hosted: bool) -> None:
    """Refuse a key that is missing where one is needed, or that would be sent unencrypted."""
    if not key and hosted:
        raise DoppelError(
            "generation.key_missing",
            f"the environment variable {variable} holds no key for {place}",
            name=variable,
            remedy="set it (keys are read from the environment only), or set base_url to a server that needs no key",
        )
    if key and not local and place.startswith("http:"):
        raise DoppelError(
            "generation.key_unencrypted",
            f"base_url = {place} would send the key in {variable} unencrypted",
            name="base_url",
            value=place,
            remedy="use https://, or a key_variable that is not set if the server needs no key",
        )


def _address(url: str) -> tuple[str, str]:
    """Host, and the address in normal form. The refusal does not repeat the address: it may hold a secret."""
    refusal = DoppelError(
        "generation.base_url_wrong",
        "base_url must be http(s)://HOST[:PORT][/PATH], without credentials, query or fragment",
        name="base_url",
    )
    try:
        parts = urlsplit(url.strip())
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise refusal
    if parts.query or parts.fragment:
        raise refusal
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.hostname, f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(variable: str) -> str:
    """The key in an environment variable, or "". A refusal does not repeat a wrong name: it may be the key."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", variable):
        raise DoppelError(
            "generation.key_variable_wrong",
            "key_variable must be the name of an environment variable (A-Z, 0-9, _), never a key itself",
            name="key_variable",
        )
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise DoppelError(
            "generation.key_malformed",
            f"the key in {variable} has characters that no key has",
            name=variable,
            remedy="copy it again",
        )
    return key


def _variable(name: str, meaning: str) -> str:
    """The value of an environment variable that must be set."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise DoppelError(
            "generation.variable_missing",
            f"the environment variable {name} is not set",
            name=name,
            remedy=f"set it to {meaning}",
        )
    return value
