"""Formats numbers for people: as many digits as can be read, units spelled out."""

import math

ABSENT = "–"
NO_BREAK = "\u00a0"


def number(value: float | None, digits: int = 3) -> str:
    """Format a number to a few significant digits.

    Args:
        value: an integer is written in full; None gives `ABSENT`.
        digits: significant digits of a float, at least 1.

    Returns:
        the number with commas between thousands; below 0.0001 with a power of ten: ``4.3e-5``.
    """
    if value is None:
        return ABSENT
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4:
        return f"{value:.{digits - 1}e}".replace("e-0", "e-")
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}"


def measured(value: float, low: float | None, high: float | None) -> tuple[str, str | None]:
    """Format an estimate and its interval: ``("0.412", "0.374 to 0.450")``.

    Args:
        value: the estimate.
        low: lower end of its interval, or None where there is none.
        high: upper end of its interval, or None where there is none.

    Returns:
        ``value`` and the interval, with decimals up to the second significant digit of half its width; None in place
        of the interval where there is none or it has no width.
    """
    if low is None or high is None or not high > low:
        return number(value), None
    decimals = min(6, max(0, 1 - math.floor(math.log10((high - low) / 2))))
    return f"{value:,.{decimals}f}", f"{low:,.{decimals}f} to {high:,.{decimals}f}"


def duration(seconds: float | None) -> str:
    """Format ``seconds`` as ``3 min 35 s`` or ``2 h 5 min``, with spaces that do not break; None gives `ABSENT`."""
    if seconds is None:
        return ABSENT
    if seconds < 10:
        return f"{number(float(seconds), 2)}{NO_BREAK}s"
    hours, minutes, rest = round(seconds) // 3600, round(seconds) // 60 % 60, round(seconds) % 60
    counts = {"h": hours, "min": minutes, "s": 0 if hours else rest}
    return NO_BREAK.join(f"{count}{NO_BREAK}{unit}" for unit, count in counts.items() if count)


def memory(megabytes: float | None) -> str:
    """Format ``megabytes`` as ``640 MB``, or from 1,000 on as ``1.8 GB``; None gives `ABSENT`."""
    if megabytes is None:
        return ABSENT
    return f"{number(megabytes / 1000, 2)} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
