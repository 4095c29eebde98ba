"""Numbers as the report writes them: as many digits as can be read, units spelled out."""

import math

ABSENT = "–"


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


def interval(low: float | None, high: float | None) -> str | None:
    """``0.601 to 0.645``, or None where there is none."""
    return None if low is None or high is None else f"{number(low)} to {number(high)}"


def duration(seconds: float | None) -> str:
    """``3 min 35 s``, ``2 h 5 min``."""
    if seconds is None:
        return ABSENT
    whole = round(seconds)
    if whole < 60:
        return f"{number(seconds, 2) if seconds < 10 else whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def memory(megabytes: float | None) -> str:
    """``1.8 GB``, ``640 MB``."""
    if megabytes is None:
        return ABSENT
    return f"{number(megabytes / 1000, 2)} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def rounded(value: float | None, digits: int = 2) -> float | None:
    """To ``digits`` significant ones: what a public page says of times, which depend a little on the records."""
    if not value:
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))
