"""Classifiers by logistic regression: on TF-IDF of words, and on embeddings.

A classifier here is a `Fit`: it trains on some rows of a pool of texts, and predicts the labels of others.
"""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.common.errors import DoppelError

# (rows to train on, their labels as numbers, rows to predict, seed) -> predicted numbers
Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]

WORD = r"(?u)\b\w+\b"  # of one letter too, "I" and "5" among them
TFIDF_REGULARISATION = 10.0  # C of scikit-learn: rows of length 1 ask for large weights
EMBEDDING_REGULARISATION = 0.01  # standardised features are many and alike


def read_words(texts: Sequence[str], features: int | None = None) -> TfidfVectorizer:
    """A TF-IDF reader that knows the words of ``texts``; the ``features`` most frequent of them, where given."""
    try:
        return TfidfVectorizer(token_pattern=WORD, sublinear_tf=True, max_features=features).fit(texts)
    except ValueError:  # "empty vocabulary"
        raise DoppelError(f"none of {len(texts)} texts to train on holds a word") from None


def tfidf(texts: Sequence[str]) -> Fit:
    """Logistic regression on TF-IDF; its vocabulary is that of the records it trains on."""

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        own = [texts[i] for i in rows]
        reader = read_words(own)
        model = LogisticRegression(C=TFIDF_REGULARISATION, max_iter=300).fit(reader.transform(own), codes)
        return model.predict(reader.transform([texts[i] for i in tests]))

    return fit


def embedded(vectors: np.ndarray) -> Fit:
    """Logistic regression on embeddings of the pool, (texts, d)."""

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=EMBEDDING_REGULARISATION, max_iter=300))
        return model.fit(vectors[rows], codes).predict(vectors[tests])

    return fit
