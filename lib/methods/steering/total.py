"""The sum of what private records add to a model's hidden states, clipped unit by unit, and its noise.

Unit: one record, or one user with all records. Neighbours: add or remove one unit. Sampler: none, every unit takes
part, in one release. Of each record there is one vector: the mean of its hidden states less that of public texts, over
the spread of public texts (`lib.methods.steering.states`). It is clipped to the L2 norm ``clip`` and added to the row
of the record's labels; of a user with m records each counts 1/m. So one unit adds vectors whose norms sum to at most
``clip``: the L2 sensitivity of the whole table of sums, provided that it changes no other unit's vector.

Sums are exact: each vector is rounded towards zero to multiples of ``clip`` x `GRID`, which lengthens no vector, and
whole numbers are added up, in any order. The noise is Gaussian of standard deviation ``noise_multiplier`` x ``clip`` on
every entry, rounded to the same multiples. A multiple plus rounded noise is the rounded noisy sum, post-processing of
the Gaussian mechanism, so that no low bit tells of the sum (Mironov 2012).
"""

import numpy as np

from lib.privacy.mechanisms import random_words, standard_normal

GRID = 2.0**-32  # of the clip; int64 then holds the sum of 2^31 units
MARGIN = 2.0**-20  # below the clip; norms in float64 err by less
NOISE = 1  # stream of random draws


LEAST_CLIP = 1e-3  # of what a usual text is from the mean; far smaller ones would overflow the grid


class Total:
    """Sums of clipped vectors, a row for each combination of labels. Private, until `noisy` is called.

    Args:
        rows: combinations of labels, at least 1.
        width: entries of a vector, at least 1.
        clip: L2 norm to which a unit is clipped, at least `LEAST_CLIP`; None, for no privacy: nothing is clipped or
            rounded.

    Raises:
        ValueError: ``clip`` is too small.
    """

    def __init__(self, rows: int, width: int, clip: float | None):
        if clip is not None and not clip >= LEAST_CLIP:
            raise ValueError(f"clip = {clip} is below {LEAST_CLIP}")
        self.clip = clip
        self.sums = np.zeros((rows, width), np.float64 if clip is None else np.int64)

    def add(self, vectors: np.ndarray, rows: np.ndarray, shares: np.ndarray) -> None:
        """Add records.

        Args:
            vectors: of each record, float, shape (n, width); an entry that is not finite counts as zero.
            rows: number of each record's labels, int, shape (n,).
            shares: one over the number of records of each record's unit, in (0, 1], shape (n,).
        """
        vectors = np.nan_to_num(np.asarray(vectors, np.float64), nan=0.0, posinf=0.0, neginf=0.0) * shares[:, None]
        if self.clip is not None:
            norms = np.linalg.norm(vectors, axis=1)
            most = (1 - MARGIN) * self.clip * shares
            factors = np.divide(most, norms, out=np.ones_like(norms), where=norms > most)
            vectors = np.trunc(vectors * (factors / (GRID * self.clip))[:, None]).astype(np.int64)
        np.add.at(self.sums, rows, vectors)

    @property
    def exact(self) -> np.ndarray:
        """The sums without noise, float64, shape (rows, width). Private."""
        return self.sums * (1.0 if self.clip is None else GRID * self.clip)

    def noisy(self, noise_multiplier: float | None, privacy_seed: int | None) -> np.ndarray:
        """The sums with noise: what may be kept and used.

        Args:
            noise_multiplier: standard deviation of the noise over ``clip``, above 0; None without privacy.
            privacy_seed: as `lib.privacy.mechanisms.random_words` takes it.

        Returns:
            float64, shape (rows, width); each call draws anew.
        """
        if self.clip is None:
            return self.exact
        noise = standard_normal(self.sums.size, random_words(privacy_seed, NOISE)).numpy() * (noise_multiplier / GRID)
        return (self.sums + np.rint(noise).astype(np.int64).reshape(self.sums.shape)) * (GRID * self.clip)


def averaged(noisy: np.ndarray, counts: np.ndarray, noise: float) -> np.ndarray:
    """Mean vectors from noisy sums: post-processing.

    Where noise is a good part of a mean, the mean is shortened by what noise alone would make it longer: the positive
    part of the estimator of James & Stein (1961), which has a smaller expected error than the mean itself.

    Args:
        noisy: sums, shape (rows, width).
        counts: noisy counts of units of each row, shape (rows,); those below 1 count as 1.
        noise: standard deviation of an entry of ``noisy``; 0 for no noise.

    Returns:
        float64, shape (rows, width).
    """
    counts = np.maximum(np.asarray(counts, np.float64), 1)[:, None]
    mean, width = noisy / counts, noisy.shape[1]
    squares = np.square(mean).sum(1, keepdims=True)
    of_noise = width * np.square(noise / counts)
    return mean * np.maximum(1 - np.divide(of_noise, squares, out=np.zeros_like(squares), where=squares > 0), 0)
