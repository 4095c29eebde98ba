"""Numbers as the report writes them: as many digits as can be read, units spelled out."""

import math

ABSENT = "–"
NO_BREAK = "\u00a0"


def number(value: float | None, digits: int = 3) -> str:
    """``digits`` significant ones of a float, all of an integer; a power of ten only below 0.0001: 4.3e-5."""
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
    """A value and its interval, ``("0.412", "0.374 to 0.450")``: decimals to the second digit of half its width."""
    if low is None or high is None or not high > low:
        return number(value), None
    decimals = min(6, max(0, 1 - math.floor(math.log10((high - low) / 2))))
    value, low, high = (f"{one:,.{decimals}f}" for one in (value, low, high))
    return value, f"{low} to {high}"


def duration(seconds: float | None) -> str:
    """``3 min 35 s``, ``2 h 5 min``, in one piece."""
    if seconds is None:
        return ABSENT
    if seconds < 10:
        return f"{number(float(seconds), 2)}{NO_BREAK}s"
    hours, minutes, rest = round(seconds) // 3600, round(seconds) // 60 % 60, round(seconds) % 60
    parts = {"h": hours, "min": minutes, "s": 0 if hours else rest}
    return NO_BREAK.join(f"{count}{NO_BREAK}{unit}" for unit, count in parts.items() if count)


def memory(megabytes: float | None) -> str:
    """``1.8 GB``, ``640 MB``."""
    if megabytes is None:
        return ABSENT
    return f"{number(megabytes / 1000, 2)} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
