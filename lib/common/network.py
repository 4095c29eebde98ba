"""What network clients find here: proxies, certificates, folders with names of the hub. Checked before one is made.

The clients of OpenAI and of the hub end with errors of their own where it makes no sense, which nobody may see inside a
stage.
"""

import os
import ssl
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from lib.common.errors import DoppelError

_SCHEMES = ("http", "https", "socks5", "socks5h")  # of proxies, that httpx knows


def check_environment() -> None:
    """Refuse a proxy or a file of certificates, named by an environment variable, that no client can use.

    Raises:
        DoppelError: with the variable. The address of a proxy is not shown, for it may hold a password.
    """
    proxies = getproxies_environment()
    for kind in ("http", "https", "all"):
        if address := proxies.get(kind):
            _check_proxy(f"{kind.upper()}_PROXY", address if "://" in address else f"http://{address}")
    if path := os.environ.get("SSL_CERT_FILE"):
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:  # an SSLError is one
            cause = "it holds no certificates" if isinstance(error, ssl.SSLError) else os.strerror(error.errno)
            raise DoppelError(
                "common.certificates",
                f"the environment variable SSL_CERT_FILE names {path}: {cause}",
                name="SSL_CERT_FILE",
                value=path,
                remedy="name a file of certificates that you may read, or unset it",
            ) from None


def check_hub_name(given: str, name: str) -> None:
    """Refuse a name of the hub that a folder or file here has too: every client of the hub takes that one instead.

    Args:
        given: ``OWNER/NAME``; a folder is looked for from the working directory, as the clients do.
        name: the parameter that it is from.

    Raises:
        DoppelError: there is such a folder or file.
    """
    if os.path.lexists(given):  # of no name and of one that is too long: False
        raise DoppelError(
            "common.hub_name_taken",
            f"hub:{given} is a folder or file here, which would be read in place of the hub's",
            name=name,
            value=f"hub:{given}",
            remedy="move or rename it, or name it as what it is, without hub:",
        )


def _check_proxy(variable: str, address: str) -> None:
    """Refuse an address that is none; ``variable`` may be set in lower case as well."""
    try:
        parts = urlsplit(address)
        fits = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise DoppelError(
            "common.proxy",
            f"the environment variable {variable} (or {variable.lower()}) holds no address of a proxy",
            name=variable,
            remedy=f"write SCHEME://HOST:PORT, where SCHEME is one of {', '.join(_SCHEMES)}, or unset it",
        )
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise DoppelError(
            "common.socks",
            f"the environment variable {variable} (or {variable.lower()}) names a SOCKS proxy",
            name=variable,
            remedy="pip install socksio, name an http:// proxy, or unset it",
        )
