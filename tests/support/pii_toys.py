"""Classes, texts with slots and a source of values, for tests of them."""

from collections.abc import Callable

from lib.pii.slots import parse
from lib.pii.spans import Filled, Span, fill

CLASSES = ("FIRSTNAME", "LASTNAME", "EMAIL", "PHONENUMBER", "CITY", "SSN", "USERNAME", "IPV4")

# values that break what counts bytes, splits at white space or reads brackets; some hold others
VALUES = {
    "FIRSTNAME": ("Alex", "July", "Zoë", "José", "Jose\u0301", "李雷", "さくら", "محمد", "דָּוִד", "👩‍👩‍👧", "O'Neil"),
    "LASTNAME": ("Bean", "van der Berg", "Smith\u00a0Jones", "[Smith]", "Müller-Lüdenscheidt", "한동훈"),
    "EMAIL": ("a@b.org", "alex@alexandria.example", "[EMAIL]@x.org", "EMAIL]"),
    "PHONENUMBER": ("(425) 555-0100", "+49 30 1234567", "555\u20110199"),
    "CITY": ("Guadalajara", "Alexandria", "New\tYork", "北京", "Zürich", "line\r\nbreak"),
    "SSN": ("078-05-1120", "555-0100"),
    "USERNAME": ("@jsmith", "x", "a_b[1]", "𝒜lex", "ﬁne"),
    "IPV4": ("192.0.2.1",),
}

TEXTS = (  # plain ones, each of which a test fills
    "[FIRSTNAME] moved to [CITY]. [FIRSTNAME] likes Alexandria, and July.",
    "Write to [EMAIL], [EMAIL_2] or [EMAIL_3] [sic].",
    "[FIRSTNAME] [LASTNAME] ([USERNAME]) called [PHONENUMBER]\n[PHONENUMBER_2]\r\nfrom [CITY_2].",
    "[SSN][PHONENUMBER] adjacent,[IPV4]",
    "東京の[FIRSTNAME]さん、🙂 [LASTNAME]🙂\u200b[CITY]\u0301 מאת [FIRSTNAME_2] \u202b[EMAIL]\u202c",
    "",
    "nothing here\t[1] [T]he :[",
)


def values(seed: int = 0) -> Callable[[str, int], str]:
    """A value for each class and person, the same at every call; other ones for another ``seed``."""
    return lambda name, person: VALUES[name][(person + seed) % len(VALUES[name])]


def filled(text: str, seed: int = 0) -> Filled:
    """A text with slots of `CLASSES`, filled with `values`."""
    return fill(parse(text, CLASSES), values(seed))


def spanned(text: str, *found: tuple[str, str] | tuple[str, str, int]) -> Filled:
    """A text with spans: each is the next place of a value behind the one before; value, class, person."""
    spans, done = [], 0
    for value, label, *person in found:
        start = text.index(value, done)
        done = start + len(value)
        spans.append(Span(start, done, label, value, *person))
    return Filled(text, tuple(spans))
