"""Patterns with validators: the cases that people complain about, and what must not be found."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.errors import refused

from lib.pii.detectors.rules import Rules
from lib.pii.spans import Filled, problems

RULES = Rules("en_US")
BROWSER = "Mozilla/5.0 (X11; Linux) Gecko/2010 Firefox/36"
ETHER = "0x52908400098527886E0F7030069857D2E4169EE7"


def found(text: str) -> list[tuple[str, str]]:
    (spans,) = RULES.find([text])
    assert not problems(Filled(text, spans), [])
    return [(span.label, span.value) for span in spans]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a@b.com c.d@e.org f-g@h.co.uk", [("EMAIL", "a@b.com"), ("EMAIL", "c.d@e.org"), ("EMAIL", "f-g@h.co.uk")]),
        ("phone:(425)555-0123.", [("PHONENUMBER", "(425)555-0123")]),
        ("Phone: 555-0123", [("PHONENUMBER", "555-0123")]),
        ("425-882-8080\n425-882-8081", [("PHONENUMBER", "425-882-8080"), ("PHONENUMBER", "425-882-8081")]),
        ("425-882-8080\r\n425-882-8081", [("PHONENUMBER", "425-882-8080"), ("PHONENUMBER", "425-882-8081")]),
        ("NHS 943 476 5919, call 020 7946 0958", [("SSN", "943 476 5919"), ("PHONENUMBER", "020 7946 0958")]),
        ("my ssn is 123 45 6789", [("SSN", "123 45 6789")]),
        ("DE89 3704 0044 0532 0130 00 AND MORE", [("IBAN", "DE89 3704 0044 0532 0130 00")]),
        ("4111-1111-1111-1111", [("CREDITCARDNUMBER", "4111-1111-1111-1111")]),
        ("IMEI 49-015420-323751-8", [("PHONEIMEI", "49-015420-323751-8")]),
        ("device 356938035643809", [("PHONEIMEI", "356938035643809")]),
        ("VIN 1HGCM82633A004352", [("VEHICLEVIN", "1HGCM82633A004352")]),
        (ETHER, [("ETHEREUMADDRESS", ETHER)]),
        ("to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa!", [("BITCOINADDRESS", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")]),
        ("10.1.2.3, 2001:db8::1", [("IPV4", "10.1.2.3"), ("IPV6", "2001:db8::1")]),
        ("00:1B:63:84:45:E6", [("MAC", "00:1B:63:84:45:E6")]),
        ("born on 12/03/1976, sold on 12/03/2006", [("DOB", "12/03/1976"), ("DATE", "12/03/2006")]),
        ("at 47.6205, -122.3493", [("NEARBYGPSCOORDINATE", "47.6205, -122.3493")]),
        ("see http://x.com/a?b=c@d.com, (www.y.org).", [("URL", "http://x.com/a?b=c@d.com"), ("URL", "www.y.org")]),
        ("This is Mr.Bean", [("PREFIX", "Mr."), ("LASTNAME", "Bean")]),
        ("742 Evergreen Terrace", [("BUILDINGNUMBER", "742"), ("STREET", "Evergreen Terrace")]),
        ("Springfield, IL 62704", [("STATE", "IL"), ("ZIPCODE", "62704")]),
        ("🙂 e\u0301 東京 a@b.com", [("EMAIL", "a@b.com")]),
        ("to LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz", [("LITECOINADDRESS", "LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz")]),
        ("paid by **** **** **** 1111", [("MASKEDNUMBER", "**** **** **** 1111")]),
        ("Password: hunter22, PIN 1234", [("PASSWORD", "hunter22"), ("PIN", "1234")]),
        ("CVV: 123", [("CREDITCARDCVV", "123")]),
        ("account number 12345678", [("ACCOUNTNUMBER", "12345678")]),
        ("BIC: DEUTDEFF500", [("BIC", "DEUTDEFF500")]),
        ("license plate 7ABC123", [("VEHICLEVRM", "7ABC123")]),
        ("ask @jsmith, login: ann.lee", [("USERNAME", "@jsmith"), ("USERNAME", "ann.lee")]),
        ("aged 43, a 7-year-old", [("AGE", "43"), ("AGE", "7")]),
        ("on May 3, 2001 at 5:30 pm", [("DATE", "May 3, 2001"), ("TIME", "5:30 pm")]),
        (f"by {BROWSER}.", [("USERAGENT", BROWSER)]),
    ],
)  # fmt: skip
def test_what_is_personal_is_found_with_its_borders(text, right):
    assert found(text) == right


@pytest.mark.parametrize(
    "text",
    [
        "1548138160707",  # a timestamp that passes Luhn's test
        "4111 1111 1111 1112",  # Luhn's digit is wrong
        "4111-1111 1111 1111",  # two kinds of separators
        "DE89 3704 0044 0532 0130 01",
        "1HGCM82633A004353",
        "version 1.2.3, $1,234,567.89, 300 1234 or 12345",
        "999.1.2.3",
        "0x52908400098527886E0F7030069857D2E4169EE",
        "95.1234, -122.3493",
        "the 1080p of 16:9 at 3.5x",
        "in may 2 of 3 failed",
    ],
)
def test_what_only_looks_like_it_is_left(text):
    assert found(text) == []


def test_a_phone_belongs_to_the_country_of_the_locale():
    assert Rules("de_DE").find(["030 901820"])[0][0].label == "PHONENUMBER"
    assert RULES.find(["030 901820"]) == [()]
    with refused("pii.unknown_locale", value="en_XX"):
        Rules("en_XX")


@given(st.text(alphabet="a1@.-:/ +()\n🙂\u0301xX*", max_size=80))
def test_spans_of_any_text_are_disjoint_and_in_order(text):
    (spans,) = RULES.find([text])
    assert not [problem for problem in problems(Filled(text, spans), []) if problem.kind != "unresolved"]


@pytest.mark.parametrize("piece", ["a", "1", "1 ", "a.", "Aa ", "x@"])
def test_a_line_of_many_characters_takes_time_in_proportion(piece):
    started = time.process_time()
    RULES.find([piece * (100_000 // len(piece))])
    assert time.process_time() - started < 5
