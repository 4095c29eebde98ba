"""Sentences rated for sentiment, from the corpus of VADER (Hutto & Gilbert, ICWSM 2014)."""

from collections.abc import Iterator
from pathlib import Path

from lib.data.assets import fetch
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.sources.corpus import Corpus, SourceRequest, draw

FILES = {
    "amazon-snippets": "amazonReviewSnippets_GroundTruth.txt",
    "movie-snippets": "movieReviewSnippets_GroundTruth.txt",
}
# About twenty people rated each sentence in whole steps from -4 to 4; a mean within half a step of 0 counts as neutral.
NEUTRAL = 0.5


def load_snippets(request: SourceRequest) -> Corpus:
    """Load the sentences of one of `FILES`, with the label ``sentiment``: negative, neutral, positive.

    An Amazon id ``12_3`` is sentence 3 of review 12, so the review is the user. Movie sentences have no user.

    Args:
        request: its ``kind`` is a key of `FILES`.
    """
    path = fetch("vaderSentiment", request.root) / FILES[request.kind]
    kept, counts = draw(_sentences(path), request)
    return Corpus(kept, [], request.kind, f"{counts}: sentences of Hutto & Gilbert 2014, rated by people")


def _sentences(path: Path) -> Iterator[Record]:
    # Others describe these files as latin-1, but they are UTF-8: read as latin-1, "é" would become two characters.
    with path.open(encoding="utf-8") as lines:
        for line in filter(str.strip, lines):
            name, rating, text = line.rstrip("\n").split("\t")
            review, _, sentence = name.partition("_")
            labels = {"sentiment": sentiment(float(rating))}
            yield Record(name, PrivateText(text), labels, review if sentence else None)


def sentiment(rating: float) -> str:
    """The label of a mean ``rating``, in [-4, 4]: negative, neutral or positive."""
    if abs(rating) <= NEUTRAL:
        return "neutral"
    return "positive" if rating > 0 else "negative"
