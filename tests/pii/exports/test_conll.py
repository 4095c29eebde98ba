"""CoNLL-2003 files as others write them, and what a line break in a text must not do."""

from pathlib import Path

from support.pii_toys import spanned

from lib.pii.exports import conll
from lib.pii.exports.examples import Example


def borders(example: Example) -> list[tuple[str, str]]:
    return [(span.label, span.value) for span in example.filled.spans]


def test_a_file_looks_like_conll_2003(tmp_path: Path) -> None:
    text = spanned("Hi Bob\n\n\u2028\x1cJones,\tbye", ("Bob", "FIRSTNAME", 1), ("Jones", "LASTNAME", 1))
    assert conll.write(tmp_path / "x", [Example("a", "en", text), Example("b", "en", spanned(""))]) == 0
    assert (tmp_path / "x").read_text() == (
        "-DOCSTART- -X- O O\n\nHi _ _ O\nBob _ _ B-FIRSTNAME\nJones _ _ B-LASTNAME\n, _ _ O\nbye _ _ O\n\n"
        "-DOCSTART- -X- O O\n\n\n"
    )
    assert [borders(example) for example in conll.read(tmp_path / "x")] == [
        [("FIRSTNAME", "Bob"), ("LASTNAME", "Jones")],
        [],
    ]


def test_sentences_are_texts_where_there_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("EU NNP B-NP I-ORG\nin IN B-PP O\r\n\n\nBob\tB-PER\nJones\tI-PER\n")
    first, second = conll.read(tmp_path / "x")
    assert borders(first) == [("ORG", "EU")] and borders(second) == [("PER", "Bob Jones")]
    assert (first.id, second.id, second.filled.text) == ("1", "2", "Bob Jones")


def test_the_sentences_of_a_document_are_one_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("-DOCSTART- -X- -X- O\n\na O\n\nb B-X\n\n-DOCSTART- -X- O O\n\nc O\n")
    assert [example.filled.text for example in conll.read(tmp_path / "x")] == ["a b", "c"]


def test_a_span_that_ends_within_a_word_is_counted(tmp_path: Path) -> None:
    text = spanned("Johnsons and Mr.Bean", ("Johnson", "LASTNAME", 1), ("Bean", "LASTNAME", 2))
    assert conll.write(tmp_path / "x", [Example("a", "en", text)]) == 1
    assert borders(conll.read(tmp_path / "x")[0]) == [("LASTNAME", "Johnsons"), ("LASTNAME", "Bean")]
