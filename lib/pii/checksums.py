"""Check digits, written here from their definitions, so that a library's check of a value is an independent one."""

from collections.abc import Sequence

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def luhn(digits: str) -> str:
    """The digit that makes ``digits`` pass Luhn's test when it is put behind them (ISO 7812-1, annex B).

    >>> luhn("7992739871")
    '3'
    """
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights, of equal number."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def mod_11_10(digits: str) -> str:
    """The check digit of ISO 7064, MOD 11,10."""
    product = 10
    for digit in map(int, digits):
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def vin(number: str) -> str:
    """The check digit of a vehicle identification number (49 CFR 565.15).

    Args:
        number: all 17 characters; the ninth, the check digit's place, does not count.
    """
    numbers = (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9)
    values = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", numbers, strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    total = sum(
        (int(mark) if mark.isdigit() else values[mark]) * weight for mark, weight in zip(number, weights, strict=True)
    )
    return "0123456789X"[total % 11]
