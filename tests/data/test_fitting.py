"""Values and lengths that fit a corpus: what a preset declares of it."""

from pathlib import Path

import pytest
from support.errors import refused
from tokenizers import Tokenizer, models, pre_tokenizers

from lib.data import fitting
from lib.data.private_text import PrivateText
from lib.data.records import Record


def labelled(*values: str | None) -> list[Record]:
    made = enumerate(values)
    return [Record(str(i), PrivateText("x"), {} if value is None else {"kind": value}) for i, value in made]


@pytest.mark.parametrize(
    ("values", "listed"),
    [
        (["b", "a", "b"], ["a", "b"]),
        (["10", "9", "1.5"], ["1.5", "9", "10"]),  # by size
        (["1", "1.0", "2"], ["1.0", "2"]),  # one value, spelled in two ways
        (["yes", "no", "null", "1"], ["1", "no", "null", "yes"]),
    ],
)
def test_the_values_of_a_label(values: list[str], listed: list[str]) -> None:
    assert fitting.label_values(labelled(*values), "kind") == listed


@pytest.mark.parametrize(
    ("values", "code", "value"),
    [
        (["a", None, None], "data.label_incomplete", 2),
        (["a", "a"], "data.not_a_label", 1),
        ([f"v{i}" for i in range(101)], "data.not_a_label", 101),
        (["a", "secret" * 20], "data.not_a_label", None),
        (["a", "sec\nret"], "data.not_a_label", None),
        (["a", "sec\u202eret"], "data.not_a_label", None),
    ],
)
def test_what_is_no_label_is_refused_without_its_values(values: list[str | None], code: str, value: int | None) -> None:
    with refused(code, name="kind", value=value) as error:
        fitting.label_values(labelled(*values), "kind")
    assert "sec" not in str(error.value)


@pytest.mark.parametrize(
    ("number", "step"), [(1, 10), (10, 10), (11, 20), (31, 50), (51, 100), (213, 300), (501, 1000), (1001, 2000)]
)
def test_limits_are_coarse(number: int, step: int) -> None:
    assert fitting.rounded_up(number) == step


def test_most_texts_are_within_the_limits() -> None:
    texts = [" ".join(["word"] * (i % 100 + 1)) for i in range(1000)]
    found = fitting.fitting_lengths(texts, None)
    assert (found.min_words, found.max_words, found.max_characters) == (4, 100, 2000)
    assert found.records == 970 and found.one_line and not found.unspaced
    assert found.tokens == 160  # 1.4 for each of 100 words and one for the end, in steps of 32
    assert fitting.fitting_lengths(texts, None, 20).max_words == 20
    short = fitting.fitting_lengths(["two words", "three words here"] * 50, None)
    assert (short.min_words, short.max_words, short.records) == (1, 10, 100)


def test_one_more_record_changes_no_limit_of_most_corpora() -> None:
    texts = [" ".join(["word"] * (i % 60 + 5)) for i in range(600)]
    without = fitting.fitting_lengths(texts, None)
    more = fitting.fitting_lengths([*texts, "word\n" * 5000], None)
    assert (more.max_words, more.tokens, more.one_line) == (without.max_words, without.tokens, without.one_line)


def test_lines_and_characters() -> None:
    assert not fitting.fitting_lengths(["one two\nthree four"] * 20 + ["one two three four"] * 80, None).one_line
    chinese = fitting.fitting_lengths(["\u597d\u5403\u7684\u5348\u9910" * 5] * 10, None)
    assert chinese.unspaced and chinese.max_words == 30


def test_tokens_are_counted_by_a_tokenizer(tmp_path: Path) -> None:
    letters = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(pre_tokenizers.ByteLevel.alphabet())}, merges=[]))
    letters.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters.save(str(tmp_path / "tokenizer.json"))
    assert fitting.tokenizer_file(str(tmp_path)) == tmp_path / "tokenizer.json"
    texts = ["four of these words"] * 95 + ["four of these words" + "s" * 70] * 5
    assert fitting.fitting_lengths(texts, tmp_path / "tokenizer.json").tokens == 96  # the longest have 89, and an end
    assert fitting.fitting_lengths(texts[:95], tmp_path / "tokenizer.json").tokens == 32


def test_a_tokenizer_that_is_not_there_is_not_fetched(tmp_path: Path) -> None:
    assert fitting.tokenizer_file("bundled:smollm2-135m-instruct", tmp_path) is None
    assert fitting.tokenizer_file("hub:some/model") is None and fitting.tokenizer_file("") is None


def test_empty_texts_are_refused() -> None:
    with refused("data.no_text", name="text"):
        fitting.fitting_lengths(["", " "], None)
