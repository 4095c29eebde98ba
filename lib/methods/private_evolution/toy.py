"""A toy vote that can be counted by eye: twelve made-up sentences, or other items, vote for four candidates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.methods.private_evolution.selection import select
from lib.methods.private_evolution.voting import VOTE, noisy_votes, sensitivity, vote

VOTERS = (  # stand for private records, but are made up
    "The battery lasts for two days.",
    "I charge the battery once a week.",
    "Its battery died after one hour.",
    "A spare battery is in the box.",
    "The battery gets warm when it charges.",
    "The screen is bright and sharp.",
    "You can read the screen in the sun.",
    "One corner of the screen is dark.",
    "The sound is clear, even when it is loud.",
    "Music from these speakers sounds thin.",
    "I paid too much for it.",
    "It is cheap, and worth its price.",
)
CANDIDATES = (
    "This has a good battery.",
    "The screen shows fine colours.",
    "I would buy it again at this price.",
    "My cat sleeps on the sofa.",
)


@dataclass(frozen=True)
class Election:
    """The result of the toy vote. Only here may clean votes be looked at, because the voters are made up.

    Attributes:
        points: where voters and candidates are in a picture, shape (voters + candidates, 2).
        voted_for: index of the candidate that each sentence votes for, int, shape (voters,).
        votes: clean votes of each candidate, shape (candidates,).
        noisy: their noisy votes, shape (candidates,); can be negative.
        chosen: indices of the two selected candidates, the best first, shape (2,).
    """

    points: np.ndarray
    voted_for: np.ndarray
    votes: np.ndarray
    noisy: np.ndarray
    chosen: np.ndarray


def election(
    encode: Callable[[Sequence[Any]], np.ndarray],
    *,
    noise_multiplier: float,
    voters: Sequence[Any] = VOTERS,
    candidates: Sequence[Any] = CANDIDATES,
    privacy_seed: int | None = None,
) -> Election:
    """Vote, add noise, and select two candidates, with the functions that a real run uses.

    Args:
        encode: texts, or other items -> vectors, float32, shape (items, width).
        noise_multiplier: standard deviation of the noise over the sensitivity, which is one vote here.
        voters: made-up items that stand for private records.
        candidates: at least two.
        privacy_seed: of the noise; None: the operating system seeds it.
    """
    vectors = encode([*voters, *candidates])
    private, candidates = vectors[: len(voters)], vectors[len(voters) :]
    one_cell = {
        "private_cells": np.zeros(len(private), dtype=int),
        "candidate_cells": np.zeros(len(candidates), dtype=int),
    }
    clean = vote(private, candidates, k_nn=1, **one_cell)
    noisy = np.array(
        noisy_votes(
            clean,
            noise_multiplier=noise_multiplier,
            sensitivity=sensitivity(1),
            privacy_seed=privacy_seed,
            iteration=0,
        )
    )
    rng = np.random.default_rng(0)  # unused by rank
    chosen = select(noisy / VOTE, one_cell["candidate_cells"], [2], threshold=0, how="rank", rng=rng)
    centred = vectors - vectors.mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:2]
    return Election(centred @ directions.T, nearest(private, candidates, 1)[:, 0], clean / VOTE, noisy / VOTE, chosen)
