"""Where a server is and what opens it: addresses without secrets, and names of environment variables."""

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from lib.common.errors import DoppelError

OPENAI_KEY, AZURE_KEY = "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"


def address(url: str) -> tuple[str, str]:
    """Host, and the address in normal form.

    Args:
        url: of a server's API, ``http(s)://HOST[:PORT][/PATH]``.

    Raises:
        DoppelError: it is no such address. The refusal does not repeat it: it may hold a secret.
    """
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


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, which no proxy can reach.

    Args:
        host: name or address, without a port.
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def variable(name: str, meaning: str) -> str:
    """The value of an environment variable that must be set.

    Args:
        name: of the variable.
        meaning: what to set it to.

    Raises:
        DoppelError: it is not set.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise DoppelError(
            "generation.variable_missing",
            f"the environment variable {name} is not set",
            name=name,
            remedy=f"set it to {meaning}",
        )
    return value


def refuse_unencrypted(place: str, secret: str, remedy: str) -> None:
    """Refuse an address over which a secret would be sent unencrypted.

    Args:
        place: address in normal form, not of this machine.
        secret: what would be sent, in words.
        remedy: what to do.

    Raises:
        DoppelError: the address begins with http:.
    """
    if place.startswith("http:"):
        raise DoppelError(
            "generation.key_unencrypted",
            f"base_url = {place} would send {secret} unencrypted",
            name="base_url",
            value=place,
            remedy=remedy,
        )
