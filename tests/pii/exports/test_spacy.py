"""spaCy's binary files, where spaCy is installed: a span off its tokens is widened and counted."""

import pytest
from support.pii_toys import spanned

from lib.pii.exports import spacy as export
from lib.pii.exports.examples import Example


def test_a_span_off_a_token_is_widened_and_counted() -> None:
    spacy = pytest.importorskip("spacy")
    texts = [
        spanned("Hi Bob, in Ulm", ("Bob", "FIRSTNAME", 1), ("Ulm", "CITY", 1)),
        spanned("the Johnsons of Ulm🙂x", ("Johnson", "LASTNAME", 1), ("Ulm", "CITY", 1)),
        spanned("abcd", ("ab", "FIRSTNAME", 1), ("cd", "LASTNAME", 1)),
    ]
    nlp = spacy.blank("en")
    made = export.doc_bin([Example(str(number), "en", text) for number, text in enumerate(texts)], nlp)
    docs = list(made.docs.get_docs(nlp.vocab))
    assert (made.spans, made.lost) == (6, 1) and made.widened >= 2
    assert [entity.text for entity in docs[0].ents] == ["Bob", "Ulm"]
    assert docs[1].ents[0].text == "Johnsons" and [entity.text for entity in docs[2].ents] == ["abcd"]
