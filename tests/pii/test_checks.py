"""A check says no to a changed digit, and knows published examples."""

from datetime import date

import pytest
from stdnum import luhn

from lib.common.errors import DoppelError
from lib.pii.checks import bank_is_known, check
from lib.pii.finance import TEST_CARDS
from lib.pii.values import Values

REFERENCE = date(2026, 1, 31)
WITH_CHECK_DIGITS = ("BITCOINADDRESS", "CREDITCARDNUMBER", "IBAN", "LITECOINADDRESS", "PHONEIMEI", "VEHICLEVIN")


@pytest.mark.parametrize("name", WITH_CHECK_DIGITS)
def test_a_changed_digit_is_seen(name: str) -> None:
    for seed in range(200):
        value = Values(seed, "fr_FR", REFERENCE).value(name, 1)
        if not (digits := [i for i, mark in enumerate(value) if mark.isdigit() and mark not in "019"]):
            continue  # an address in Base58 may have no digit but 1 and 9
        place = digits[-1]
        changed = value[:place] + str(int(value[place]) + 1) + value[place + 1 :]
        assert check(name, value, "fr_FR") is True
        assert check(name, changed, "fr_FR") is False, (value, changed)


def test_a_letter_of_the_wrong_case_is_seen_in_ethereum() -> None:
    for seed in range(200):
        value = Values(seed, "en_US", REFERENCE).value("ETHEREUMADDRESS", 1)
        place = next(i for i in range(2, 42) if value[i].isalpha())
        changed = value[:place] + value[place].swapcase() + value[place + 1 :]
        assert check("ETHEREUMADDRESS", value, "en_US") and not check("ETHEREUMADDRESS", changed, "en_US")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BITCOINADDRESS", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", True),  # of the first block
        ("BITCOINADDRESS", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", True),  # BIP 173
        ("LITECOINADDRESS", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", False),
        ("LITECOINADDRESS", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", True),
        ("LITECOINADDRESS", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n8", False),
        ("LITECOINADDRESS", "ltc1", False),
        ("LITECOINADDRESS", "Lé", False),
        ("ETHEREUMADDRESS", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", True),  # EIP-55
        ("ETHEREUMADDRESS", "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", False),
        ("IBAN", "GB82 WEST 1234 5698 7654 32", True),
        ("IBAN", "GB82 WEST 1234 5698 7654 33", False),
        ("VEHICLEVIN", "1M8GDM9AXKP042788", True),
        ("VEHICLEVIN", "1M8GDM9A1KP042788", False),
        ("VEHICLEVIN", "short", False),
        ("EMAIL", "jane@example.com", True),
        ("EMAIL", "jane@", False),
        ("IPV4", "192.0.2.256", False),
        ("IPV4", "192.0.2.0/24", False),
        ("IP", "no address", False),
        ("IPV6", "2001:db8::1", True),
        ("IPV6", "192.0.2.1", False),
        ("CURRENCYCODE", "EUR", True),
        ("CURRENCYCODE", "EUX", False),
        ("PHONENUMBER", "+49 30 23125000", True),
        ("PHONENUMBER", "12", False),
        ("PHONENUMBER", "call me", False),
        ("SSN", "078-05-1120", False),  # printed on a wallet's sample card, and never given since
        ("FIRSTNAME", "Jane", None),
    ],
)
def test_known_values(name: str, value: str, expected: bool | None) -> None:
    assert check(name, value, "en_US") is expected


def test_a_timestamp_that_passes_luhn_is_no_card() -> None:
    assert luhn.is_valid("1548138160707") and check("CREDITCARDNUMBER", "1548138160707", "en_US") is False
    assert all(check("CREDITCARDNUMBER", number, "en_US") for numbers in TEST_CARDS.values() for number in numbers)


@pytest.mark.parametrize(
    ("account", "valid", "known"),
    [
        ("DE89 3704 0044 0532 0130 00", True, True),
        ("DE41 0000 0000 0000 0000 00", False, False),
        ("GB35 ABCD 1234 5698 7654 32", True, False),  # an invented bank, with the check digits that it would have
        ("no account", False, False),
    ],
)
def test_a_valid_account_at_an_invented_bank_is_told_apart(account: str, valid: bool, known: bool) -> None:
    assert check("IBAN", account, "de_DE") is valid and bank_is_known(account) is known


def test_unknown_names_are_refused() -> None:
    for arguments in (("MAIL", "x", "en_US"), ("EMAIL", "x", "en_USA")):
        with pytest.raises(DoppelError):
            check(*arguments)
