"""Toy records, the sets made of them, and estimates for tests of fidelity."""

import numpy as np

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import comparison_sets
from lib.evaluation.estimate import Estimate

FREQUENT = ["the", "camera", "battery", "screen", "is", "was", "good", "bad", "very", "lens", "and", "cheap", "of", "a"]
WORDS = ["camera", "lens", "sound", "is", "great", "bad"]


def records(texts: list[str], name: str = "r") -> list[Record]:
    """A record for each text, all with the same label."""
    return [Record(f"{name}-{i}", PrivateText(text), {"mood": "good"}) for i, text in enumerate(texts)]


def sentences(n: int, seed: int) -> list[str]:
    """Texts of six words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 6)) + "." for _ in range(n)]


def compared(most: int = 100, **arms: list[Record]) -> comparison_sets.Sides:
    """Sets of the arms, of 60 training and of 30 held-out records."""
    train, test = records(sentences(60, 1), "train"), records(sentences(30, 2), "test")
    given = arms or {"floor": records(sentences(20, 3)), "arm": records(sentences(40, 4))}
    return comparison_sets.matched_sides(given, train, test, most=most, seed=0)


def around(value: float, spread: float = 0.1, seed: int = 0) -> Estimate:
    """An estimate with normal draws."""
    return Estimate(value, value + spread * np.random.default_rng(seed).normal(size=200))


def embeddings(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal embeddings."""
    return np.random.default_rng(seed).normal(size=shape)


def zipf_texts(n: int, seed: int = 0, longest: int = 18) -> list[str]:
    """Texts of fewer than ``longest`` words, the first ones of `FREQUENT` the most frequent."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, len(FREQUENT) + 1)
    return [
        " ".join(rng.choice(FREQUENT, size=rng.integers(1, longest), p=weights / weights.sum())) + "." for _ in range(n)
    ]
