"""A keyed hash of a record or a user, so that a draw depends on a seed and on what is drawn, not on a file's order."""

from hashlib import blake2b


def rank(seed: int, purpose: str, name: str) -> int:
    """A hash to sort by, or to compare with a threshold: an order-independent draw without a random state.

    Args:
        seed: another seed gives another order.
        purpose: what is drawn ("share", "split"), so that two draws with one seed are independent.
        name: the content of the record, or the user; never a row number, which a line more in the file would change.

    Returns:
        an integer in [0, 2^64), fixed by the three arguments.
    """
    key = f"{seed}\0{purpose}\0{name}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")
