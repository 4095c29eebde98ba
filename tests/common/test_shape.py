"""Each shape takes what it says, by type and by range, and never quotes what it refuses."""

import pytest

from lib.common import shape


@pytest.mark.parametrize(
    ("fits", "good", "bad"),
    [
        (shape.integer(1, 9), [1, 9], [0, 10, 1.0, True, "1", None]),
        (shape.number(above=0, most=1), [1, 0.5, 1e-9], [0, 1.1, float("nan"), float("inf"), True, "1"]),
        (shape.number(least=0), [0, 0.0], [-1e-9, -1]),
        (shape.text("[a-z]+", 3), ["abc"], ["", "abcd", "A", "a\n", 3]),
        (shape.text(shape.SENTENCE), ["it's 3: a (b)"], ["<b>", "www.x.org", "a\n", "![x](y)", "`"]),
        (shape.one_of("a", True), ["a", True], [1, "b", None]),
        (shape.optional(shape.integer(1)), [None, 1], [0]),
        (shape.items(shape.integer(1), 2), [[], [1, 2]], [[1, 2, 3], [0], {}, "ab"]),
        (
            shape.entries("[a-z]", shape.integer(1), 2),
            [{}, {"a": 1}],
            [{"aa": 1}, {"a": 0}, [], {"a": 1, "b": 1, "c": 1}],
        ),
        (shape.fields(a=shape.integer(1)), [{"a": 1}], [{}, {"a": 1, "b": 2}, {"a": 0}, []]),
        (
            shape.data(depth=2),
            [1, None, "é\n", "\u200c\u200d", [[1]], {"a": [True]}],
            ["\x1b", [[[1]]], float("nan"), {"\u202e": 1}],
        ),
    ],
)
def test_a_shape_takes_the_good_and_refuses_the_bad(fits, good, bad):
    assert [value for value in good if list(fits(value, "here"))] == []
    assert [value for value in bad if not list(fits(value, "here"))] == []
    assert all(sentence.startswith("here") and "\x1b" not in sentence for v in bad for sentence in fits(v, "here"))
