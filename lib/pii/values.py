"""What a slot is filled with: the value of a class for a person, and the entity that it is of."""

from collections.abc import Callable
from datetime import date
from typing import Literal, get_args

from lib.common.errors import DoppelError, nearest
from lib.pii import finance, internet, national, particulars, phones
from lib.pii.classes import named
from lib.pii.locales import locale_named
from lib.pii.persons import Person

Ranges = Literal["plausible", "reserved"]


class Values:
    """The values of one text, each drawn when it is first asked for.

    A value depends on the seed, its class and the number in the slot alone: neither on what else the text asks for nor
    in which order. So each mention of ``[FIRSTNAME_1]`` reads alike. No class is drawn anew at each mention: a text
    that wants another day, time or sum names another number (``[DATE_2]``). Values of different numbers are drawn
    independently, so two persons may share a first name. Processes may draw side by side; threads may not, since
    Faker's generators are shared.

    >>> values = Values(seed=7, locale="en_US", reference=date(2026, 1, 31))
    >>> [values.value(name, 1) for name in ("LASTNAME", "AGE", "DOB", "EMAIL", "STATE", "ZIPCODE")]
    ['Strong', '78', '02/12/1947', 'stephens47@hotmail.com', 'North Carolina', '27155']

    Args:
        seed: of the record (the text); any integer. Other seeds give other values.
        locale: language and country of the text: ``de_DE``; `lib.pii.locales.locales` lists them.
        reference: the day on which the text is written. It is no default, so that no value depends on today.
        ranges: ``plausible``: values that could be real, and may by chance be somebody's. ``reserved``: values from
            ranges that are set aside (`reserved_range`), for the classes that have one; the others stay plausible.

    Raises:
        DoppelError: an unknown locale or ``ranges``; the remedy names the nearest one.
    """

    def __init__(self, seed: int, locale: str, reference: date, ranges: Ranges = "plausible"):
        if ranges not in get_args(Ranges):
            remedy = nearest(ranges, get_args(Ranges))
            raise DoppelError(
                "pii.unknown_ranges", f"values = {ranges!r} is not known", name="values", value=ranges, remedy=remedy
            )
        locale_named(locale)
        self._make = lambda number: Person(seed, number, locale, reference, reserved=ranges == "reserved")
        self._persons: dict[int, Person] = {}
        self._drawn: dict[tuple[str, int], str] = {}

    def person(self, number: int) -> Person:
        """The person of a number, from 1."""
        _check_number(number)
        if number not in self._persons:
            self._persons[number] = self._make(number)
        return self._persons[number]

    def value(self, name: str, person: int) -> str:
        """The value of a class, never empty, on one line and without blanks at its ends.

        Args:
            name: of the class: ``EMAIL``.
            person: the number in the slot, from 1: of a person, or of a thing of the class.

        Raises:
            DoppelError: an unknown class, or a number below 1.
        """
        if (name, person) not in self._drawn:
            named(name)
            drawn = DRAWN[name](self.person(person))
            self._drawn[name, person] = " ".join(drawn.split())  # a few of Faker's names end in a blank
        return self._drawn[name, person]

    def entity(self, name: str, person: int) -> str:
        """The entity that a slot is about: all values of one person share it.

        Args:
            name: of the class.
            person: the number in the slot, from 1.

        Returns:
            ``person-2`` for a class of persons, ``companyname-2`` for one of things; the currency's three classes and
            `CURRENCY` share one. It is unique within the text, and the same in every text: join it with the text's id.

        Raises:
            DoppelError: an unknown class, or a number below 1.
        """
        _check_number(person)
        if named(name).of_person:
            return f"person-{person}"
        return f"{'currency' if name.startswith('CURRENCY') else name.lower()}-{person}"


def reserved_range(name: str, country: str) -> str | None:
    """From where ``ranges="reserved"`` draws a class.

    Args:
        name: of the class.
        country: ISO 3166 alpha-2: national numbers are reserved in two countries only; a phone number of a country
            without a range is a North American one.

    Returns:
        the standard or body that keeps the range; None where there is none, and values stay plausible.

    Raises:
        DoppelError: an unknown class.
    """
    return None if name == "SSN" and country not in ("US", "GB") else named(name).reserved


def _check_number(number: int) -> None:
    if number < 1:
        raise DoppelError(
            "pii.number_below_one",
            f"a slot's number is {number}",
            name="person",
            value=number,
            remedy="persons and things are counted from 1",
        )


DRAWN: dict[str, Callable[[Person], str]] = {
    "ACCOUNTNAME": finance.account_name,
    "ACCOUNTNUMBER": finance.account_number,
    "AGE": lambda person: str(person.age),
    "AMOUNT": finance.amount,
    "BIC": finance.bic,
    "BITCOINADDRESS": finance.bitcoin,
    "BUILDINGNUMBER": particulars.building,
    "CITY": lambda person: person.place.city,
    "COMPANYNAME": particulars.company,
    "COUNTY": lambda person: person.place.county,
    "CREDITCARDCVV": finance.card_code,
    "CREDITCARDISSUER": finance.card_issuer,
    "CREDITCARDNUMBER": finance.card_number,
    "CURRENCY": finance.currency_name,
    "CURRENCYCODE": finance.currency_code,
    "CURRENCYNAME": finance.currency_name,
    "CURRENCYSYMBOL": finance.currency_symbol,
    "DATE": particulars.day,
    "DOB": particulars.birthday,
    "EMAIL": internet.email,
    "ETHEREUMADDRESS": finance.ethereum,
    "EYECOLOR": particulars.eyes,
    "FIRSTNAME": lambda person: person.first,
    "GENDER": lambda person: person.gender,
    "HEIGHT": particulars.height,
    "IBAN": finance.iban,
    "IP": internet.ip,
    "IPV4": internet.ipv4,
    "IPV6": internet.ipv6,
    "JOBAREA": particulars.job_area,
    "JOBTITLE": particulars.job_title,
    "JOBTYPE": particulars.job_type,
    "LASTNAME": lambda person: person.last,
    "LITECOINADDRESS": finance.litecoin,
    "MAC": internet.mac,
    "MASKEDNUMBER": finance.masked_number,
    "MIDDLENAME": lambda person: person.middle,
    "NEARBYGPSCOORDINATE": particulars.coordinates,
    "ORDINALDIRECTION": particulars.direction,
    "PASSWORD": internet.password,
    "PHONEIMEI": particulars.imei,
    "PHONENUMBER": phones.phone,
    "PIN": finance.pin,
    "PREFIX": lambda person: person.prefix,
    "SECONDARYADDRESS": particulars.flat,
    "SEX": lambda person: person.sex,
    "SSN": national.national_number,
    "STATE": lambda person: person.place.state,
    "STREET": particulars.street,
    "TIME": particulars.clock,
    "URL": internet.url,
    "USERAGENT": internet.user_agent,
    "USERNAME": internet.username,
    "VEHICLEVIN": particulars.vin,
    "VEHICLEVRM": particulars.plate,
    "ZIPCODE": lambda person: person.place.zip,
}
