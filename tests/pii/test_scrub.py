"""A scrubber looks at one record alone, and what it writes can be filled again."""

from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.errors import refused

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.pii.classes import classes
from lib.pii.detectors.rules import Rules
from lib.pii.scrub import MASK, Mode, Scrubber, chosen
from lib.pii.slots import parse
from lib.pii.spans import Span, fill

DIRECT = chosen(["direct"])
PIECES = ["Mr. Bean", "Ms. Teddy", "bean@x.org", "425-555-0123", "(425) 555-0123", "4111 1111 1111 1111", "🙂", "[sic]"]
TEXTS = st.lists(st.sampled_from([*PIECES, "and", "called", "\r\n", "é"]), min_size=1, max_size=8).map(" ".join)


class Words:
    """A detector that finds what it is told to."""

    def __init__(self, name: str, scheme: str, **labels: str):
        self.name, self.scheme, self.labels = name, scheme, labels

    def find(self, texts):
        found = []
        for text in texts:
            spans = [
                Span(text.index(word), text.index(word) + len(word), label, word)
                for word, label in self.labels.items()
                if word in text
            ]
            found.append(tuple(sorted(spans)))
        return found


class Remembering(Words):
    """A detector that no scrubber may have: it finds again whatever word it has once seen in brackets."""

    def find(self, texts):
        self.labels |= {word.strip("<>"): "FIRSTNAME" for text in texts for word in text.split() if word[0] == "<"}
        return super().find(texts)


def scrubber(mode: Mode = "slots", **given) -> Scrubber:
    return Scrubber([Rules("en_US")], take=DIRECT, mode=mode, **given)


def records(texts: list[str]) -> list[Record]:
    return [
        Record(str(number), PrivateText(text), {"mood": "glad"}, f"user{number}") for number, text in enumerate(texts)
    ]


def scrubbed(by: Scrubber, texts: list[str]) -> list[str]:
    return [record.text.reveal() for record, _ in by.records(records(texts))]


@given(st.lists(TEXTS, min_size=1, max_size=6, unique=True), TEXTS, st.randoms())
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("mode", ["slots", "surrogates", "masks"])
def test_a_record_more_changes_nobody_elses(mode: Mode, texts: list[str], more: str, order: Random) -> None:
    before = dict(zip(texts, scrubbed(scrubber(mode), texts), strict=True))
    kept = [(text, f"user{number}") for number, text in enumerate(texts)]
    kept.insert(order.randrange(len(kept) + 1), (more, "somebody"))
    rows = [Record(str(number), PrivateText(text), {"mood": "glad"}, user) for number, (text, user) in enumerate(kept)]
    after = [
        (row.user, record.text.reveal()) for row, (record, _) in zip(rows, scrubber(mode).records(rows), strict=True)
    ]
    others = {user: text for user, text in after if user != "somebody"}
    assert others == {f"user{number}": before[text] for number, text in enumerate(texts)}
    assert len(after) == len(texts) + 1  # nothing is dropped, be it equal to another


def test_a_detector_that_remembers_is_caught_by_that_property():
    two = ["ask Ann", "ask Bob"]
    alone = scrubbed(Scrubber([Remembering("r", "doppel")], take=DIRECT), two)
    among = scrubbed(Scrubber([Remembering("r", "doppel")], take=DIRECT), ["I am <Bob>", *two])[1:]
    assert alone == two != among


def test_each_text_goes_to_a_detector_alone():
    calls = []

    class Watched(Words):
        def find(self, texts):
            calls.append(len(texts))
            return super().find(texts)

    scrubbed(Scrubber([Watched("w", "doppel")], take=DIRECT), ["a", "b", "c"])
    assert calls == [1, 1, 1]


def test_ids_users_and_labels_stay_and_findings_are_counted():
    rows = records(["write to bean@x.org", "nothing"])
    (first, found), (second, nothing) = scrubber().records(rows)
    assert [(r.id, r.user, r.labels) for r in (first, second)] == [(r.id, r.user, r.labels) for r in rows]
    assert found == {("rules", "EMAIL"): 1} and not nothing and second == rows[1]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Alice and Mr. Bean", "Alice and Mr. [LASTNAME]"),
        ("[bean@x.org], (bean@x.org)", "[EMAIL], ([EMAIL])"),
        ("a@b.com c@d.org e@f.net", "[EMAIL] [EMAIL_2] [EMAIL_3]"),
        ("425-882-8080\n425-882-8081", "[PHONENUMBER]\n[PHONENUMBER_2]"),
        ("Mr. Bean: bean@x.org. Ms. Teddy: t@x.org", "Mr. [LASTNAME]: [EMAIL]. Ms. [LASTNAME_2]: [EMAIL_2]"),
        ("", ""),
        ("in May", "in May"),
    ],
)
def test_slots(text: str, right: str) -> None:
    assert scrubber().text(text) == right


@given(TEXTS)
@settings(max_examples=40, deadline=None)
def test_slots_can_be_parsed_and_filled_again(text: str) -> None:
    by = scrubber()
    parsed = parse(by.text(text), classes())
    assert not parsed.faults
    assert len(parsed.slots) == sum(by.scrub(text, "").found.values())
    fill(parsed, lambda name, person: f"{name}{person}")


def test_surrogates_depend_on_the_record_and_agree_within_it():
    by = scrubber("surrogates", reference=date(2026, 1, 1))
    text = "bean@x.org or BEAN@x.org"
    first, second = by.text(text).split(" or ")
    assert first == second != "bean@x.org"
    assert by.scrub(text, "other").text != by.scrub(text, "key").text == by.scrub(text, "key").text
    assert "example." in scrubber("surrogates", ranges="reserved").text(text)


def test_masks_tell_neither_class_nor_length():
    assert scrubber("masks").text("Mr. Bean, bean@x.org") == f"Mr. {MASK}, {MASK}"


def test_of_two_detectors_the_first_names_the_class_and_both_are_counted():
    one = Words("one", "doppel", **{"b@c.de": "EMAIL"})
    two = Words("two", "ontonotes", **{"Ann Bo b@c.de": "PERSON"})
    text, found = Scrubber([one, two], take=DIRECT).scrub("ask Ann Bo b@c.de!", "")
    assert text == "ask [FIRSTNAME] [LASTNAME] [EMAIL]!"
    assert found == {("one", "EMAIL"): 1, ("two", "FIRSTNAME"): 1, ("two", "LASTNAME"): 1}


def test_what_is_not_chosen_stays_and_hides_nothing():
    detectors = [Words("one", "doppel", **{"5 May 2001": "DATE"}), Words("two", "doppel", May="FIRSTNAME")]
    assert Scrubber(detectors, take=DIRECT).text("born 5 May 2001") == "born 5 [FIRSTNAME] 2001"


def test_classes_are_chosen_by_name_or_by_what_they_tell():
    assert "EMAIL" in DIRECT and "CITY" not in DIRECT
    assert chosen(["quasi", "EMAIL"]) >= {"EMAIL", "CITY", "DOB"} and chosen([]) == frozenset()
    with refused("pii.unknown_class", value="EMAL"):
        chosen(["EMAL"])


def test_what_cannot_be_done_is_refused_before_a_record_is_read():
    with refused("pii.unknown_mode", value="slot"):
        scrubber("slot")
    with refused("pii.unknown_locale"):
        scrubber(locale="en_XX")
