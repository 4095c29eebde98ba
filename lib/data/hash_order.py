"""Orders records by a hash, so that a draw depends on a seed and the records' names, not on their order in a file."""

from hashlib import blake2b


def rank(seed: int, purpose: str, name: str) -> int:
    """A hash to sort by; taking the smallest gives an order-independent sample without a random state.

    Args:
        seed: another seed gives another order.
        purpose: what is drawn ("limit", "split"), so that two draws with one seed are independent.
        name: the name of the record or user.

    Returns:
        an integer in [0, 2^64), fixed by the three arguments.
    """
    key = f"{seed}\0{purpose}\0{name}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")
