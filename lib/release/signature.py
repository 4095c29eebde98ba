"""The holder's signature of a pack, which shows whose word it is: Ed25519 (RFC 8032) over the bytes of the certificate.

The certificate has the hash of every other file, so nothing else needs to be signed. A signature says who vouches for
the pack, to whoever has the public key from somewhere else. It does not make a claim true.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common import shape
from lib.common.errors import DoppelError
from lib.common.files import read_bounded, write_atomic
from lib.release.certificate import NAME, SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MOST_BYTES = 1000
_SHAPE = shape.fields(
    algorithm=shape.one_of("Ed25519"), public_key=shape.text("[0-9a-f]{64}"), signature=shape.text("[0-9a-f]{128}")
)


def new_key(path: Path) -> Path:
    """Make a key. The private half is for the holder alone; the other goes to whoever checks packs.

    Args:
        path: of the private key, PEM; it must not exist yet. Only its owner may read it.

    Returns:
        The path of the public key, PEM: the same with ``.pub`` at its end.

    Raises:
        DoppelError: the file exists.
    """
    from cryptography.hazmat.primitives import serialization as spell  # late: only signing needs it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if path.exists():
        raise DoppelError(
            "release.key_exists", "exists already", name=str(path), remedy="name another file", where=str(path)
        )
    key, public = Ed25519PrivateKey.generate(), path.with_name(f"{path.name}.pub")
    pem = key.private_bytes(spell.Encoding.PEM, spell.PrivateFormat.PKCS8, spell.NoEncryption())
    write_atomic(public, key.public_key().public_bytes(spell.Encoding.PEM, spell.PublicFormat.SubjectPublicKeyInfo))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return public


def private_key(path: Path) -> "Ed25519PrivateKey":
    """Read a private key.

    Args:
        path: PEM, without a password, as `new_key` or ``openssl genpkey -algorithm ed25519`` writes it.

    Raises:
        DoppelError: there is no such key in the file. Nothing of it is quoted.
    """
    from cryptography.hazmat.primitives import serialization as spell
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = _load(path, lambda written: spell.load_pem_private_key(written, password=None))
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "a private Ed25519 key")
    return key


def sign(folder: Path, key: "Ed25519PrivateKey") -> None:
    """Sign the certificate in a folder, which is not changed any more.

    Args:
        folder: of a pack.
        key: of its holder.
    """
    public = key.public_key().public_bytes_raw().hex()
    made = {"algorithm": "Ed25519", "public_key": public, "signature": key.sign((folder / NAME).read_bytes()).hex()}
    write_atomic(folder / SIGNATURE, json.dumps(made) + "\n")


def signer(folder: Path, key: Path | None = None) -> str | None:
    """Who signed a pack.

    Args:
        folder: of the pack.
        key: the public key, PEM, of who should have; None asks for nobody.

    Returns:
        The public key in hex; None where the pack is not signed.

    Raises:
        DoppelError: the signature is not one of this certificate, or not by this key; or there is none though ``key``
            was given.
    """
    path = folder / SIGNATURE
    if not path.is_file():
        if key is None:
            return None
        raise DoppelError("release.not_signed", "the pack is not signed", name=SIGNATURE)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        made = json.loads(read_bounded(path, MOST_BYTES))
        if list(_SHAPE(made, SIGNATURE)):
            raise ValueError
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(made["public_key"]))
        public.verify(bytes.fromhex(made["signature"]), (folder / NAME).read_bytes())
    except (ValueError, RecursionError, InvalidSignature):
        raise DoppelError(
            "release.signature_wrong", f"{SIGNATURE} is no signature of this certificate", name=SIGNATURE
        ) from None
    if key is not None and _public_key(key).public_bytes_raw() != public.public_bytes_raw():
        raise DoppelError("release.signed_by_another", f"{SIGNATURE} is by another key than {key.name}", name=SIGNATURE)
    return made["public_key"]


def _public_key(path: Path) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives import serialization as spell
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = _load(path, spell.load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "a public Ed25519 key")
    return key


def _load(path: Path, load: Callable[[bytes], object]) -> object:
    """What is in a key file; None where that is no key."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return load(read_bounded(path, MOST_BYTES))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):  # a TypeError asks for a password
        return None


def _no_key(path: Path, what: str) -> DoppelError:
    return DoppelError(
        "release.no_key",
        f"is not {what} in PEM, without a password",
        name=path.name,
        remedy="make one with ./run_all.sh release --new-key FILE",
        where=str(path),
    )
