"""Cards, accounts and currencies of one person agree."""

from datetime import date

import pytest
import schwifty
from faker import Faker
from stdnum import iban

from lib.pii.finance import _NAMES, IBAN_COUNTRIES, ISSUERS, OWN_CURRENCIES
from lib.pii.locales import locales
from lib.pii.values import Values

REFERENCE = date(2026, 1, 31)
FIRST_DIGITS = dict(zip(ISSUERS, ("4", "25", "3", "6", "3", "3"), strict=True))


@pytest.mark.parametrize("ranges", ["plausible", "reserved"])
def test_issuer_number_code_and_mask_are_of_one_card(ranges: str) -> None:
    issuers = set()
    for seed in range(200):
        values = Values(seed, "en_US", REFERENCE, ranges)
        issuer, number, code, masked = (
            values.value(name, 1) for name in ("CREDITCARDISSUER", "CREDITCARDNUMBER", "CREDITCARDCVV", "MASKEDNUMBER")
        )
        digits = number.replace(" ", "")
        assert digits[0] in FIRST_DIGITS[issuer]
        assert len(code) == (4 if issuer == "American Express" else 3)
        assert masked[-4:] == digits[-4:] and len(masked) == len(digits) and len(set(masked[:-4])) == 1
        assert not masked[0].isdigit()
        issuers.add(issuer)
    assert issuers == set(FIRST_DIGITS)


def test_a_reserved_bank_code_is_one_for_tests() -> None:
    for seed in range(50):
        codes = (Values(seed, "de_DE", REFERENCE, ranges).value("BIC", 1) for ranges in ("reserved", "plausible"))
        kept, plain = map(schwifty.BIC, codes)
        assert kept.type == "testing" != plain.type


@pytest.mark.parametrize("locale", ["de_DE", "fr_FR", "en_US", "uk_UA"])
def test_the_bank_of_the_account_has_the_code(locale: str) -> None:
    known = 0
    for seed in range(50):
        values = Values(seed, locale, REFERENCE)
        account, code = schwifty.IBAN(values.value("IBAN", 1)), values.value("BIC", 1)
        known += account.bic is not None
        assert code == account.bic if account.bic else code[4:6] == account.country_code
    assert known or locale == "uk_UA"


def weighted(digits: str, weights: str) -> int:
    return sum(int(digit) * int(weight, 11) for digit, weight in zip(digits, weights, strict=True))


def czech(number: str) -> bool:
    return weighted(number[8:14], "a58421") % 11 == 0 == weighted(number[14:], "6379a58421") % 11


def french(number: str) -> bool:
    values = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789", strict=True))
    digits = "".join(values.get(mark, mark) for mark in number[4:])
    return (89 * int(digits[:5]) + 15 * int(digits[5:10]) + 3 * int(digits[10:21]) + int(digits[21:])) % 97 == 0


NATIONAL_RULES = {  # the check digits inside of an account number
    "cs_CZ": czech,
    "fr_FR": french,
    "pl_PL": lambda number: weighted(number[4:12], "39713971") % 10 == 0,
    "pt_PT": lambda number: int(number[4:]) % 97 == 1,
    "sk_SK": czech,
}


@pytest.mark.parametrize("locale", NATIONAL_RULES)
def test_account_numbers_keep_national_rules_that_fakers_do_not(locale: str) -> None:
    rule = NATIONAL_RULES[locale]
    fake = Faker(locale)
    fake.seed_instance(0)
    ours = [Values(seed, locale, REFERENCE).value("IBAN", 1).replace(" ", "") for seed in range(50)]
    assert all(iban.is_valid(number) and rule(number) for number in ours)
    assert sum(rule(fake.iban()) for _ in range(50)) < 20


@pytest.mark.parametrize(("locale", "seeds"), [("no_NO", 400), ("nl_BE", 1500)])
def test_accounts_are_those_that_libraries_agree_on(locale: str, seeds: int) -> None:
    assert all(iban.is_valid(Values(seed, locale, REFERENCE).value("IBAN", 1)) for seed in range(seeds))


def test_account_numbers_are_of_the_country_where_it_has_them() -> None:
    for name, locale in locales().items():
        country = Values(1, name, REFERENCE).value("IBAN", 1)[:2]
        assert country == locale.country if locale.country in IBAN_COUNTRIES else country in IBAN_COUNTRIES


def test_name_code_and_sign_are_of_one_currency() -> None:
    signs: dict[str, str] = {}
    for seed in range(300):
        values = Values(seed, "ja_JP", REFERENCE)
        code = values.value("CURRENCYCODE", 1)
        assert values.value("CURRENCYNAME", 1) == values.value("CURRENCY", 1) == _NAMES[code]
        assert signs.setdefault(code, values.value("CURRENCYSYMBOL", 1)) == values.value("CURRENCYSYMBOL", 1)
    assert set(OWN_CURRENCIES.values()) <= set(_NAMES) and len(signs) > 50 and signs["JPY"] == "¥"


def test_sums_are_written_as_in_the_locale() -> None:
    american, german = (
        [Values(seed, name, REFERENCE).value("AMOUNT", 1) for seed in range(200)] for name in ("en_US", "de_DE")
    )
    swapped = str.maketrans(",.", ".,")
    assert [value.translate(swapped) for value in american] == german
    assert all(0 < float(value.replace(",", "")) <= 100_000 for value in american)
