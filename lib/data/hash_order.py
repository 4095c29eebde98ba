"""An order of records that depends on a seed and their names alone."""

from hashlib import blake2b


def rank(seed: int, purpose: str, name: str) -> int:
    """A 64-bit number fixed by its arguments alone: smallest first is a draw without an order or a generator."""
    key = f"{seed}\0{purpose}\0{name}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")
