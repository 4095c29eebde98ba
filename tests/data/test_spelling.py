"""One spelling for labels, and errors that tell kinds of values and no value."""

import pytest

from lib.data.spelling import listed, outside_hint, spelled


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (["1", "1.0", " 1.00", "1."], "1"),
        (["1.5", "1.50"], "1.5"),
        (["-10", "-10.0"], "-10"),
        (["100"], "100"),
        (["1.05", "1.0500"], "1.05"),
        (["007"], "007"),  # a code
        (["1.2.0"], "1.2.0"),
        (["true", "True", "TRUE"], "true"),
        (["2024-01-31", "2024-01-31 00:00:00", "2024-01-31T00:00:00.000"], "2024-01-31"),
        (["2024-01-31T10:00:00", "2024-01-31 10:00:00"], "2024-01-31 10:00:00"),
        (["very good", " very\u00a0 good "], "very good"),
        (["caf\u00e9", "cafe\u0301"], "caf\u00e9"),
        (["Good"], "Good"),
    ],
)
def test_spellings_of_one_value(spellings: list[str], expected: str) -> None:
    assert {spelled(value) for value in spellings} == {expected} == {spelled(expected)}


@pytest.mark.parametrize(
    ("values", "declared", "hint"),
    [
        ({"GOOD", "B ad"}, ["good", "bad"], "only in letter case or white space"),
        ({"4", "2.5"}, ["good", "bad"], "such values are numbers, the domain lists words"),
        ({"fine"}, ["1", "2"], "such values are words, the domain lists numbers"),
        ({"True"}, ["0", "1"], "such values are true or false, the domain lists numbers"),
        ({"2024-01-31"}, ["1", "x"], "such values are dates or times, the domain lists numbers or words"),
        ({"fine"}, ["good", "bad"], ""),
        ({"4", "fine"}, ["good", "bad"], ""),
    ],
)
def test_how_values_miss_a_domain(values: set[str], declared: list[str], hint: str) -> None:
    told = outside_hint(values, declared)
    assert hint in told if hint else not told
    assert not any(value in told for value in values if len(value) > 1)


def test_names_are_listed_where_they_look_like_names() -> None:
    assert listed(["id", "Review", "user_id", "a.b-c", "\u00c9tat"]) == "id, Review, user_id, a.b-c, \u00c9tat"
    assert listed(["id", "I like it", "4", "a@b.org", "x" * 41, ""]) == "id and 5 more"
    assert listed(["I like it"]) == "1 not shown" and listed([]) == "none"
    assert listed([f"c{i}" for i in range(40)]).endswith("c29 and 10 more")
