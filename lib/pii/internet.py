"""What a person has on the internet: handle, e-mail, web page, addresses of machines."""

import ipaddress
from random import Random

from lib.pii.persons import Person

RESERVED_DOMAINS = ("example.com", "example.net", "example.org")  # RFC 2606
RESERVED_IPV4 = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")  # RFC 5737
RESERVED_IPV6 = "2001:db8::/32"  # RFC 3849
RESERVED_MAC = "00:00:5E:00:53:"  # RFC 9542
VENDORS = ("00:1B:63", "3C:5A:B4", "00:50:56", "F4:F5:D8", "B8:27:EB", "00:1A:11", "00:25:90", "D8:3B:BF")
NETWORKS = ("2001:4860", "2a00:1450", "2606:4700", "2a02:908", "2003:c0", "2a01:e0a", "2001:41d0", "2600:1700")
HANDLES = ("{first}{last}", "{first}.{last}", "{first}_{last}", "{f}{last}", "{first}{l}", "{f}.{last}", "{last}{f}")
BROWSERS = ("chrome", "safari", "opera", "internet_explorer")  # not firefox: Faker's has a date up to the year 9999


def username(person: Person) -> str:
    """A handle made of the person's name, with the year of birth behind it for some."""
    return _handle(person, person.rng("handle"))


def email(person: Person) -> str:
    """An e-mail address made of the person's name; the capitals that some people write are kept."""
    rng = person.rng("email")
    local = _handle(person, rng)
    domain = rng.choice(RESERVED_DOMAINS) if person.reserved else person.fake("mail domain", "free_email_domain")
    return f"{local}@{domain}"


def _handle(person: Person, rng: Random) -> str:
    first, last = person.latin
    if rng.random() < 0.2:
        first, last = first.title(), last.title()
    handle = rng.choice(HANDLES).format(first=first, last=last, f=first[:1], l=last[:1])
    return handle + rng.choice(["", "", "", f"{person.birth:%y}", f"{person.birth:%Y}"])


def url(person: Person) -> str:
    """A web page, on a domain of the locale."""
    rng = person.rng("url")
    domain = rng.choice(RESERVED_DOMAINS) if person.reserved else person.fake("url domain", "domain_name")
    path = rng.choice(
        ["", "", "/" + person.fake("url path", "slug"), f"/{person.latin[0]}", f"/?id={rng.randrange(10**5)}"]
    )
    return f"{rng.choice(['https://', 'https://', 'http://'])}{rng.choice(['', 'www.'])}{domain}{path}"


def ip(person: Person) -> str:
    """The person's address of either version, the same as `ipv4` or `ipv6` gives."""
    return person.pick("ip version", (ipv4, ipv4, ipv6))(person)


def ipv4(person: Person) -> str:
    """An address that the whole internet can reach."""
    rng = person.rng("ipv4")
    if person.reserved:
        return str(ipaddress.IPv4Network(rng.choice(RESERVED_IPV4))[rng.randint(1, 254)])
    while not (address := ipaddress.IPv4Address(rng.getrandbits(32))).is_global or address.is_multicast:
        pass
    return str(address)


def ipv6(person: Person) -> str:
    """An address in a network that a provider has, or in the one kept for documentation."""
    rng = person.rng("ipv6")
    network = RESERVED_IPV6 if person.reserved else f"{rng.choice(NETWORKS)}::/32"
    return str(ipaddress.IPv6Network(network)[rng.getrandbits(96)])


def mac(person: Person) -> str:
    """The address of a network card, by a vendor's prefix."""
    rng = person.rng("mac")
    last = ":".join(f"{rng.randrange(256):02X}" for _ in range(1 if person.reserved else 3))
    address = RESERVED_MAC + last if person.reserved else f"{rng.choice(VENDORS)}:{last}"
    return rng.choice([address, address.lower(), address.replace(":", "-")])


def user_agent(person: Person) -> str:
    """How a browser names itself."""
    return person.fake("user agent", person.pick("browser", BROWSERS))


def password(person: Person) -> str:
    """8 to 16 letters, digits and signs."""
    return person.fake("password", "password", length=person.rng("password length").randint(8, 16))


def is_reserved_domain(address: str) -> bool:
    """Whether an e-mail address or a web page lies in a domain of RFC 2606."""
    host = address.rpartition("@")[2] if "@" in address else address.partition("//")[2].partition("/")[0]
    return any(host == domain or host.endswith(f".{domain}") for domain in RESERVED_DOMAINS)


def is_reserved_address(value: str) -> bool:
    """Whether an internet address lies in a block for documentation."""
    address = ipaddress.ip_address(value)
    return any(address in ipaddress.ip_network(block) for block in (*RESERVED_IPV4, RESERVED_IPV6))
