"""Columns: named where they are names for sure, told in figures where they may be a record."""

from collections.abc import Callable

import pytest
from support.errors import refused

from lib.common.errors import DoppelError
from lib.data.sources.columns import cells_by_key, resolve

WANTED = {"text": "Review", "labels.stars": "Stars"}


def refusal(action: Callable[[], object], **facts: object) -> DoppelError:
    with refused("data.column_missing", **facts) as error:
        action()
    return error.value


def first_line(*cells: str) -> DoppelError:
    return refusal(lambda: resolve(WANTED, list(cells), "x.csv", first_line=True))


def test_a_first_line_with_the_column_of_the_text_is_a_header() -> None:
    error = first_line("Review", "Title", "How do you feel today?")
    assert error.name == "labels.stars" and "the columns are Review, Title and 1 more" in error.sentence


@pytest.mark.parametrize("cells", [("Anna", "4"), ("I returned it after a week.", "bad"), ("a@b.org", "x", "y")])
def test_a_first_line_that_looks_like_a_record_is_told_in_figures(cells: tuple[str, ...]) -> None:
    error = first_line(*cells)
    assert "no header line" in error.remedy and not any(cell in error.sentence for cell in cells if len(cell) > 1)
    assert f"{len(cells)} cells, of {len(cells[0])}, {len(cells[1])}" in error.sentence


def test_words_in_a_first_line_may_be_a_record_too() -> None:
    error = first_line("Anna", "bad")
    assert "Anna" not in str(error) and "columns: {text: COLUMN}" in error.remedy
    said = refusal(lambda: resolve({"text": "said", "user": "user"}, ["user", "Anna"], "x.csv", first_line=True))
    assert "Anna" not in str(said)  # a chat, whose cells may be "user"
    near = first_line("review", "Anna", "4")
    assert "did you mean review?" in near.remedy and "Anna" not in str(near)


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_delimiter_is_named(sign: str, name: str) -> None:
    assert f"it has {name} and no comma" in first_line(sign.join(["Review", "Stars"])).remedy


def test_names_of_a_schema_are_listed_by_their_shape() -> None:
    error = refusal(lambda: resolve(WANTED, ["id", "body", "I returned it"], "x"), name="text", value="Review")
    assert "the columns are id, body and 1 more" in error.sentence


def test_every_row_has_the_columns_of_the_first() -> None:
    rows = [("row 1", {"text": "a", "user": "u"}), ("row 2", {"text": "b", "user": None, "other": 1})]
    assert list(cells_by_key(rows, None)) == [
        ("row 1", {"text": "a", "user": "u"}),
        ("row 2", {"text": "b", "user": None}),
    ]
    for first, second, name in (
        ({"text": "a", "user": "u"}, {"text": "b"}, "user"),
        ({"text": "a"}, {"text": "b", "user": "u"}, "user"),
        ({"text": "a"}, {"text": "b", "id": "1"}, "id"),
        ({"text": "a", "user": "u"}, {"user": "u"}, "text"),
    ):
        with refused("data.key_missing", name=name) as error:
            list(cells_by_key([("row 1", first), ("row 2", second)], None))
        assert error.value.where == "row 2"
    mapped = [("row 1", {"text": "a", "Who": "u"}), ("row 2", {"text": "b", "Who": "v", "user": "w"})]
    assert [cells["user"] for _, cells in cells_by_key(mapped, {"user": "Who"})] == ["u", "v"]
