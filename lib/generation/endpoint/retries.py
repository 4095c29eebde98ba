"""What may go wrong between a client and a server: which faults pass, how long to wait, how to say it."""

import random
import re
import time
from email.utils import mktime_tz, parsedate_tz

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from lib.generation.endpoint.wire_format import BrokenReply

LONGEST_WAIT = 120.0  # seconds; a server that asks for more is not waited for
_FIRST_WAIT, _LAST_WAIT = 0.5, 30.0  # seconds, doubled from one retry to the next

Fault = APIError | BrokenReply


def passes(fault: Fault) -> bool:
    """Whether the same request may be answered later."""
    if not isinstance(fault, APIStatusError):
        return isinstance(fault, APIConnectionError | BrokenReply)
    if fault.code == "insufficient_quota" or (_told(fault) or 0) > LONGEST_WAIT:
        return False
    return fault.status_code in (408, 409, 429) or fault.status_code >= 500


def is_filtered(fault: Fault) -> bool:
    """Whether Azure's content filter turned the prompt away: a refusal, though it comes as HTTP 400."""
    return isinstance(fault, APIStatusError) and fault.code == "content_filter"


def wait(fault: Fault, retry: int, seed: int) -> float:
    """Seconds before a retry, the first being 0: what the server asks for, else a doubling time.

    Up to half as much is added at random, so that requests that failed together do not come back together.
    """
    told = _told(fault)
    seconds = min(_FIRST_WAIT * 2**retry, _LAST_WAIT) if told is None else max(told, _FIRST_WAIT)
    return seconds * random.Random(seed + retry).uniform(1, 1.5)


def _told(fault: Fault) -> float | None:
    """Seconds in the reply's Retry-After header, which holds a number or a date (RFC 9110, 10.2.3)."""
    if not isinstance(fault, APIStatusError):
        return None
    value = fault.response.headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    date = parsedate_tz(value)
    return None if date is None else max(0.0, mktime_tz(date) - time.time())


def words(fault: Fault, timeout: float) -> str:
    """The fault, without the server's own words: those may repeat the prompt or a part of the key."""
    if isinstance(fault, APITimeoutError):
        return f"no reply within timeout = {timeout:g} s"
    if isinstance(fault, APIConnectionError):
        return "the connection was refused or dropped"
    if not isinstance(fault, APIStatusError):
        return "a reply that is no chat completion"
    code = f" ({fault.code})" if re.fullmatch(r"[a-z_]{1,40}", fault.code or "") else ""
    told = _told(fault)
    return f"HTTP {fault.status_code}{code}" + (f", asks to wait {told:.0f} s" if told else "")


def remedy(fault: Fault, key_variable: str) -> str:
    """What to look at first."""
    if isinstance(fault, APITimeoutError):
        return "raise timeout or lower concurrency"
    if not isinstance(fault, APIStatusError):
        return "check that the server runs and that base_url is its API (it often ends in /v1)"
    by_status = {
        401: f"check the key in {key_variable}",
        403: f"check what the key in {key_variable} may do",
        404: "check the model's name and base_url",
        429: "lower concurrency, or check the account's limits",
    }
    if fault.status_code < 500:
        return by_status.get(fault.status_code, "check that the model takes these parameters and lengths")
    return "wait until the server is well"
