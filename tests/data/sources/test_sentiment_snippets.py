"""The bundled corpora of rated sentences."""

from lib.data.sources import load
from lib.data.sources.sentiment_snippets import sentiment


def test_amazon_snippets() -> None:
    corpus = load("amazon-snippets")
    assert len(corpus.records) == 3708 and len({record.user for record in corpus.records}) == 300
    by_id = {record.id: record for record in corpus.records}
    assert by_id["1_15"].as_json() == {
        "id": "1_15",
        "text": "by pressing p/n, you should be able to get a good picture on the screen.",
        "labels": {"sentiment": "positive"},
        "user": "1",
    }
    assert by_id["1_1"].labels == {"sentiment": "negative"} and by_id["1_3"].labels == {"sentiment": "neutral"}


def test_movie_snippets() -> None:
    corpus = load("movie-snippets")
    assert len(corpus.records) == 10605 and {record.user for record in corpus.records} == {None}
    texts = "".join(record.text.reveal() for record in corpus.records)
    assert "Touché!" in texts and "Ã" not in texts and "\r" not in texts


def test_sentiment_at_its_bounds() -> None:
    assert [sentiment(rating) for rating in (-4, -0.51, -0.5, 0, 0.5, 0.51, 4)] == [
        *["negative"] * 2,
        *["neutral"] * 3,
        *["positive"] * 2,
    ]
