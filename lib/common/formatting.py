"""Numbers as readers see them: as many digits as they can use, units spelled out."""

import math

ABSENT = "–"
UNDEFINED = "not defined"  # a metric that has no value, with its reason beside it
NOT_PRIVATE = "not private"  # instead of an epsilon
NO_BREAK = "\u00a0"


def number(value: float | None, digits: int = 3, *, absent: str = ABSENT) -> str:
    """A number without its unit.

    Args:
        value: an integer is written in full, ``12,345``; a float with ``digits`` significant digits, ``0.412``, and
            with a power of ten below 0.0001, ``4.30e-5``.
        digits: significant digits of a float, at least 1.
        absent: what is written for None.
    """
    if value is None:
        return absent
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or not math.isfinite(value):
        return f"{value + 0.0:g}"  # adding 0 takes the sign off -0
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4:
        return f"{value:.{digits - 1}e}".replace("e-0", "e-")
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}"


def measured(value: float, low: float | None, high: float | None) -> tuple[str, str | None]:
    """A value and its interval, ``("0.412", "0.374 to 0.450")``, down to the second digit of half the interval's width.

    Args:
        value: the estimate.
        low: the interval's lower end, None where there is no interval.
        high: its upper end.

    Returns:
        The value and the interval as text; None for an interval that is missing or empty.
    """
    if not _spans(low, high):
        return number(value), None
    value, low, high = _same_digits(value, low, high)
    return value, f"{low} to {high}"


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """A value with its interval in one piece, ``0.412 [0.374, 0.450]``; see `measured`.

    Args:
        value: the estimate; None is written as `UNDEFINED`.
        low: the interval's lower end, None where there is no interval.
        high: its upper end.
    """
    if value is None:
        return UNDEFINED
    if not _spans(low, high):
        return number(value)
    return "{} [{}, {}]".format(*_same_digits(value, low, high))


def _spans(low: float | None, high: float | None) -> bool:
    """Whether there is an interval, and one that is wider than rounding errors."""
    return low is not None and high is not None and high - low > 1e-9 * max(abs(low), abs(high))


def _same_digits(value: float, low: float, high: float) -> tuple[str, str, str]:
    decimals = min(6, max(0, 1 - math.floor(math.log10((high - low) / 2))))
    value, low, high = (f"{end:z,.{decimals}f}" for end in (value, low, high))
    return value, low, high


def epsilon(value: float | None) -> str:
    """An epsilon, ``7.999``, or `NOT_PRIVATE`.

    Args:
        value: 0 or more; None where nothing bounds it.
    """
    return number(value, 4, absent=NOT_PRIVATE)


def duration(seconds: float | None) -> str:
    """A time of two units at most, ``3 min 35 s``, ``2 h 5 min``, that no line break can part.

    Args:
        seconds: 0 or more; None is written as `ABSENT`.
    """
    if seconds is None:
        return ABSENT
    if seconds < 10:
        return f"{number(float(seconds), 2)}{NO_BREAK}s"
    hours, minutes, rest = round(seconds) // 3600, round(seconds) // 60 % 60, round(seconds) % 60
    counts = {"h": hours, "min": minutes, "s": 0 if hours else rest}
    return NO_BREAK.join(f"{count}{NO_BREAK}{unit}" for unit, count in counts.items() if count)


def memory(megabytes: float | None) -> str:
    """An amount of memory, ``1.8 GB``, ``640 MB``.

    Args:
        megabytes: of 1,000,000 bytes; None is written as `ABSENT`.
    """
    if megabytes is None:
        return ABSENT
    return f"{number(megabytes / 1000, 2)} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def dollars(amount: float | None, *, absent: str = ABSENT) -> str:
    """An amount of money, ``$1.25``.

    Args:
        amount: in dollars.
        absent: what is written for None.
    """
    return absent if amount is None else f"${amount:,.2f}"
