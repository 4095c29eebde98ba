"""Retryable errors, backoff, and messages for requests to an endpoint.

The openai client's own retries are switched off. It does not retry a broken reply with status 200, retries an account
without money, and sleeps where a failure of another request or an interrupt could not wake it.
"""

import random
import re
import time
from email.utils import mktime_tz, parsedate_tz

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from lib.generation.endpoint.wire_format import LENGTH_FIELDS, BrokenReply

LONGEST_WAIT = 120.0  # seconds; a request is not retried if the server asks to wait longer
_FIRST_WAIT, _LAST_WAIT = 0.5, 30.0  # seconds, doubled from one retry to the next

_WORD = re.compile(r"[a-z_]{1,40}((\.|\[\d{1,3}\]\.?)[a-z_]{1,40}){0,4}")  # max_tokens, messages[0].content

# codes of OpenAI and Azure: the prompt is refused, the parameter is unknown
_REFUSALS = ("content_filter", "content_policy_violation", "invalid_prompt")
_UNSUPPORTED = ("unsupported_parameter", "unknown_parameter", None)

_SETTINGS = {"seed": "set send_seed: false"} | dict.fromkeys(
    LENGTH_FIELDS, "lower max_new_tokens, or name the limit that the server knows in length_parameter"
)

Fault = APIError | BrokenReply


def is_retryable(fault: Fault) -> bool:
    """Whether the same request may succeed later.

    Args:
        fault: the error of a try.
    """
    if not isinstance(fault, APIStatusError):
        return isinstance(fault, APIConnectionError | BrokenReply)
    if fault.code == "insufficient_quota" or (_retry_after(fault) or 0) > LONGEST_WAIT:
        return False
    return fault.status_code in (408, 409, 429) or fault.status_code >= 500


def is_refusal(fault: Fault) -> bool:
    """Whether the provider refused the prompt for what it says: a refusal, although it comes as an error.

    Args:
        fault: the error of a try.
    """
    if not isinstance(fault, APIStatusError) or fault.status_code not in (400, 403, 422):
        return False
    return fault.code in _REFUSALS or fault.type in _REFUSALS


def is_unsupported(fault: Fault, parameter: str) -> bool:
    """Whether the server does not know a parameter; one whose value is out of range is known.

    Args:
        fault: the error of a try.
        parameter: name of a field of the request.
    """
    return isinstance(fault, APIStatusError) and fault.param == parameter and fault.code in _UNSUPPORTED


def backoff(fault: Fault, retry: int, seed: int) -> float:
    """Seconds to wait before a retry: as long as the server asks for, else a time that doubles with each retry.

    Up to half as much is added at random, so that requests that failed together are not repeated together.

    Args:
        fault: the error of the last try.
        retry: number of the retry, from 0.
        seed: of the random part.
    """
    asked = _retry_after(fault)
    seconds = min(_FIRST_WAIT * 2**retry, _LAST_WAIT) if asked is None else max(asked, _FIRST_WAIT)
    return seconds * random.Random(seed + retry).uniform(1, 1.5)


def _retry_after(fault: Fault) -> float | None:
    """Seconds in the reply's Retry-After header, which holds a number or a date (RFC 9110, 10.2.3)."""
    if not isinstance(fault, APIStatusError):
        return None
    value = fault.response.headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    date = parsedate_tz(value)
    return None if date is None else max(0.0, mktime_tz(date) - time.time())


def describe(fault: Fault, timeout: float) -> str:
    """The fault in our words: the server's own may repeat the prompt or a part of the key.

    Args:
        fault: the error of the last try.
        timeout: of the endpoint, in seconds.
    """
    if isinstance(fault, APITimeoutError):
        return f"no reply within timeout = {timeout:g} s"
    if isinstance(fault, APIConnectionError):
        return "the connection was refused or dropped"
    if not isinstance(fault, APIStatusError):
        return "a reply that is not a chat completion"
    words = ": ".join(filter(None, (_word(fault.code), _word(fault.param))))
    asked = _retry_after(fault)
    named = f" ({words})" if words else ""
    return f"HTTP {fault.status_code}{named}" + (f", asks to wait {asked:.0f} s" if asked else "")


def _word(value: object) -> str:
    """A code or the name of a parameter, or "" for what could be a part of the prompt or the key."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def remedy(fault: Fault, key_variable: str) -> str:
    """What to check first.

    Args:
        fault: the error of the last try.
        key_variable: name of the environment variable that holds the key.
    """
    if isinstance(fault, APITimeoutError):
        return "raise timeout or lower concurrency"
    if not isinstance(fault, APIStatusError):
        return "check that the server runs and that base_url is its API (it often ends in /v1)"
    by_status = {
        401: f"check the key in {key_variable}",
        403: f"check the permissions of the key in {key_variable}",
        404: "check the model's name and base_url",
        429: "lower concurrency, or check the account's limits",
    }
    if fault.status_code < 500:
        if (parameter := _word(fault.param)) in _SETTINGS:
            return _SETTINGS[parameter]
        return by_status.get(fault.status_code, "check that the model supports these parameters and lengths")
    return "wait until the server has recovered"
