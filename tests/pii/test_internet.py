"""Handles and e-mail addresses come from the name; addresses of machines are of their kind."""

import ipaddress
import re
from datetime import date

import pytest
from stdnum import mac

from lib.pii.internet import VENDORS, is_reserved_address, is_reserved_domain
from lib.pii.locales import locales
from lib.pii.values import Values

REFERENCE = date(2026, 1, 31)


@pytest.mark.parametrize("locale", locales())
def test_handle_and_address_are_made_of_the_name_and_the_birth(locale: str) -> None:
    for seed in range(25):
        values = Values(seed, locale, REFERENCE)
        person = values.person(1)
        first, last = person.latin
        for made in (values.value("USERNAME", 1), values.value("EMAIL", 1).partition("@")[0]):
            letters, year = re.fullmatch(r"([A-Za-z._]+)(\d*)", made).groups()
            plain = letters.lower().replace(".", "").replace("_", "")
            assert plain in {first + last, last + first, first[0] + last, first + last[0], last + first[0]}
            assert year in ("", f"{person.birth:%y}", f"{person.birth:%Y}")


def test_another_persons_address_would_be_seen() -> None:
    mine, other = (
        Values(0, "en_US", REFERENCE).value(name, number) for name, number in (("LASTNAME", 1), ("EMAIL", 2))
    )
    assert mine.lower() not in other.lower()


def test_addresses_of_machines() -> None:
    versions = set()
    for seed in range(200):
        values = Values(seed, "en_US", REFERENCE)
        address = ipaddress.ip_address(values.value("IP", 1))
        assert str(address) in (values.value("IPV4", 1), values.value("IPV6", 1)) and address.is_global
        assert ipaddress.ip_address(values.value("IPV4", 1)).version == 4
        assert mac.is_unicast(values.value("MAC", 1)) and mac.is_universally_administered(values.value("MAC", 1))
        versions.add(address.version)
    assert versions == {4, 6}
    assert all(mac.get_manufacturer(f"{vendor}:00:00:00") for vendor in VENDORS)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a@example.com", True),
        ("a@mail.example.org", True),
        ("a@notexample.com", False),
        ("https://www.example.net/a", True),
        ("http://example.net.evil.com", False),
    ],
)
def test_reserved_domains(address: str, expected: bool) -> None:
    assert is_reserved_domain(address) is expected


def test_the_edges_of_reserved_addresses() -> None:
    inside = ("192.0.2.0", "198.51.100.255", "203.0.113.9", "2001:db8:ffff::1")
    outside = ("192.0.3.0", "198.51.101.0", "203.0.112.255", "2001:db9::")
    assert all(map(is_reserved_address, inside)) and not any(map(is_reserved_address, outside))
