"""Spans are recorded while values are written, and a checker sees when they are not right."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.errors import refused
from support.pii_toys import CLASSES, TEXTS, VALUES, filled, spanned, values

from lib.pii.alignment import tag
from lib.pii.slots import Brackets, Slot, parse
from lib.pii.spans import PROBLEMS, Filled, Problem, Span, fill, problems, relabel, unfill
from lib.pii.words import words

SECRET = "Xanthippe Quillfeather"


def made(text: str, **people: str) -> Filled:
    """A text filled with a value for each slot, as ``FIRSTNAME_2='Carlos'``."""
    return fill(parse(text, CLASSES), lambda name, person: people[str(Slot(name, person)).strip("[]")])


def kinds(broken: Filled) -> list[str]:
    return [problem.kind for problem in problems(broken, CLASSES)]


def moved(right: Filled, count: int, by: str) -> Filled:
    """The spans of a text with an emoji, as a program counts that numbers units of an encoding of ``count`` bytes."""
    spans = (
        span._replace(
            start=len(right.text[: span.start].encode(by)) // count, end=len(right.text[: span.end].encode(by)) // count
        )
        for span in right.spans
    )
    return Filled(right.text, tuple(spans))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("text", TEXTS)
def test_every_span_is_its_value_and_unfilling_gives_the_text_before(text: str, seed: int) -> None:
    right = filled(text, seed)
    assert problems(right, CLASSES) == [] and unfill(right) == text
    assert [(span.label, span.person) for span in right.spans] == list(parse(text, CLASSES).slots)
    assert all(right.text[span.start : span.end] == span.value == values(seed)(*span[2::2]) for span in right.spans)


SLOTTED = st.lists(
    st.one_of(
        st.builds(Slot, st.sampled_from(CLASSES), st.integers(1, 3)), st.text("aé🙂\u0301\u200b \t\r\n[].", max_size=4)
    )
)


@given(SLOTTED, st.integers(0, 20))
def test_the_same_of_any_text(pieces: list, seed: int) -> None:
    parsed = parse("".join(map(str, pieces)), CLASSES)
    if parsed.faults:
        with refused("pii.slots_unresolved", value=len(parsed.faults)):
            fill(parsed, values(seed))
    else:
        right = fill(parsed, values(seed))
        assert problems(right, CLASSES) == [] and unfill(right) == parsed.text


# the cases that users complain about


def test_a_name_inside_another_word_is_no_name() -> None:
    right = made("[FIRSTNAME] moved to Alexandria. [FIRSTNAME] stayed.", FIRSTNAME="Alex")
    assert right.text == "Alex moved to Alexandria. Alex stayed."
    assert [span[:2] for span in right.spans] == [(0, 4), (26, 30)]


def test_only_the_person_july_is_labelled() -> None:
    right = made("[FIRSTNAME] and [FIRSTNAME_2] spent the month of July", FIRSTNAME="July", FIRSTNAME_2="Carlos")
    assert [span[:2] for span in right.spans] == [(0, 4), (9, 15)] and right.text.endswith("July")


def test_two_people_are_two_entities_wherever_they_are_mentioned() -> None:
    right = made("[FIRSTNAME] and [FIRSTNAME_2] and [FIRSTNAME]", FIRSTNAME="Alice", FIRSTNAME_2="Bob")
    assert right.text == "Alice and Bob and Alice" and [span.person for span in right.spans] == [1, 2, 1]


def test_all_names_of_a_person_are_one_entity() -> None:
    right = made(
        "[FIRSTNAME] [LASTNAME], [USERNAME], met [FIRSTNAME_2]",
        FIRSTNAME="John", LASTNAME="Smith", USERNAME="@jsmith", FIRSTNAME_2="John",
    )  # fmt: skip
    assert [span.person for span in right.spans] == [1, 1, 1, 2]


def test_three_emails_with_spaces_between_are_three_spans() -> None:
    right = made("[EMAIL] [EMAIL_2] [EMAIL_3]", EMAIL="a@b.org", EMAIL_2="b@b.org", EMAIL_3="c@b.org")
    assert [span.value for span in right.spans] == right.text.split() and unfill(right) == "[EMAIL] [EMAIL_2] [EMAIL_3]"


def test_two_phones_on_two_lines_do_not_merge() -> None:
    text = "[FIRSTNAME] [LASTNAME]\n[PHONENUMBER]\n[PHONENUMBER_2]"
    right = made(text, FIRSTNAME="Dave", LASTNAME="Jones", PHONENUMBER="555-0100", PHONENUMBER_2="555-0101")
    assert [(span.label, span.person) for span in right.spans] == [
        ("FIRSTNAME", 1), ("LASTNAME", 1), ("PHONENUMBER", 1), ("PHONENUMBER", 2),
    ]  # fmt: skip
    assert problems(right, CLASSES) == []


def test_a_phone_that_is_part_of_a_number_is_disjoint_from_it() -> None:
    right = made("ID [SSN],[PHONENUMBER], same", SSN="555-0100-22", PHONENUMBER="555-0100")
    assert right.text == "ID 555-0100-22,555-0100, same" and unfill(right) == "ID [SSN],[PHONENUMBER], same"
    assert problems(right, CLASSES) == []


def test_offsets_are_code_points() -> None:
    right = made("👩‍👩‍👧 東京の[FIRSTNAME]さん e\u0301 [CITY]", FIRSTNAME="さくら", CITY="北京")
    assert [span[:2] for span in right.spans] == [(9, 12), (18, 20)]
    assert [right.text[start:end] for start, end, *_ in right.spans] == ["さくら", "北京"]


def test_a_value_may_hold_brackets_and_other_values() -> None:
    text = "[FIRSTNAME][USERNAME] [EMAIL]"
    right = made(text, FIRSTNAME="[EMAIL]", USERNAME="x[1]", EMAIL="[EMAIL]x[1]")
    assert right.text == "[EMAIL]x[1] [EMAIL]x[1]" and problems(right, CLASSES) == [] and unfill(right) == text


# other schemes


def test_a_whole_name_is_one_person_and_two_phones_are_two() -> None:
    names = {"FIRSTNAME": "PERSON", "LASTNAME": "PERSON", "USERNAME": None, "PHONENUMBER": "PHONE"}
    text = spanned(
        "Dave  Jones (@dj)\n555-0100\n555-0101 Al\nBo Cy,Di", ("Dave", "FIRSTNAME", 1), ("Jones", "LASTNAME", 1),
        ("@dj", "USERNAME", 1), ("555-0100", "PHONENUMBER", 1), ("555-0101", "PHONENUMBER", 1), ("Al", "FIRSTNAME", 1),
        ("Bo", "LASTNAME", 1), ("Cy", "FIRSTNAME", 2), ("Di", "LASTNAME", 2),
    )  # fmt: skip
    other = relabel(text, names, {"PERSON", "PHONE"})
    assert [span[2:] for span in other.spans] == [
        ("PERSON", "Dave  Jones", 1), ("PHONE", "555-0100", 1), ("PHONE", "555-0101", 1), ("PERSON", "Al", 1),
        ("PERSON", "Bo", 1), ("PERSON", "Cy", 2), ("PERSON", "Di", 2),
    ]  # fmt: skip
    assert problems(other, CLASSES) == []
    assert [span.value for span in relabel(text, names).spans][:2] == ["Dave", "Jones"]
    unknown = spanned("Dave Jones", ("Dave", "FIRSTNAME"), ("Jones", "LASTNAME"))
    assert len(relabel(unknown, names, {"PERSON"}).spans) == 2  # nobody says that they are one person
    touching = spanned("李雷", ("李", "LASTNAME", 1), ("雷", "FIRSTNAME", 1))
    assert [span.value for span in relabel(touching, names, {"PERSON"}).spans] == ["李雷"]
    with refused("pii.label_unmapped", name="CITY"):
        relabel(spanned("Ulm", ("Ulm", "CITY", 1)), names)


# refusals


@pytest.mark.parametrize("text", ["[Your Name]", "[3:00 PM] [EMAIL]", "[email]", "[[EMAIL]]", "[EMAIL"])
def test_a_text_with_faults_is_not_filled(text: str) -> None:
    with refused("pii.slots_unresolved", name=parse(text, CLASSES).faults[0].kind):
        fill(parse(text, CLASSES), values())


@pytest.mark.parametrize("value", ["", " ", f"{SECRET} ", f"\n{SECRET}", f"{SECRET}\u00a0", None, 3])
def test_a_value_that_is_none_is_refused_without_quoting(value: object) -> None:
    with refused("pii.value", name="EMAIL", value=None) as error:
        fill(parse("[EMAIL]", CLASSES), lambda name, person: value)
    assert SECRET not in str(error.value)


def test_half_a_surrogate_pair_in_a_value_is_refused() -> None:
    with refused("pii.half_surrogate_pair") as error:
        fill(parse("[EMAIL]", CLASSES), lambda name, person: SECRET + "\udc00")
    assert SECRET not in str(error.value)


# positive controls: what the checker must see

RIGHT = made("🙂 [FIRSTNAME] of [CITY] 🙂 [EMAIL]", FIRSTNAME="Zoë", CITY="Zürich", EMAIL="a@b.org")


def test_the_checker_finds_nothing_in_what_is_right() -> None:
    assert problems(RIGHT, CLASSES) == [] and problems(Filled("", ()), CLASSES) == []


def test_an_end_that_is_off_by_one_is_seen() -> None:
    for by in (-1, 1):
        broken = Filled(RIGHT.text, tuple(span._replace(end=span.end + by) for span in RIGHT.spans))
        assert kinds(broken) == ["value", "value", "outside" if by > 0 else "value"]


def test_offsets_of_the_masked_text_are_seen() -> None:
    masked, done, spans = unfill(RIGHT), 0, []
    for span in RIGHT.spans:
        done = masked.index(f"[{span.label}]", done)
        spans.append(span._replace(start=done, end=done + len(span.value)))
    assert set(kinds(Filled(RIGHT.text, tuple(spans)))) & {"value", "outside"}


@pytest.mark.parametrize(("count", "encoding"), [(2, "utf-16-le"), (1, "utf-8")])
def test_offsets_that_count_an_emoji_otherwise_are_seen(count: int, encoding: str) -> None:
    assert {problem.span for problem in problems(moved(RIGHT, count, encoding), CLASSES)} == {0, 1, 2}
    assert moved(RIGHT, 4, "utf-32-le") == RIGHT  # the control's own control


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 4), (2, 6)], [Problem("overlap", 2, 6, 1)]),
        ([(0, 4), (0, 4)], [Problem("overlap", 0, 4, 1)]),
        ([(5, 7), (0, 4)], [Problem("order", 0, 4, 1)]),
        ([(3, 3)], [Problem("outside", 3, 3, 0)]),
        ([(4, 2)], [Problem("outside", 4, 2, 0)]),
        ([(-1, 2)], [Problem("outside", -1, 2, 0)]),
        ([(8, 10)], [Problem("outside", 8, 10, 0)]),
        ([(0, 9), (2, 3), (4, 5)], [Problem("overlap", 2, 3, 1), Problem("overlap", 4, 5, 2)]),
    ],
)
def test_order_overlaps_and_borders_are_checked(spans: list[tuple[int, int]], expected: list[Problem]) -> None:
    text = "abcdefghi"
    assert problems(Filled(text, tuple(Span(a, b, "CITY", text[a:b]) for a, b in spans)), CLASSES) == expected


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Bob: [EMAIL]", [(5, 12)]),
        ("Bob [email] [Your Name] [sic]", [(4, 11), (12, 23)]),
        ("[EMAIL_1][CITY] Bob", [(0, 9), (9, 15)]),
        ("[[EMAIL]] Bob", [(0, 9)]),
        ("write to [EMAIL_2 Bob", [(9, 18)]),
        ("Bob [1]", []),
    ],
)
def test_a_slot_that_was_forgotten_is_seen(text: str, places: list[tuple[int, int]]) -> None:
    found = problems(spanned(text, ("Bob", "FIRSTNAME")), CLASSES)
    assert [(problem.start, problem.end) for problem in found] == places
    assert all(problem.kind == "unresolved" and problem.span is None for problem in found)


def test_brackets_that_the_table_calls_text_are_no_problem() -> None:
    table = Brackets({}, frozenset({"redacted"}))
    assert problems(Filled("[redacted]", ()), CLASSES, table) == [] != problems(Filled("[redacted]", ()), CLASSES)


def test_every_kind_of_problem_was_seen() -> None:
    broken = Filled(
        "[CITY] ab", (Span(8, 8, "A", ""), Span(7, 9, "A", "x"), Span(7, 8, "A", "a"), Span(3, 4, "A", "T"))
    )
    assert set(kinds(broken)) == set(PROBLEMS)


def test_a_span_without_a_person_is_unfilled_to_its_class() -> None:
    assert (
        unfill(spanned("Bob and Al", ("Bob", "FIRSTNAME"), ("Al", "FIRSTNAME", 2))) == "[FIRSTNAME] and [FIRSTNAME_2]"
    )


def test_a_line_of_a_million_characters_takes_seconds() -> None:
    text = ("word " * 50 + "[EMAIL], [CITY_2] ") * 4000
    start = time.process_time()
    right = filled(text)
    assert problems(right, CLASSES) == [] and unfill(right) == text
    assert tag(right.spans, words(right.text)).lost == () and len(right.text) > 1_000_000
    assert time.process_time() - start < 20


def test_the_toy_values_are_hard_ones() -> None:
    joined = "".join(value for group in VALUES.values() for value in group)
    assert set("[]\u0301\u200d\u00a0\tم李👩") <= set(joined) and "\r\n" in joined
