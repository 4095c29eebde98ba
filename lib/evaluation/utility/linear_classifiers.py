"""Logistic regressions, on TF-IDF of words and on embeddings; and `Fit`, the interface of every classifier here."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.common.errors import DoppelError
from lib.data.tokenize import words

TFIDF_REGULARISATION = 10.0  # C of scikit-learn: rows of length 1 need large weights
EMBEDDING_REGULARISATION = 0.01  # standardised features are many and correlated


class Fit(Protocol):
    """Trains a classifier on some rows of a pool of texts and predicts the labels of other rows.

    Called with ``rows`` to train on (n,), their label ``codes`` (n,), the rows to predict, ``tests`` (m,), and a
    ``seed``; returns predicted codes (m,).
    """

    def __call__(self, rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray: ...


def read_words(texts: Sequence[str], features: int | None = None) -> TfidfVectorizer:
    """A TF-IDF vectorizer fitted on texts. Words of one letter count too, "I" and "5" among them.

    Args:
        texts: the texts whose words make the vocabulary.
        features: keep only so many words, the most frequent ones; None keeps all.

    Raises:
        DoppelError: no text has a word.
    """
    try:
        reader = TfidfVectorizer(
            tokenizer=partial(words, fold=False), token_pattern=None, sublinear_tf=True, max_features=features
        )
        return reader.fit(texts)
    except ValueError:  # "empty vocabulary"
        raise DoppelError(
            "evaluation.no_words_to_train_on",
            f"none of {len(texts)} texts to train on contains a word",
            name="texts",
            value=len(texts),
            remedy="leave this arm out, or generate it again",
        ) from None


def tfidf(texts: Sequence[str]) -> Fit:
    """Logistic regression on TF-IDF of ``texts``, the pool; the vocabulary is that of the training records alone."""

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        own = [texts[i] for i in rows]
        reader = read_words(own)
        model = LogisticRegression(C=TFIDF_REGULARISATION, max_iter=300).fit(reader.transform(own), codes)
        return model.predict(reader.transform([texts[i] for i in tests]))

    return fit


def embedded(vectors: np.ndarray) -> Fit:
    """Logistic regression on ``vectors``, the standardised embeddings of the pool, (texts, width)."""

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=EMBEDDING_REGULARISATION, max_iter=300))
        return model.fit(vectors[rows], codes).predict(vectors[tests])

    return fit
