"""The connection to an OpenAI-compatible server: its address from parameters, its key from the environment alone."""

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from openai import AzureOpenAI, DefaultHttpxClient, OpenAI

from lib.common.errors import DoppelError

OPENAI_KEY, AZURE_KEY = "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"
_OPENAI = "https://api.openai.com/v1"
_NO_KEY = "none"  # the client sends some key; a local server looks at none


@dataclass(frozen=True)
class Server:
    """One model of one server, ready to be asked. ``place`` is its address, which holds no credentials."""

    client: OpenAI
    model: str
    place: str
    hosted: bool  # by OpenAI or Azure, whose API has fewer sampling parameters than vLLM's
    key_variable: str


def connect(name: str, base_url: str | None, key_variable: str, timeout: float) -> Server:
    """The server of ``openai:MODEL`` or ``azure:DEPLOYMENT``.

    ``base_url`` None is OpenAI's own address, and for Azure the one in AZURE_OPENAI_ENDPOINT; OPENAI_BASE_URL is not
    looked at, so that the parameters say where a run's replies came from. Raises DoppelError for an unknown kind, an
    address that cannot be used, and a key that is missing or would travel unencrypted.
    """
    kind, _, model = name.partition(":")
    if kind not in ("openai", "azure") or not model:
        raise DoppelError(f"model = {name!r} must be openai:MODEL or azure:DEPLOYMENT")
    if kind == "azure":
        key_variable = AZURE_KEY if key_variable == OPENAI_KEY else key_variable
        url = base_url or _variable("AZURE_OPENAI_ENDPOINT", "the address of the Azure resource")
    else:
        url = base_url or _OPENAI
    host, place = _address(url)
    local = _is_loopback(host)
    hosted = kind == "azure" or f".{host}".endswith((".openai.com", ".azure.com"))
    key = _key(key_variable)
    if not key and hosted:
        raise DoppelError(
            f"the environment variable {key_variable} holds no key for {place}; set it (keys are read from the "
            "environment alone), or give the base_url of a server that needs none"
        )
    if key and not local and place.startswith("http:"):
        raise DoppelError(
            f"base_url = {place} would send the key in {key_variable} unencrypted; use https://, "
            "or a key_variable that is not set if the server needs no key"
        )
    shared = {"api_key": key or _NO_KEY, "timeout": timeout, "max_retries": 0}
    if local:  # a proxy for the outside has no way to this machine's own servers
        shared["http_client"] = DefaultHttpxClient(trust_env=False)
    if kind == "azure":
        version = _variable("OPENAI_API_VERSION", "the version of Azure's API")
        client = AzureOpenAI(azure_endpoint=place, azure_deployment=model, api_version=version, **shared)
    else:
        client = OpenAI(base_url=place, **shared)
    return Server(client, model, place, hosted, key_variable)


def _address(url: str) -> tuple[str, str]:
    """Host, and the address in plain form. An address that may hold a secret is refused without repeating it."""
    refusal = DoppelError("base_url must be http(s)://HOST[:PORT][/PATH], without credentials, query or fragment")
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
    """The key in an environment variable, or nothing. A wrong name is not repeated: it may be a key."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", variable):
        raise DoppelError("key_variable must be the name of an environment variable (A-Z, 0-9, _), never a key itself")
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise DoppelError(f"the key in {variable} has characters that no key has; copy it again")
    return key


def _variable(name: str, what: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise DoppelError(f"the environment variable {name} is not set; set it to {what}")
    return value
