"""Check digits against published examples and against python-stdnum."""

from random import Random

from stdnum import luhn as other_luhn
from stdnum.iso7064 import mod_11_10 as other_mod

from lib.pii import checksums


def test_published_examples() -> None:
    assert checksums.luhn("7992739871") == "3"
    assert checksums.luhn("49015420323751") == "8"  # an IMEI
    assert checksums.vin("1M8GDM9AXKP042788") == "X"
    assert checksums.vin("11111111111111111") == "1"


def test_as_an_independent_library_has_them() -> None:
    rng = Random(0)
    for _ in range(500):
        digits = str(rng.randrange(10**10))
        assert checksums.luhn(digits) == other_luhn.calc_check_digit(digits)
        assert checksums.mod_11_10(digits) == other_mod.calc_check_digit(digits)
