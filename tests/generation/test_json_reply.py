"""JSON in replies: what is read, and what is asked for again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.generation.json_reply import DEEPEST, read_list, read_object, texts
from lib.generation.workflow import Unusable

_WORDS = st.text(st.characters(exclude_characters="{}[]`", exclude_categories=["Cs"]), max_size=40)
_SCALARS = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=20)
_OBJECTS = st.dictionaries(
    st.text(min_size=1, max_size=8), _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.text(), _SCALARS)
)


@given(_OBJECTS, _WORDS, _WORDS, st.sampled_from([None, 2, 4]))
def test_an_object_is_read_with_whatever_words_around_it(value, before, behind, indent):
    assert read_object(f"{before}{json.dumps(value, indent=indent)}{behind}") == value
    assert read_object(f"{before}\n```json\n{json.dumps(value, indent=indent)}\n```\n{behind}") == value


@given(st.dictionaries(st.text(min_size=1, max_size=8), _SCALARS, min_size=1), st.sampled_from([None, 2, 4]), st.data())
def test_no_part_of_a_reply_that_was_cut_off_is_taken_for_it(value, indent, data):
    text = json.dumps({"outer": value, "list": [value, value]}, indent=indent)
    cut = data.draw(st.integers(0, len(text) - 1))
    for read in (read_object, read_list):
        with pytest.raises(Unusable):
            read(text[:cut])
        with pytest.raises(Unusable):
            read(f"```json\n{text[:cut]}")
        with pytest.raises(Unusable):
            read(json.dumps([value, value], indent=indent)[: cut % 10 + 1])


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("I cannot say.", "not JSON"),
        ("", "not JSON"),
        ('{"a": 1, "a": 2}', "a key twice"),
        ('{"a": {"b": 1, "b": 1}}', "a key twice"),
        ('["a", "b"]', "a list in place of an object"),
        ("{" * 5000, "not JSON"),
        ('{"a":' * 5000, "not JSON"),
        ("{'a': 1}", "not JSON"),
        ('{"a": ' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1), "nested too deeply"),
    ],
)
def test_what_cannot_be_read_as_an_object_has_a_reason_without_its_text(reply, reason):
    with pytest.raises(Unusable) as unusable:
        read_object(reply)
    assert unusable.value.reason == reason


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('Options [1] and {name}: ["a", "b"]', ["a", "b"]),
        ('{"types": ["a", "b"]}', ["a", "b"]),
        ('{"title": "x", "types": ["a", "b"]}', ["a", "b"]),
        ('```\n["a",\n"b"]\n```', ["a", "b"]),
        ('[["a"], {"b": 1}]', [["a"], {"b": 1}]),
        ("[]", []),
    ],
)
def test_a_list_is_read(reply, expected):
    assert read_list(reply) == expected


@pytest.mark.parametrize("reply", ['{"a": 1}', '{"a": ["b"], "c": ["d"]}', "[1, 2]", '["a", "b'])
def test_what_is_no_list_is_asked_for_again(reply):
    with pytest.raises(Unusable):
        read_list(reply)


def test_values_become_text():
    given = {
        "Full name": " Ann ", "age": 42, "height": 1.5, "ok": True, "no": False, "gone": None, "blank": "  ",
        "list": ["a", 2, None, {"x": "y", "z": 1}], "home": {"city": "Oslo", "zip": 150, "deep": {"er": "1"}},
        "home_city": "other", "": "no name",
    }  # fmt: skip
    assert texts(given) == {
        "Full_name": "Ann", "age": "42", "height": "1.5", "ok": "yes", "no": "no", "list": "a, 2, y, 1",
        "home_city": "Oslo", "home_zip": "150", "home_deep_er": "1",
    }  # fmt: skip
