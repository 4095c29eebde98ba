"""Accounts, cards, addresses of digital money, currencies and sums."""

import base58
import bech32
import schwifty
from Crypto.Hash import keccak
from faker.providers.currency import Provider as Currencies

from lib.pii.checksums import luhn
from lib.pii.persons import Person

IBAN_COUNTRIES = {  # those of our locales where schwifty and python-stdnum agree on the form
    "AT", "AZ", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GE", "GR", "HR", "HU", "IE", "IL", "IT", "MK",
    "NL", "NO", "PL", "PT", "RO", "RU", "SE", "SI", "SK", "UA",
}  # fmt: skip
BELGIAN_BANKS = ("128", "167", "606", "875", "919")  # in schwifty's registry and not in python-stdnum's
ABROAD = ("DE", "FR", "GB", "ES", "NL", "IT")  # where a person of a country without IBAN has the account
ISSUERS = {  # prefixes, and how many digits a number has
    "Visa": (("4",), 16),
    "Mastercard": (("51", "52", "53", "54", "55", "2221", "2720"), 16),
    "American Express": (("34", "37"), 15),
    "Discover": (("6011", "65"), 16),
    "Diners Club": (("36", "38"), 14),
    "JCB": (("3528", "3589"), 16),
}
TEST_CARDS = {  # as the networks and payment processors publish them
    "Visa": ("4111111111111111", "4012888888881881", "4242424242424242"),
    "Mastercard": ("5555555555554444", "5105105105105100", "2223003122003222"),
    "American Express": ("378282246310005", "371449635398431"),
    "Discover": ("6011111111111117", "6011000990139424"),
    "Diners Club": ("38520000023237", "36227206271667"),
    "JCB": ("3530111333300000", "3566002020360505"),
}
OWN_CURRENCY = 0.5  # how often a sum is in the currency of the locale


def iban(person: Person) -> str:
    """An account at a bank that the registry of the schwifty library has; the bank is real, the account made up.

    For a country without such a registry the bank code is made up too. No range of account numbers is reserved.
    """
    return _iban(person).formatted if person.rng("iban form").random() < 0.5 else _iban(person).compact


def bic(person: Person) -> str:
    """The code of the bank of `iban`; a made-up one where the registry has none, and where values are reserved."""
    account = _iban(person)
    if not person.reserved and account.bic:
        return account.bic.compact
    rng = person.rng("bic")
    bank = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(4))
    place = rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") + (
        "0" if person.reserved else rng.choice("ABCDEFGHKLMPRSTX")
    )
    return f"{bank}{account.country_code}{place}{rng.choice(['', 'XXX'])}"


def _iban(person: Person) -> schwifty.IBAN:
    country = person.locale.country
    if country not in IBAN_COUNTRIES:
        country = person.pick("abroad", ABROAD)
    rng = person.rng("iban")
    while _disputed(account := schwifty.IBAN.random(country, random=rng)):
        pass
    return account


def _disputed(account: schwifty.IBAN) -> bool:
    """Whether libraries disagree on an account: whether a bank is there, or how a check digit is computed."""
    if account.country_code == "NO":
        return account[8:10] == "00"
    return account.country_code == "BE" and account.bank_code in BELGIAN_BANKS


def account_number(person: Person) -> str:
    """8 to 12 digits."""
    rng = person.rng("account")
    return rng.choice("123456789") + "".join(rng.choice("0123456789") for _ in range(rng.randint(7, 11)))


def account_name(person: Person) -> str:
    """What a bank calls an account."""
    return person.pick("account name", person.locale.words["accounts"])


def card_issuer(person: Person) -> str:
    """The network of the person's card."""
    return person.pick("issuer", list(ISSUERS))


def card_number(person: Person) -> str:
    """The number of the card of `card_issuer`, with blanks as on the card or without."""
    issuer, rng = card_issuer(person), person.rng("card")
    number = rng.choice(TEST_CARDS[issuer])
    if not person.reserved:
        prefixes, length = ISSUERS[issuer]
        body = rng.choice(prefixes)
        body += "".join(rng.choice("0123456789") for _ in range(length - 1 - len(body)))
        number = body + luhn(body)
    if len(number) != 16 or rng.random() < 0.7:
        return number
    return " ".join(number[start : start + 4] for start in range(0, 16, 4))


def masked_number(person: Person) -> str:
    """The number of `card_number` with all but its last four digits hidden."""
    number = card_number(person).replace(" ", "")
    return person.pick("mask", "*xX•") * (len(number) - 4) + number[-4:]


def card_code(person: Person) -> str:
    """The check digits on the back of the card: four on an American Express card, three on others."""
    return person.fake("card code", "numerify", "####" if card_issuer(person) == "American Express" else "###")


def pin(person: Person) -> str:
    """Four digits."""
    return person.fake("pin", "numerify", "####")


def bitcoin(person: Person) -> str:
    """The address of a random hash, which nobody has the key of: of the forms P2PKH, P2SH and P2WPKH."""
    return _address(person, "bitcoin", {"1": b"\x00", "3": b"\x05"}, "bc")


def litecoin(person: Person) -> str:
    """The address of a random hash, which nobody has the key of: of the forms P2PKH, P2SH and P2WPKH."""
    return _address(person, "litecoin", {"L": b"\x30", "M": b"\x32"}, "ltc")


def _address(person: Person, field: str, versions: dict[str, bytes], prefix: str) -> str:
    rng = person.rng(field)
    digest, form = rng.randbytes(20), rng.choice([*versions, prefix])
    if form == prefix:
        return bech32.encode(prefix, 0, digest)
    return base58.b58encode_check(versions[form] + digest).decode()


def ethereum(person: Person) -> str:
    """The address of a random hash, which nobody has the key of, in the capitals of EIP-55."""
    letters = person.rng("ethereum").randbytes(20).hex()
    marks = keccak.new(digest_bits=256, data=letters.encode()).hexdigest()
    return "0x" + "".join(a.upper() if int(mark, 16) > 7 else a for a, mark in zip(letters, marks, strict=False))


def amount(person: Person) -> str:
    """A sum from 1 to 100,000, the more frequent the smaller, in the locale's writing, mostly with cents."""
    rng = person.rng("amount")
    sum_of_money = 10 ** rng.uniform(0, 5)
    text = f"{sum_of_money:,.2f}" if rng.random() < 0.7 else f"{sum_of_money:,.0f}"
    if rng.random() < 0.3:
        text = text.replace(",", "")
    return text.translate({ord(","): person.locale.grouping, ord("."): person.locale.decimal})


def currency_code(person: Person) -> str:
    """The three letters of a currency: half of the time that of the locale."""
    rng = person.rng("currency")
    own = OWN_CURRENCIES.get(person.locale.country, "EUR")
    return own if rng.random() < OWN_CURRENCY else rng.choice(sorted(_SYMBOLS))


def currency_name(person: Person) -> str:
    """The English name of the currency of `currency_code`."""
    return _NAMES[currency_code(person)]


def currency_symbol(person: Person) -> str:
    """The sign of the currency of `currency_code`."""
    return _SYMBOLS[currency_code(person)]


OWN_CURRENCIES = {  # of countries outside the euro
    "AM": "AMD", "AR": "ARS", "AU": "AUD", "AZ": "AZN", "BD": "BDT", "BR": "BRL", "CA": "CAD", "CH": "CHF", "CL": "CLP",
    "CN": "CNY", "CO": "COP", "CZ": "CZK", "DK": "DKK", "DZ": "DZD", "GB": "GBP", "GE": "GEL", "HU": "HUF", "ID": "IDR",
    "IL": "ILS", "IN": "INR", "IR": "IRR", "JP": "JPY", "KR": "KRW", "MK": "MKD", "MX": "MXN", "NO": "NOK", "NP": "NPR",
    "NZ": "NZD", "PL": "PLN", "RO": "RON", "RU": "RUB", "SE": "SEK", "TH": "THB", "TW": "TWD", "UA": "UAH", "US": "USD",
    "VN": "VND",
}  # fmt: skip
_NAMES = dict(Currencies.currencies)
_NO_ISO = {"CUC", "GGP", "IMP", "JEP", "NIS", "SPL", "TVD"}  # withdrawn, or never a code of ISO 4217
_SYMBOLS = {
    code: sign.strip("\u200e\u200f")  # marks of the direction of writing
    for code, sign in Currencies.currency_symbols.items()
    if code in _NAMES and code not in _NO_ISO
}
