"""A toy that can be followed by eye: eleven made-up records, each a point in the plane, and their noisy mean."""

from dataclasses import dataclass

import numpy as np

from lib.methods.steering.total import Total

NEAR = np.random.default_rng(4).normal([0.7, 0.4], 0.25, (10, 2))  # made up: where ten records lie
FAR = np.array([[-9.0, 6.0]])  # and one that is like no other
CLIP = 1.0


@dataclass(frozen=True)
class Release:
    """What becomes of the toy's records. Only here may clean sums be looked at, because the records are made up.

    Attributes:
        points: the records, shape (11, 2); the last is the far one.
        clipped: the same, clipped, shape (11, 2).
        plain_mean: of the points, shape (2,).
        clipped_mean: of the clipped points, shape (2,).
        noisy_means: of the clipped points with noise, drawn anew each time, shape (draws, 2).
    """

    points: np.ndarray
    clipped: np.ndarray
    plain_mean: np.ndarray
    clipped_mean: np.ndarray
    noisy_means: np.ndarray


def release(*, noise_multiplier: float, draws: int = 12) -> Release:
    """Clip, add up and noise the points with the code that a real run uses.

    Args:
        noise_multiplier: standard deviation of the noise over the clip, above 0.
        draws: how often noise is drawn, to show its size. A real run draws once.
    """
    points = np.concatenate([NEAR, FAR])
    ones, row = np.ones(len(points)), np.zeros(len(points), int)
    apart, total = Total(len(points), 2, CLIP), Total(1, 2, CLIP)
    apart.add(points, np.arange(len(points)), ones)
    total.add(points, row, ones)
    noisy = np.concatenate([total.noisy(noise_multiplier, seed) for seed in range(draws)])
    return Release(points, apart.exact, points.mean(0), total.exact[0] / len(points), noisy / len(points))
