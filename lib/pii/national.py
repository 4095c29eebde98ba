"""National numbers of persons (the class SSN), in agreement with sex and date of birth where a number holds them."""

from collections.abc import Callable
from random import Random

from lib.pii.checksums import luhn, mod_11_10, weighted
from lib.pii.persons import Person

US_EXAMPLES = tuple(f"987-65-432{digit}" for digit in range(10))  # kept by the Social Security Administration
BIRTHPLACES = ("F205", "H501", "F839", "L219", "D612", "A944", "D969", "G273", "A662", "C351", "L736", "L781")  # Italy
DISTRICTS = ("110101", "110105", "110108", "120101", "120104", "310101", "310104", "310110")  # China, before 1935 too
MONTH_LETTERS = "ABCDEHLMPRST"  # Italy: January to December


def national_number(person: Person) -> str:
    """The number by which a country knows its people: social security, tax or identity number.

    It keeps the rule of the country (`RULES`). For other countries it is nine random digits, which say nothing of the
    person and which nothing can check.
    """
    rng = person.rng("national")
    rule = RULES.get(person.locale.country)
    return rule(person, rng) if rule else _digits(rng, 9)


def is_reserved(value: str, country: str) -> bool:
    """Whether a number is one that its country never gives to anybody; only two countries say so.

    Args:
        value: as written.
        country: ISO 3166 alpha-2.
    """
    return value in US_EXAMPLES if country == "US" else country == "GB" and value.startswith("QQ")


def _digits(rng: Random, count: int) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(count))


def _serial(person: Person, rng: Random, digits: int, least: int = 1, most: int | None = None) -> str:
    """A serial number: odd for a man, even for a woman, as many countries have it."""
    number = rng.randint(least, (most or 10**digits) - 2)
    return f"{number + (number % 2 == (1 if person.female else 0)):0{digits}}"


def _us(person: Person, rng: Random) -> str:
    if person.reserved:
        return rng.choice(US_EXAMPLES)
    area = rng.choice([area for area in range(1, 900) if area != 666])
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


def _gb(person: Person, rng: Random) -> str:
    letters = "QQ" if person.reserved else "ZZ"
    while letters in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):  # never given
        letters = rng.choice("ABCEHJKLMPRSTWXYZ") + rng.choice("ABCEHJKLMPRSTWXYZ")
    return f"{letters} {_digits(rng, 2)} {_digits(rng, 2)} {_digits(rng, 2)} {rng.choice('ABCD')}"


def _ca(person: Person, rng: Random) -> str:
    body = rng.choice("1234567") + _digits(rng, 7)
    number = body + luhn(body)
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def _de(person: Person, rng: Random) -> str:
    """The tax number: of ten digits one appears twice, and one not at all."""
    digits = rng.sample("0123456789", 9)
    digits.insert(rng.randint(1, 9), rng.choice(digits))
    while digits[0] == "0":
        rng.shuffle(digits)
    body = "".join(digits)
    number = body + mod_11_10(body)
    return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"


def _at(person: Person, rng: Random) -> str:
    born = f"{person.birth:%d%m%y}"
    check = 10
    while check == 10:
        serial = str(rng.randint(100, 999))
        check = weighted(serial + born, (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
    return f"{serial}{check} {born}"


def _ch(person: Person, rng: Random) -> str:
    body = "756" + _digits(rng, 9)
    check = -weighted(body, (1, 3) * 6) % 10
    return f"{body[:3]}.{body[3:7]}.{body[7:11]}.{body[11:]}{check}"


def _fr(person: Person, rng: Random) -> str:
    department = rng.choice([number for number in range(1, 96) if number != 20])
    place = f"{department:02}{rng.randint(1, 300):03}{rng.randint(1, 999):03}"
    body = f"{person.of_sex('21')}{person.birth:%y%m}{place}"
    return f"{body}{97 - int(body) % 97:02}"


def _it(person: Person, rng: Random) -> str:
    given, family = (name.upper() for name in person.latin)
    day = person.birth.day + (40 if person.female else 0)
    consonants = [letter for letter in given if letter not in "AEIOU"]
    if len(consonants) > 3:
        given = "".join(consonants[i] for i in (0, 2, 3))
    body = f"{_three(family)}{_three(given)}{person.birth:%y}{MONTH_LETTERS[person.birth.month - 1]}{day:02}"
    body += rng.choice(BIRTHPLACES)
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    places = [int(mark) if mark.isdigit() else ord(mark) - ord("A") for mark in body]
    total = sum(odd[place] if i % 2 == 0 else place for i, place in enumerate(places))
    return body + chr(ord("A") + total % 26)


def _three(name: str) -> str:
    """A name's first consonants, then its vowels, then X: three letters of an Italian tax code."""
    return (
        "".join(letter for letter in name if letter not in "AEIOU")
        + "".join(letter for letter in name if letter in "AEIOU")
        + "XXX"
    )[:3]


def _es(person: Person, rng: Random) -> str:
    digits = _digits(rng, 8)
    return digits + "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23]


def _pt(person: Person, rng: Random) -> str:
    body = rng.choice("12") + _digits(rng, 7)
    return body + str((11 - weighted(body, range(9, 1, -1)) % 11) % 11 % 10)


def _nl(person: Person, rng: Random) -> str:
    check = 10
    while check == 10:
        body = rng.choice("123456789") + _digits(rng, 7)
        check = weighted(body, range(9, 1, -1)) % 11
    return f"{body}{check}"


def _be(person: Person, rng: Random) -> str:
    body = f"{person.birth:%y%m%d}{_serial(person, rng, 3, most=998)}"
    century = "2" if person.birth.year >= 2000 else ""
    check = 97 - int(century + body) % 97
    return f"{body[:2]}.{body[2:4]}.{body[4:6]}-{body[6:]}.{check:02}"


def _pl(person: Person, rng: Random) -> str:
    month = person.birth.month + (20 if person.birth.year >= 2000 else 0)
    body = f"{person.birth:%y}{month:02}{person.birth:%d}{_serial(person, rng, 4)}"
    return body + str(-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def _se(person: Person, rng: Random) -> str:
    body = f"{person.birth:%y%m%d}{_serial(person, rng, 3, most=980)}"
    mark = "+" if person.reference.year - person.birth.year >= 100 else "-"
    return f"{body[:6]}{mark}{body[6:]}{luhn(body)}"


def _no(person: Person, rng: Random) -> str:
    """The serial's range says the century; some serials have no check digits, and are passed over."""
    least, most = (500, 1000) if person.birth.year >= 2000 else (0, 500)
    checks = [10]
    while 10 in checks:
        body = f"{person.birth:%d%m%y}{_serial(person, rng, 3, least, most)}"
        checks = [-weighted(body, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11]
        if checks[0] < 10:
            checks.append(-weighted(f"{body}{checks[0]}", (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11)
    return f"{body}{checks[0]}{checks[1]}"


def _fi(person: Person, rng: Random) -> str:
    serial = _serial(person, rng, 3, 2, 899)
    mark = "A" if person.birth.year >= 2000 else "-"
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(f"{person.birth:%d%m%y}{serial}") % 31]
    return f"{person.birth:%d%m%y}{mark}{serial}{check}"


def _dk(person: Person, rng: Random) -> str:
    """Since 2007 without a check digit; the first digit of the serial says the century."""
    century = "4" if person.birth.year >= 2000 else rng.choice("0123")
    return f"{person.birth:%d%m%y}-{century}{_serial(person, rng, 3)}"


def _cz(person: Person, rng: Random) -> str:
    """Ten digits since 1954, divisible by 11; nine before."""
    month = person.birth.month + (50 if person.female else 0)
    born = f"{person.birth:%y}{month:02}{person.birth:%d}"
    if person.birth.year < 1954:
        return f"{born}/{rng.randint(1, 999):03}"
    check = 10
    while check == 10:
        serial = _digits(rng, 3)
        check = int(born + serial) % 11
    return f"{born}/{serial}{check}"


def _ro(person: Person, rng: Random) -> str:
    first = (6 if person.female else 5) if person.birth.year >= 2000 else (2 if person.female else 1)
    body = f"{first}{person.birth:%y%m%d}{rng.randint(1, 40):02}{rng.randint(1, 999):03}"
    check = weighted(body, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return body + str(1 if check == 10 else check)


def _gr(person: Person, rng: Random) -> str:
    body = f"{person.birth:%d%m%y}{_serial(person, rng, 4)}"
    return body + luhn(body)


def _cn(person: Person, rng: Random) -> str:
    body = f"{rng.choice(DISTRICTS)}{person.birth:%Y%m%d}{_serial(person, rng, 3)}"
    return body + "10X98765432"[weighted(body, [2 ** (17 - i) % 11 for i in range(17)]) % 11]


def _kr(person: Person, rng: Random) -> str:
    first = (4 if person.female else 3) if person.birth.year >= 2000 else (2 if person.female else 1)
    body = f"{person.birth:%y%m%d}{first}{rng.randint(0, 95):02}{rng.randint(0, 999):03}"
    return f"{body[:6]}-{body[6:]}{(11 - weighted(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10}"


def _br(person: Person, rng: Random) -> str:
    number = _digits(rng, 9)
    for _ in range(2):
        number += str(-weighted(number, range(len(number) + 1, 1, -1)) % 11 % 10)
    return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"


def _hr(person: Person, rng: Random) -> str:
    body = _digits(rng, 10)
    return body + mod_11_10(body)


def _il(person: Person, rng: Random) -> str:
    body = rng.choice("123") + _digits(rng, 7)
    return body + luhn(body)


def _au(person: Person, rng: Random) -> str:
    check = 10
    while check == 10:
        body = rng.choice("123456789") + _digits(rng, 7)
        check = weighted(body, (1, 4, 3, 7, 5, 8, 6, 9)) % 11  # the last weight is 10, which is -1 modulo 11
    return f"{body[:3]} {body[3:6]} {body[6:]}{check}"


RULES: dict[str, Callable[[Person, Random], str]] = {
    "US": _us, "GB": _gb, "CA": _ca, "DE": _de, "AT": _at, "CH": _ch, "FR": _fr, "IT": _it, "ES": _es, "PT": _pt,
    "NL": _nl, "BE": _be, "PL": _pl, "SE": _se, "NO": _no, "FI": _fi, "DK": _dk, "CZ": _cz, "SK": _cz, "RO": _ro,
    "GR": _gr, "CN": _cn, "KR": _kr, "BR": _br, "HR": _hr, "IL": _il, "AU": _au,
}  # fmt: skip
