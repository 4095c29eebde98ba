"""The toy vote, with an encoder that can be read."""

from collections.abc import Sequence

import numpy as np

from lib.methods.private_evolution import toy


def test_the_toy_is_counted_as_it_says() -> None:
    def topics(texts: Sequence[str]) -> np.ndarray:
        known = ("battery", "screen", "price", "cat")
        return np.array([[word in text for word in known] for text in texts], np.float32) + 0.01

    ballots = toy.election(topics, noise_multiplier=0.5, privacy_seed=3)
    assert ballots.votes.tolist() == [5 + 3, 3, 1, 0]  # no topic at all ties, and a tie is the first one's
    assert ballots.votes.sum() == len(toy.VOTERS) == 12
    assert ballots.chosen.tolist()[0] == 0 and len(ballots.chosen) == 2
    assert np.abs(ballots.noisy - ballots.votes).max() < 3
    assert ballots.points.shape == (16, 2)
