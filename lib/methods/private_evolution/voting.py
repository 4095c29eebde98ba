"""Votes of private records for their nearest candidates: exact, in chunks, each unit's votes bounded.

Aug-PE (Xie et al. 2024) turns private records into a histogram over candidate texts: a record votes for the k_nn
candidates of its own label that lie nearest to it in an encoder's space. Counts here are integers in fixed point:
`VOTE` units are one vote, so that a user's scaled votes stay integers and get discrete noise.
"""

import math
from collections.abc import Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.models.loading import Device
from lib.privacy.mechanisms import noisy_counts

VOTE = 2**20  # units of one vote
VOTES = 2  # the stream of votes under an integer privacy_seed
MIN_GRID_SCALE = 1e4  # steps; the proof of `noisy_votes` then costs less than 6e-8 a vote


def sensitivity(k_nn: int) -> float:
    """L2 sensitivity of `vote`'s histogram, in its fixed-point units: ``VOTE * sqrt(k_nn)``."""
    return VOTE * math.sqrt(k_nn)


def vote(
    private: np.ndarray,
    candidates: np.ndarray,
    *,
    private_cells: np.ndarray,
    candidate_cells: np.ndarray,
    k_nn: int,
    owners: np.ndarray | None = None,
    device: Device = "auto",
    chunk_bytes: int | None = None,
) -> np.ndarray:
    """The clean histogram, int64 of shape (m,), in units of 1/`VOTE` vote. It is PRIVATE: add noise, never show it.

    Each private record votes for its k_nn nearest candidates of its own cell (`lib.methods.private_evolution.nearest_neighbours.nearest`), for all of
    them where the cell has fewer than k_nn, and for none where it has none.

    Unit and neighbours: add or remove one record, or one user with all records where ``owners`` is given; candidates
    and their cells are the same for both neighbours. L2 sensitivity: ``VOTE * sqrt(k_nn)``, because neither what the
    other units hold nor how many they are enters the votes of a unit, so the histograms of neighbours differ by
    exactly the votes of one unit:

    - a record adds VOTE to at most k_nn distinct candidates: squares sum to at most k_nn VOTE^2;
    - a user whose records cast c_j votes for candidate j, N = sum c_j^2, adds VOTE c_j when N <= k_nn: the squares
      sum to N VOTE^2. Otherwise the user adds t_j rounded down to an integer, t_j = VOTE c_j sqrt(k_nn / N), whose
      squares sum to k_nn VOTE^2 exactly; the float64 that is rounded down is never above t_j, as its five
      roundings err by less than 2^-50 of it and it is lowered by that much first.

    The vectors are taken as given. An encoder reads texts in batches, and which ones stand in a batch moves the last
    digits of a float32 vector (by some 1e-7): a vote between candidates that are equally near to so many digits could
    move with it. That is outside this proof, as is the rounding of all floating-point arithmetic.

    Args:
        private: float32 (n, width), possibly memory-mapped; only chunks are ever loaded.
        candidates: float32 (m, width).
        private_cells: int (n,), the label cell of each record; -1 never votes.
        candidate_cells: int (m,), the label cell of each candidate; -1 gets no votes.
        k_nn: votes of a record, at least 1.
        owners: int (n,), the user of each record; None: each record is its own unit.
        device, chunk_bytes: as in `lib.methods.private_evolution.nearest_neighbours.nearest`.

    Raises DoppelError for shapes that do not fit together, k_nn below 1 and vectors that are not finite.
    """
    if k_nn < 1:
        raise DoppelError(f"k_nn is {k_nn}, it must be at least 1")
    private_cells = _column("private_cells", private_cells, len(private), "private vectors")
    candidate_cells = _column("candidate_cells", candidate_cells, len(candidates), "candidates")
    if owners is not None:
        owners = np.unique(_column("owners", owners, len(private), "private vectors"), return_inverse=True)[1]

    histogram = np.zeros(len(candidates), np.int64)
    ballots = [np.empty(0, np.int64)]  # user x candidate, one number for each vote
    for cell in np.unique(candidate_cells[candidate_cells >= 0]):
        members = np.flatnonzero(candidate_cells == cell)
        rows = np.flatnonzero(private_cells == cell)
        chosen = nearest(private, candidates[members], k_nn, rows=rows, device=device, chunk_bytes=chunk_bytes)
        if owners is None:
            histogram[members] += VOTE * np.bincount(chosen.ravel(), minlength=len(members))
        else:
            ballots.append((owners[rows, None] * len(candidates) + members[chosen]).ravel())
    if owners is not None:
        _count_users(np.concatenate(ballots), k_nn, histogram)
    return histogram


def _count_users(ballots: np.ndarray, k_nn: int, histogram: np.ndarray) -> None:
    """Add each user's votes to the histogram, scaled down where their L2 norm is above sqrt(k_nn) votes."""
    keys, counts = np.unique(ballots, return_counts=True)
    users, candidates = np.divmod(keys, len(histogram))
    first = np.flatnonzero(np.diff(users, prepend=-1))  # where each user's votes begin
    squares = np.add.reduceat(counts**2, first) if len(first) else counts
    squares = np.repeat(squares, np.diff(first, append=len(users)))
    scaled = np.floor(VOTE * counts * np.sqrt(k_nn / squares) * (1 - 2.0**-50)).astype(np.int64)
    np.add.at(histogram, candidates, np.where(squares <= k_nn, VOTE * counts, scaled))


def _column(name: str, values: np.ndarray, length: int, what: str) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != (length,) or values.dtype.kind not in "iu":
        raise DoppelError(
            f"{name} is {values.dtype} of shape {values.shape}; it must be one integer for each of the {length} {what}"
        )
    return values


def noisy_votes(
    clean: Sequence[int], *, noise_multiplier: float, sensitivity: float, privacy_seed: int | None, iteration: int
) -> list[int]:
    """One release of a histogram of votes, in the fixed point of `lib.methods.private_evolution.voting`: the Gaussian mechanism on a fine grid.

    Unit: one record or one user; neighbours: add or remove one unit; everyone takes part. ``sensitivity`` bounds
    the L2 norm of what a unit adds, in steps of the grid. The noise is discrete Gaussian with parameter
    s = noise_multiplier x sensitivity, accounted as `accounting.Gaussian(noise_multiplier)`, for this reason:
    the normal distribution rounded to the grid is post-processing of the Gaussian mechanism, and at every point
    within 12 s of the mean the discrete Gaussian's log-probability differs from its by at most 144 / (24 s^2).
    (From above: the mean of exp(-xu/s^2) over a step |u| <= 1/2 is at most exp(x^2 / 24 s^4); from below, by
    Jensen, at least exp(-1 / 24 s^2).) Further out lies less than 1e-31 of either. With a million steps to a
    vote and noise of a vote or more, that is under 2e-11 for each vote of the unit; ``s`` is raised by 1e-6 of
    itself, which lowers epsilon by about 1e-6 of itself: more, for all the votes that a unit can cast.
    """
    scale = noise_multiplier * sensitivity * (1 + 1e-6)
    if scale < MIN_GRID_SCALE:
        raise DoppelError(
            f"noise of {scale:g} steps is too coarse for the Gaussian accountant; it takes at least {MIN_GRID_SCALE:g}"
        )
    return noisy_counts(clean, scale, privacy_seed, VOTES, iteration)
