"""Failed tries of any server: whether to try again, how long to wait, and how the failure is told.

The retries of the clients' own (openai, botocore) are switched off. They do not retry a broken reply with status 200,
retry an account without money, and sleep where a failure of another request or an interrupt could not wake them.
"""

import random
import re
import time
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz

LONGEST_WAIT = 120.0  # seconds; a request is not retried if the server asks to wait longer
_FIRST_WAIT, _LAST_WAIT = 0.5, 30.0  # seconds, doubled from one retry to the next


@dataclass(eq=False)
class Fault(Exception):
    """A try that failed, in our words: the server's own may repeat the prompt or a part of the key.

    Attributes:
        described: what happened.
        remedy: what to check first.
        retryable: whether the same request may succeed later.
        wait: seconds that the server asks to wait before that; None where it does not say.
        of_request: whether another request may well be answered: what failed is no key, address or name of a model.
        place: address of the server, where a group of servers noted it.
    """

    described: str
    remedy: str
    retryable: bool = False
    wait: float | None = None
    of_request: bool = False
    place: str = ""


def timed_out(timeout: float) -> Fault:
    """The fault of a server that sent nothing.

    Args:
        timeout: of the endpoint, in seconds.
    """
    return Fault(
        f"no reply within timeout = {timeout:g} s",
        "raise timeout or lower concurrency",
        retryable=True,
        of_request=True,
    )


def disconnected(remedy: str) -> Fault:
    """The fault of a server that cannot be reached, or that ended the connection.

    Args:
        remedy: what to check first.
    """
    return Fault("the connection was refused or dropped", remedy, retryable=True, of_request=True)


def broken(remedy: str) -> Fault:
    """The fault of a reply with status 200 that holds no completion: not JSON, a proxy's web page.

    Args:
        remedy: what to check first.
    """
    return Fault("a reply that is not a chat completion", remedy, retryable=True, of_request=True)


def answered(status: int, words: str, wait: float | None, remedy: str, *, passes: bool) -> Fault:
    """The fault of a server that answered with an error.

    Args:
        status: of HTTP.
        words: the error's code, where it is known to be no part of the prompt or the key; else "".
        wait: seconds that the server asks to wait; None where it does not say.
        remedy: what to check first, for a fault of the request; one of the server has its own.
        passes: whether the error is one that passes. It is not retried where the wait is over `LONGEST_WAIT`.
    """
    named = f" ({words})" if words else ""
    asks = f", asks to wait {wait:.0f} s" if wait else ""
    return Fault(
        f"HTTP {status}{named}{asks}",
        remedy if status < 500 else "wait until the server has recovered",
        retryable=passes and (wait or 0) <= LONGEST_WAIT,
        wait=wait,
        of_request=status in (400, 408, 409, 413, 422) or status >= 500,
    )


def asked_wait(header: str) -> float | None:
    """Seconds in a Retry-After header, which holds a number or a date (RFC 9110, 10.2.3).

    Args:
        header: its value, "" where there is none.
    """
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header):
        return float(header)
    date = parsedate_tz(header)
    return None if date is None else max(0.0, mktime_tz(date) - time.time())


def backoff(fault: Fault, retry: int, seed: int) -> float:
    """Seconds to wait before a retry: as long as the server asks for, else a time that doubles with each retry.

    Up to half as much is added at random, so that requests that failed together are not repeated together.

    Args:
        fault: of the last try.
        retry: number of the retry, from 0.
        seed: of the random part.
    """
    seconds = min(_FIRST_WAIT * 2**retry, _LAST_WAIT) if fault.wait is None else max(fault.wait, _FIRST_WAIT)
    return seconds * random.Random(seed + retry).uniform(1, 1.5)
