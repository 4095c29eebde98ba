"""Which texts of a model can be filled. The rows of PII.md's table that are about writing are among the cases."""

import pytest
from support.project import ROOT

from lib.pii.classes import classes
from lib.pii.detectors.rules import Rules
from lib.pii.slots import read_brackets
from lib.pii.writing.acceptance import NO_SLOT, UNASKED, judge
from lib.pii.writing.writers import BRACKETS

TABLE = read_brackets(ROOT / BRACKETS, classes())


def fault(text: str, asked: set[str] | None = None) -> str | None:
    (judged,) = judge([text], Rules("en_US"), TABLE, None if asked is None else [asked])
    return judged.fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call [PHONENUMBER_2].", None),
        ("Dear [Your Name], it is [FIRSTNAME]", None),  # an alias
        ("[sic] [FIRSTNAME] [laughs]", None),
        ("[IBAN][BIC]", None),  # adjacent
        ("Meet at [3:00 PM], [FIRSTNAME]", "unresolved"),
        ("[Signature] [FIRSTNAME]", "unresolved"),
        ("[email] [FIRSTNAME]", None),  # in the table of aliases
        ("[bitcoinaddress] [FIRSTNAME]", "lower_case"),
        ("[ EMAIL ]", None),
        ("[BITCOIN ADDRESS]", "spaced"),
        ("[FAVOURITECOLOUR]", "unknown"),
        ("[EMAIL_0]", "person"),
        ("[[EMAIL]]", "nested"),
        ("[EMAIL](mailto:x)", "link"),
        ("[EMAIL_2", "unclosed"),
        ("EMAIL]", "unopened"),
        ("nothing here", NO_SLOT),
        ("", NO_SLOT),
        ("x" * 1_000_000, NO_SLOT),
        ("[FIRSTNAME] " + "x" * 100_000, None),
        ("[FIRSTNAME] \ud83d", "broken characters"),
        ("李雷[FIRSTNAME]さくら,[CITY]", None),
        ("[FIRSTNAME]: jo@acme.org", "outside slots: EMAIL"),
        ("[FIRSTNAME], call +1 425 555 0100", "outside slots: PHONENUMBER"),
        ("[FIRSTNAME] lives with Mr. Bean", "outside slots: PREFIX"),
        ("[FIRSTNAME] paid with 4111 1111 1111 1111", "outside slots: CREDITCARDNUMBER"),
        ("[FIRSTNAME]: 1548138160707 is a timestamp", None),
        ("[FIRSTNAME] was here on 12/03/2024", "outside slots: DATE"),
        ("password: [PASSWORD], PIN: [PIN]", None),
        ("From [EMAIL]\r\nto\u00a0[EMAIL_2]\u200b\t🙂 [FIRSTNAME]\u0301 מאת [CITY]", None),
    ],
)
def test_what_is_taken_and_what_not(text: str, expected: str | None) -> None:
    assert fault(text) == expected


def test_a_class_that_was_not_asked_for_is_not_taken() -> None:
    assert fault("[EMAIL] [CITY]", {"EMAIL"}) == UNASKED and fault("[EMAIL_2]", {"EMAIL"}) is None
    assert fault("[your name]", {"EMAIL"}) == UNASKED  # nor one that an alias stands for


def test_an_alias_becomes_its_slots() -> None:
    (judged,) = judge(["Dear [Name 2], [sic]"], Rules("en_US"), TABLE)
    assert judged.parsed.text == "Dear [FIRSTNAME_2] [LASTNAME_2], [sic]" and judged.parsed.mapped == 1


def test_texts_are_judged_one_by_one() -> None:
    texts = ["[EMAIL]", "a@b.org [EMAIL]", "x", "[CITY]"]
    together = [one.fault for one in judge(texts, Rules("en_US"), TABLE)]
    assert together == [fault(text) for text in texts] == [None, "outside slots: EMAIL", NO_SLOT, None]
