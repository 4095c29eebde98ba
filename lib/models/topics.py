"""Topics: clusters of public texts in an encoder's space, so that each private record gets one more label.

After CTCL (Tan et al. 2025, arXiv:2503.12347), which conditions a generator on a noisy histogram of the topics of a
public corpus. Here a topic is a label like others: prompts say it, and the noisy label histogram counts it.

**No new kind of event.** The topics are made from public texts alone. A record's topic then depends on that record's
text alone, so for neighbours, corpora that differ by one unit, all other records keep their labels: the sets with
topics are neighbours too. What counts the labels and topics afterwards is `lib.data.labels.clean_counts`, where a unit
adds one to one count, as without topics: unit, neighbours, sensitivity and mechanism are those of the label histogram.
There are only more cells, each with the same noise.

"That record's text alone" holds to the last bit on a machine whose arithmetic repeats itself: texts are read one at a
time (in a batch, other texts change the last digits of a vector), and each is compared with the topics by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from lib.common.errors import DoppelError
from lib.data.hash_order import rank
from lib.data.labels import TOPIC
from lib.data.private_text import PrivateText
from lib.data.public_words import public_words
from lib.data.records import Domain, Record
from lib.data.shelf import Shelf
from lib.data.sources import load
from lib.privacy.public_source import undeclared

if TYPE_CHECKING:  # torch is not loaded where a corpus has no topics
    from lib.models.encoders import Encoder, Progress

NAMED_BY = 3  # words that name a topic
BLOCK = 8192  # records whose vectors are in memory at once
MAX_TEXTS = 20_000  # public texts that are clustered; more change the topics little


@dataclass(frozen=True)
class Topics:
    """Public clusters of an encoder's space.

    Attributes:
        names: of the topics, all different: the public words that are nearest to each.
        centres: (topics, width), of length 1.
    """

    names: list[str]
    centres: np.ndarray

    def domain(self, label_domain: Domain) -> Domain:
        """The label domain with the topics in it.

        Args:
            label_domain: the declared domain.
        """
        return {**label_domain, TOPIC: self.names}

    def label(
        self, records: Iterable[Record], encoder: Encoder, progress: Progress = lambda texts_done: None
    ) -> Sequence[Record]:
        """The records, each with the topic whose centre has the greatest cosine with its vector as a label.

        1-stable: a record's topic depends on its text alone (see the module), so one record more adds itself to the
        result, and changes no other record.

        Args:
            records: n private records, without a topic.
            encoder: what `find` was given.
            progress: called with the number of texts newly encoded.

        Returns:
            n records in the order of ``records``. Private.

        Raises:
            DoppelError: the encoder reads several texts at once.
        """
        _check_alone(encoder)
        rest, labelled = iter(records), Shelf()
        while block := list(islice(rest, BLOCK)):
            vectors = encoder.encode([record.text for record in block], progress)
            for record, vector in zip(block, vectors, strict=True):
                topic = int(np.argmax(self.centres @ vector.astype(np.float64)))
                labelled.add(replace(record, labels={**record.labels, TOPIC: self.names[topic]}))
        return labelled


def open_encoder(name: str) -> Encoder:
    """An encoder that reads one text at a time, so that no vector depends on another text.

    Args:
        name: as `lib.models.encoders.open_encoder` takes it.
    """
    from lib.models import encoders

    return encoders.open_encoder(name, batch_size=1, dtype="float32")


def words_of(locale: str) -> list[str]:
    """The public words of a language that can name a topic, sorted: without English stop words and single letters.

    Args:
        locale: as Faker names it, such as ``en_US``.

    Raises:
        DoppelError: Faker does not know the locale.
    """
    return sorted(word for word in set(public_words(locale)) - ENGLISH_STOP_WORDS if len(word) > 1)


def public_texts(parameters: Mapping, words: Sequence[str]) -> tuple[list[str], list[Path]]:
    """The texts that topics are made from.

    Args:
        parameters: of 00_process_data: ``topic_texts``, a source that is declared public, or None for the words
            themselves; ``topic_columns``, its columns; ``source``, the private source; ``seed``.
        words: what `words_of` gives.

    Returns:
        The texts, and the files that they were read from.

    Raises:
        DoppelError: the source cannot be read, or cannot be public (`lib.privacy.public_source`).
    """
    if parameters["topic_texts"] is None:
        return list(words), []
    source = undeclared("topic_texts", parameters["topic_texts"], own=parameters["source"])
    corpus = load(source, columns=parameters["topic_columns"], seed=parameters["seed"])
    return [record.text.reveal() for record in corpus.records], list(corpus.files)


def find(texts: Sequence[str], words: Sequence[str], encoder: Encoder, *, topics: int, seed: int) -> Topics:
    """Cluster public texts by k-means on the unit sphere, and name each cluster by public words.

    Nothing private enters: neither the texts, nor the words, nor their number may depend on a private record.

    Args:
        texts: public texts or words, in any order; at most `MAX_TEXTS` of them are taken, by a hash.
        words: public words for the names, at least `NAMED_BY` for each topic. A topic takes the nearest words that no
            topic before it took.
        encoder: what `open_encoder` gives.
        topics: how many, at least 2.
        seed: of k-means and the choice of texts.

    Returns:
        The topics, those with most texts first.

    Raises:
        DoppelError: private text is among the texts, the encoder reads several texts at once, or there are too few
            different texts or words.
    """
    _check_alone(encoder)
    if any(isinstance(text, PrivateText) for text in texts):
        raise DoppelError(
            "models.private_text_in_topics",
            "topics are made from public texts, and private text is among these",
            remedy="reveal only texts that are declared public",
        )
    chosen = sorted(set(texts), key=lambda text: rank(seed, "topics", text))[:MAX_TEXTS]
    vectors = _on_sphere(encoder.encode(chosen))
    for what, given, needed in (
        ("different public texts", len(np.unique(vectors, axis=0)), topics),
        ("public words", len(words), NAMED_BY * topics),
    ):
        if given < needed:
            raise DoppelError(
                "models.too_few_for_topics",
                f"topics = {topics} needs {needed} {what}, there are {given}",
                name="topics",
                value=topics,
                remedy="lower topics, or name other topic_texts or another topic_locale",
            )
    means = KMeans(topics, n_init=10, random_state=seed).fit(vectors)
    order = np.argsort(-np.bincount(means.labels_, minlength=topics), kind="stable")
    centres = _on_sphere(means.cluster_centers_[order])
    return Topics(_names(centres, words, _on_sphere(encoder.encode(words))), centres)


def _names(centres: np.ndarray, words: Sequence[str], vectors: np.ndarray) -> list[str]:
    """For each centre, the nearest words that no earlier one took, separated by commas."""
    near, free = centres @ vectors.T, np.ones(len(words), bool)  # (topics, words)
    named = []
    for row in near:
        best = np.argsort(np.where(free, -row, np.inf), kind="stable")[:NAMED_BY]
        free[best] = False
        named.append(", ".join(words[i] for i in best))
    return named


def _on_sphere(vectors: np.ndarray) -> np.ndarray:
    """The vectors in double precision, of length 1; a zero vector stays."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _check_alone(encoder: Encoder) -> None:
    if encoder.batch_size != 1:
        raise DoppelError(
            "models.topics_in_batches",
            f"topics need an encoder that reads one text at a time, this one reads {encoder.batch_size}",
            name="batch_size",
            value=encoder.batch_size,
            remedy="open it with lib.models.topics.open_encoder",
        )
