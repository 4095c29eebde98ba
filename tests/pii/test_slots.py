"""What is a slot, what is text, and what is a fault, each with its place."""

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.errors import refused
from support.pii_toys import CLASSES, TEXTS
from support.project import ROOT

from lib.pii import slots
from lib.pii.slots import FAULTS, Brackets, Fault, Parsed, Slot, parse, read_brackets

TABLE = Brackets(
    {"your name": ("FIRSTNAME", "LASTNAME"), "email": ("EMAIL",), "ipv4": ("IPV4",), "title": ("JOBTITLE",)},
    frozenset({"sic", "emphasis added"}),
)
AI4PRIVACY = (
    "ACCOUNTNAME", "ACCOUNTNUMBER", "AGE", "AMOUNT", "BIC", "BITCOINADDRESS", "BUILDINGNUMBER", "CITY",
    "COMPANYNAME", "COUNTY", "CREDITCARDCVV", "CREDITCARDISSUER", "CREDITCARDNUMBER", "CURRENCY", "CURRENCYCODE",
    "CURRENCYNAME", "CURRENCYSYMBOL", "DATE", "DOB", "EMAIL", "ETHEREUMADDRESS", "EYECOLOR", "FIRSTNAME", "GENDER",
    "HEIGHT", "IBAN", "IP", "IPV4", "IPV6", "JOBAREA", "JOBTITLE", "JOBTYPE", "LASTNAME", "LITECOINADDRESS", "MAC",
    "MASKEDNUMBER", "MIDDLENAME", "NEARBYGPSCOORDINATE", "ORDINALDIRECTION", "PASSWORD", "PHONEIMEI", "PHONENUMBER",
    "PIN", "PREFIX", "SECONDARYADDRESS", "SEX", "SSN", "STATE", "STREET", "TIME", "URL", "USERAGENT", "USERNAME",
    "VEHICLEVIN", "VEHICLEVRM", "ZIPCODE",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[EMAIL]", [Slot("EMAIL")]),
        ("[EMAIL_2]", [Slot("EMAIL", 2)]),
        ("[EMAIL_999]", [Slot("EMAIL", 999)]),
        ("[IPV4_3]", [Slot("IPV4", 3)]),
        ("a [EMAIL], b", ["a ", Slot("EMAIL"), ", b"]),
        ("[FIRSTNAME][LASTNAME]", [Slot("FIRSTNAME"), Slot("LASTNAME")]),  # adjacent: no Markdown reference
        ("[EMAIL_2]\r\n[CITY]\u00a0\u200b🙂", [Slot("EMAIL", 2), "\r\n", Slot("CITY"), "\u00a0\u200b🙂"]),
        ("[EMAIL] (work)", [Slot("EMAIL"), " (work)"]),
        ("", []),
    ],
)
def test_slots_are_taken_from_text(text: str, expected: list) -> None:
    parsed = parse(text, CLASSES)
    assert list(parsed.pieces) == expected and parsed.faults == () and parsed.text == text
    assert [text[start:end] for start, end in parsed.places] == [str(slot) for slot in parsed.slots]


@pytest.mark.parametrize(
    "text",
    [
        "[sic]", "[SIC]", "[[sic]]", "[1]", "[1, 2]", "[3–5]", "[^1]", "[T]he", "[ ]", "[x]", "[]", "[...]", "[…]",
        "[?!]", "[our page](https://x.org)", "![a cat](cat.png)", ":[\n:]", "a] b", "x[", "] [", "[\n", "]]", "[[ ]]",
        "[a list](x) of [1](y)",
    ],
)  # fmt: skip
def test_what_is_surely_text_stays_text(text: str) -> None:
    assert parse(text, CLASSES) == Parsed((text,))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("Hi [Your Name], at [3:00 PM]", [("unresolved", "[Your Name]"), ("unresolved", "[3:00 PM]")]),
        ("[555-0199] [He] said [[wiki]]", [
            ("unresolved", "[555-0199]"), ("unresolved", "[He]"), ("unresolved", "[wiki]"),
        ]),
        ("[FAVCOLOR] [EMAIL2] [E-MAIL] [FIRST_NAME]", [
            ("unknown", "[FAVCOLOR]"), ("unknown", "[EMAIL2]"), ("unknown", "[E-MAIL]"), ("unknown", "[FIRST_NAME]"),
        ]),
        ("[EMAIL_0] [EMAIL_01] [EMAIL_1000] [EMAIL_٢]", [
            ("person", "[EMAIL_0]"), ("person", "[EMAIL_01]"), ("person", "[EMAIL_1000]"), ("person", "[EMAIL_٢]"),
        ]),
        ("[email] [Email_2] [first_name]", [
            ("lower_case", "[email]"), ("lower_case", "[Email_2]"), ("lower_case", "[first_name]"),
        ]),
        ("[ EMAIL ] [First Name] [EMAIL\u00a0]", [
            ("spaced", "[ EMAIL ]"), ("spaced", "[First Name]"), ("spaced", "[EMAIL\u00a0]"),
        ]),
        ("a [[EMAIL]] b", [("nested", "[[EMAIL]]")]),
        ("[[[EMAIL_2]]]", [("nested", "[[[EMAIL_2]]")]),
        ("[ [EMAIL] ]", [("nested", "[ [EMAIL]")]),
        ("[EMAIL]]", [("nested", "]")]),
        ("[call [EMAIL] now]", [("nested", "[call ")]),
        ("[EMAIL](mailto:x) [EMAIL]: y", [("link", "[EMAIL]")]),
        ("[EMAIL_2 and", [("unclosed", "[EMAIL_2 and")]),
        ("so write to [EMA", [("unclosed", "[EMA")]),
        ("[EMAIL\n]", [("unclosed", "[EMAIL")]),
        ("[ EMAIL\nx]", [("unclosed", "[ EMAIL")]),
        ("write to EMAIL] or EMAIL_2] but YOURMAIL]", [("unopened", "EMAIL]"), ("unopened", "EMAIL_2]")]),
    ],
)  # fmt: skip
def test_faults_are_told_by_kind_and_place(text: str, faults: list[tuple[str, str]]) -> None:
    parsed = parse(text, CLASSES)
    assert [(kind, text[start:end]) for kind, start, end in parsed.faults] == faults
    assert parsed.text == text and all(fault.kind in FAULTS for fault in parsed.faults)


def test_every_kind_of_fault_is_among_the_cases() -> None:
    shown = [parse(text, CLASSES).faults for text in (
        "[a name]", "[NOCLASS]", "[CITY_0]", "[city]", "[ CITY]", "[[CITY]]", "[CITY](x)", "[CITY", "CITY]",
    )]  # fmt: skip
    assert [faults[0].kind for faults in shown] == list(FAULTS)


def test_a_number_of_one_is_left_out() -> None:
    assert parse("[EMAIL_1]", CLASSES).text == "[EMAIL]"


def test_an_alias_is_mapped_where_that_is_asked_for() -> None:
    text = "Dear [Your Name 2], [sic] [YOUR_NAME]: [email]; [Title], [3:00 PM] [emphasis  Added] [ipv4]"
    parsed = parse(text, CLASSES, TABLE)
    assert parsed.text == (
        "Dear [FIRSTNAME_2] [LASTNAME_2], [sic] [FIRSTNAME] [LASTNAME]: [EMAIL]; [Title], [3:00 PM] [emphasis  Added] "
        "[IPV4]"
    )
    assert parsed.mapped == 4 and [text[start:end] for _, start, end in parsed.faults] == ["[Title]", "[3:00 PM]"]
    assert parse("[[Your Name]] [Your Name](x)", CLASSES, TABLE).faults == (
        Fault("nested", 0, 13),
        Fault("link", 14, 25),
    )
    for number in ("0", "01", "1000", "9" * 5000):
        assert [fault.kind for fault in parse(f"[Your Name {number}]", CLASSES, TABLE).faults] == ["unresolved"]


@given(
    st.lists(st.sampled_from(["[", "]", "EMAIL", "_2", " ", "\n", "sic", "(", "é", "🙂", "email", "1"]), max_size=12)
)
def test_no_text_is_lost_and_places_are_inside(parts: list[str]) -> None:
    text = "".join(parts)
    parsed = parse(text, CLASSES)
    assert parsed.text == text.replace("[EMAIL_1]", "[EMAIL]")
    assert all(0 <= start < end <= len(text) for _, start, end in parsed.faults)
    assert all(isinstance(piece, Slot) or piece for piece in parsed.pieces)
    assert not any(
        isinstance(a, str) and isinstance(b, str) for a, b in zip(parsed.pieces, parsed.pieces[1:], strict=False)
    )


def test_a_text_without_a_bracket_that_could_be_a_slot_has_no_fault() -> None:
    for text in TEXTS:
        assert parse(text, CLASSES).faults == () and parse(text, CLASSES).text == text


@pytest.mark.parametrize("unit", ["[", "]", "[ ", "[EMAIL]", "[[EMAIL]]", "[a", "A", "EMAIL]", "[é]", "A]", "A_]"])
def test_a_line_of_a_million_characters_takes_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    start = time.process_time()
    parse(text, CLASSES, TABLE)
    assert time.process_time() - start < 15  # quadratic would be hours


@pytest.mark.parametrize("inside", ["A_", " ", "-", "#", "1", "x ", "1 - "])
def test_a_bracket_of_a_million_characters_takes_linear_time(inside: str) -> None:
    text = "[" + inside * (1_000_000 // len(inside)) + "x]"
    start = time.process_time()
    assert len(parse(text, CLASSES, TABLE).faults) <= 1
    assert time.process_time() - start < 5


def test_half_a_surrogate_pair_is_refused_without_quoting() -> None:
    with refused("pii.half_surrogate_pair", value=7) as error:
        parse("secret \ud83d", CLASSES)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("name", ["Email", "EMAIL_2", "", "E-MAIL", "A" * 33, "É"])
def test_a_class_name_that_no_slot_can_have_is_refused(name: str) -> None:
    with refused("pii.class_name", name=name):
        parse("x", {name})


def test_the_table_of_the_project_names_classes_of_ai4privacy_and_maps_what_models_write() -> None:
    assert len(AI4PRIVACY) == 56
    brackets = read_brackets(ROOT / "prompts" / "pii" / "brackets.yaml", AI4PRIVACY)
    assert parse("[Your Name], [Phone Number 2] [sic!]", AI4PRIVACY, brackets) == Parsed(
        (Slot("FIRSTNAME"), " ", Slot("LASTNAME"), ", ", Slot("PHONENUMBER", 2), " [sic!]"), (), ((0, 11), (13, 29)), 2
    )
    assert parse("[3:00 PM]", AI4PRIVACY, brackets).faults == (Fault("unresolved", 0, 9),)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("- a", None),
        ("names: {}", None),
        ("aliases: [a]", None),
        ("aliases: {your name: NOBODY}", "your name"),
        ("aliases: {your name: 3}", "your name"),
        ("aliases: {your name: ''}", "your name"),
        ("aliases: {your name: EMAIL, Your Name: CITY}", "Your Name"),
        ("aliases: {sic: CITY}\nliterals: [SIC]", "sic"),
    ],
)
def test_a_table_that_says_nothing_or_two_things_is_refused(tmp_path, table: str, name: str | None) -> None:
    path = tmp_path / "brackets.yaml"
    path.write_text(table)
    with refused("pii.brackets_table", name=name) as error:
        read_brackets(path, CLASSES)
    assert error.value.where == str(path)


def test_a_slot_is_spelled_as_it_is_read() -> None:
    for name, person in product(CLASSES, (1, 2, 10, 999)):
        assert parse(str(Slot(name, person)), CLASSES).pieces == (Slot(name, person),)
    assert slots.is_class_name("US_SSN") and parse("[US_SSN_2]", {"US_SSN"}).slots == (Slot("US_SSN", 2),)
