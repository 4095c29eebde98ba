"""Whether a value keeps the rules of its class, by libraries that had, for nearly all, no part in drawing it."""

from collections.abc import Callable
from hashlib import sha256

import phonenumbers
import pycountry
import validators
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from stdnum import bic, bitcoin, iban, imei, mac
from stdnum.at import vnr
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ch_ssn
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gr import amka
from stdnum.hr import oib
from stdnum.il import idnr as il_idnr
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.us import ssn as us_ssn
from vininfo import Vin
from vininfo.exceptions import VininfoException

from lib.pii.classes import named
from lib.pii.locales import locale_named

NATIONAL = {
    "US": us_ssn, "CA": sin, "DE": idnr, "AT": vnr, "CH": ch_ssn, "FR": nir, "IT": codicefiscale, "ES": dni, "PT": nif,
    "NL": bsn, "BE": nn, "PL": pesel, "SE": personnummer, "NO": fodselsnummer, "FI": hetu, "DK": cpr, "CZ": rc,
    "SK": rc, "RO": cnp, "GR": amka, "CN": ric, "KR": rrn, "BR": cpf, "HR": oib, "IL": il_idnr, "AU": tfn,
}  # fmt: skip
CARDS = (
    validators.visa, validators.mastercard, validators.amex, validators.discover, validators.diners, validators.jcb,
    validators.unionpay, validators.mir,
)  # fmt: skip
LITECOIN_VERSIONS = (0x30, 0x32)


def check(name: str, value: str, locale: str) -> bool | None:
    """Whether a value keeps the rules of its class.

    **A True** says that form and check digits are right. It does not say that the account, card or phone exists, nor
    that the text means it so: one number in ten passes Luhn's test, a timestamp too. A card must therefore also have
    the prefix and length of a network (``1548138160707`` has not), and even then only the words around it tell what a
    number is. A valid IBAN may be one of an invented bank: see `bank_is_known`.

    **A False** says that the form or a check digit breaks the rule that the library knows. Vehicles made for Europe
    need no check digit, and small card networks are not known. What countries reserve among national and phone numbers
    is often False: it is invalid on purpose.

    Phone numbers and internet addresses are checked by what also drew them (phonenumbers, Python's ipaddress), all
    other values by libraries that had no part in drawing them.

    Args:
        name: of the class: ``IBAN``.
        value: as it stands in a text.
        locale: of the text; decides about phone numbers and national numbers alone.

    Returns:
        whether it passes; None where nothing can check the class, or the national numbers of this country.

    Raises:
        DoppelError: an unknown class or locale.
    """
    country = locale_named(locale).country
    named(name)
    if name == "PHONENUMBER":
        return _is_phone(value, country)
    if name == "SSN":
        return NATIONAL[country].is_valid(value) if country in NATIONAL else None
    return bool(CHECKS[name](value)) if name in CHECKS else None


def bank_is_known(account: str) -> bool:
    """Whether the bank code of an IBAN is in schwifty's registry; if not, the bank is invented, or newer than that.

    A valid IBAN of an unknown bank is to be told as such: its check digits say nothing about the bank.

    Args:
        account: an IBAN, with blanks or without; what is no valid IBAN has no known bank.
    """
    try:
        return IBAN(account).bank is not None
    except SchwiftyException:
        return False


def _is_phone(value: str, country: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, country))
    except phonenumbers.NumberParseException:
        return False


def _is_card(value: str) -> bool:
    digits = value.replace(" ", "").replace("-", "")
    return any(bool(network(digits)) for network in CARDS)


def _is_vin(value: str) -> bool:
    try:
        return Vin(value).verify_checksum()
    except VininfoException:
        return False


def _is_litecoin(value: str) -> bool:
    """Base58Check with Litecoin's versions, or bech32 (BIP 173) with its prefix."""
    if value.startswith("ltc1"):
        return _is_bech32(value, "ltc")
    try:
        content = bitcoin.b58decode(value)
    except ValueError:
        return False
    digest = sha256(sha256(content[:-4]).digest()).digest()
    return len(content) == 25 and content[0] in LITECOIN_VERSIONS and digest[:4] == content[-4:]


def _is_bech32(value: str, prefix: str) -> bool:
    expanded = [ord(mark) >> 5 for mark in prefix] + [0] + [ord(mark) & 31 for mark in prefix]
    marks = value.removeprefix(f"{prefix}1")
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    return (
        set(marks) <= set(letters) and bitcoin.bech32_checksum(expanded + [letters.index(mark) for mark in marks]) == 1
    )


def _is_ipv4(value: str) -> bool:
    return bool(validators.ipv4(value, cidr=False))


def _is_ipv6(value: str) -> bool:
    return bool(validators.ipv6(value, cidr=False))


CHECKS: dict[str, Callable[[str], object]] = {
    "BIC": bic.is_valid,
    "BITCOINADDRESS": bitcoin.is_valid,
    "CREDITCARDNUMBER": _is_card,
    "CURRENCYCODE": lambda value: pycountry.currencies.get(alpha_3=value),
    "EMAIL": validators.email,
    "ETHEREUMADDRESS": validators.eth_address,
    "IBAN": iban.is_valid,
    "IP": lambda value: _is_ipv4(value) or _is_ipv6(value),
    "IPV4": _is_ipv4,
    "IPV6": _is_ipv6,
    "LITECOINADDRESS": _is_litecoin,
    "MAC": lambda value: mac.is_valid(value, validate_manufacturer=False),  # the vendor takes 7 ms to look up
    "PHONEIMEI": imei.is_valid,
    "URL": validators.url,
    "VEHICLEVIN": _is_vin,
}
