"""Votes of the private records for their nearest candidates, and the noise that makes them private.

Aug-PE (Xie et al. 2024, after Lin et al. 2024) turns private records into a histogram over candidate texts: a record
votes for the k_nn candidates with its own labels that are nearest to it in an encoder's space, for all alike or for the
nearest most (WASP, Zou et al. 2025). Counts are integers in fixed point: one vote is `VOTE` steps of the grid, so that
weighted votes and a user's scaled votes stay integers and get discrete noise.

Unit: one record, or one user with all records. Neighbours: add or remove one unit. Sampler: none, every unit votes in
every iteration. L2 sensitivity of one histogram: `sensitivity`, proved in `vote`. Mechanism: `noisy_votes`.
"""

import math
from collections.abc import Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.methods.private_evolution.settings import Weights
from lib.models.loading import Device
from lib.privacy.mechanisms import noisy_counts

VOTE = 2**20  # steps of the grid that are one vote
VOTES = 2  # the stream of votes under an integer privacy_seed
MIN_GRID_SCALE = 1e4  # steps: with less noise the proof of `noisy_votes` would cost more than 6.1e-8 a vote
_isqrt = np.frompyfunc(math.isqrt, 1, 1)


def sensitivity(k_nn: int) -> float:
    """L2 sensitivity of the histogram of `vote`, for adding or removing one unit; the same for all weights.

    Args:
        k_nn: candidates that a record votes for, at least 1.

    Returns:
        ``VOTE`` x sqrt(``k_nn``), in steps of the grid: sqrt(``k_nn``) votes.
    """
    return VOTE * math.sqrt(k_nn)


def ballot(k_nn: int, weights: Weights = "equal") -> np.ndarray:
    """What one record adds to the counts of its nearest candidates. Public: it does not depend on the record.

    The squares of the weights sum to at most k_nn VOTE^2 whatever the rule, so weighted votes have the same L2 norm,
    and get the same noise, as equal ones. Let the rule share this sum out as s_j / S, with integers s_j and S = sum
    s_j. Then a weight is the square root of k_nn VOTE^2 s_j / S, rounded down to an integer twice, before the root and
    after it: exactly, since this is arithmetic of integers. So its square is at most k_nn VOTE^2 s_j / S.

    Args:
        k_nn: candidates that a record votes for, at least 1.
        weights: ``equal`` gives each one vote (Lin et al. 2024). ``halving`` gives each half as much as the one before
            it, as the decaying votes of WASP do (Zou et al. 2025). With ``k_nn`` 1 both are one vote.

    Returns:
        Weights of the nearest candidate, the second nearest and so on, in steps of the grid, int64, shape (k_nn,).

    Raises:
        DoppelError: ``k_nn`` is below 1, or ``weights`` is unknown.
    """
    if k_nn < 1:
        raise DoppelError("methods.k_nn_too_small", f"k_nn is {k_nn}, it must be at least 1", name="k_nn", value=k_nn)
    if weights not in ("equal", "halving"):
        raise DoppelError(
            "methods.unknown_weights",
            f"vote_weights = {weights!r} is neither equal nor halving",
            name="vote_weights",
            value=weights,
            remedy="set vote_weights to equal or halving",
        )
    shares = [1 if weights == "equal" else 4**place for place in reversed(range(k_nn))]
    return np.array([math.isqrt(k_nn * VOTE**2 * share // sum(shares)) for share in shares], np.int64)


def vote(
    private: np.ndarray,
    candidates: np.ndarray,
    *,
    private_cells: np.ndarray,
    candidate_cells: np.ndarray,
    k_nn: int,
    weights: Weights = "equal",
    owners: np.ndarray | None = None,
    device: Device = "auto",
    chunk_bytes: int | None = None,
) -> np.ndarray:
    """The clean histogram of votes. It is PRIVATE: add noise (`noisy_votes`), never show or write it.

    Each private record votes for its k_nn nearest candidates of its own cell
    (`lib.methods.private_evolution.nearest_neighbours.nearest`), for all of them where the cell has fewer than k_nn,
    and for none where it has none. What it adds to each is its `ballot`.

    Unit and neighbours: add or remove one record, or one user with all records where ``owners`` is given. The
    candidates and their cells are the same for both neighbours. L2 sensitivity: ``VOTE * sqrt(k_nn)``. A unit's votes
    depend neither on the records of other units nor on how many there are, so the histograms of neighbours differ by
    exactly the votes of one unit:

    - A record adds the weights of `ballot`, or the first of them, to different candidates; their squares sum to at
      most k_nn VOTE^2.
    - Let a user's records add up to c_j steps for candidate j, and N = sum c_j^2. If N <= k_nn VOTE^2, the user adds
      c_j. Otherwise the user adds the square root of c_j^2 k_nn VOTE^2 / N, rounded down to an integer before the root
      and after it, in exact arithmetic of integers; the squares sum to at most k_nn VOTE^2.

    The vectors are taken as given. An encoder reads texts in batches, and which texts are in a batch changes the last
    digits of a float32 vector (by about 1e-7). A vote between candidates that are equally near to within these digits
    could change with them. That is outside this proof, as is all rounding of floating-point arithmetic before a vote.

    Args:
        private: vectors of the n private records, float32, shape (n, width); may be memory-mapped, only chunks are
            loaded.
        candidates: vectors of the m candidates, float32, shape (m, width).
        private_cells: number of each record's label cell, int, shape (n,); a record with -1 never votes.
        candidate_cells: number of each candidate's label cell, int, shape (m,); a candidate with -1 gets no votes.
        k_nn: candidates that a record votes for, at least 1.
        weights: as `ballot` takes them.
        owners: number of each record's user, int, shape (n,); None: each record is a unit of its own.
        device: as `nearest` takes it.
        chunk_bytes: as `nearest` takes it.

    Returns:
        The counts in steps of the grid (one vote is ``VOTE``), int64, shape (m,).

    Raises:
        DoppelError: the shapes do not fit together, ``k_nn`` is below 1, ``weights`` is unknown, or a vector is not
            finite.
    """
    steps = ballot(k_nn, weights)
    private_cells = _column("private_cells", private_cells, len(private), "private vectors")
    candidate_cells = _column("candidate_cells", candidate_cells, len(candidates), "candidates")
    if owners is not None:
        owners = np.unique(_column("owners", owners, len(private), "private vectors"), return_inverse=True)[1]

    histogram = np.zeros(len(candidates), np.int64)
    keys, added = [np.empty(0, np.int64)], [np.empty(0, np.int64)]  # user x candidates + candidate; steps
    for cell in np.unique(candidate_cells[candidate_cells >= 0]):
        members = np.flatnonzero(candidate_cells == cell)
        rows = np.flatnonzero(private_cells == cell)
        chosen = nearest(private, candidates[members], k_nn, rows=rows, device=device, chunk_bytes=chunk_bytes)
        given = np.broadcast_to(steps[: chosen.shape[1]], chosen.shape).ravel()
        if owners is None:
            np.add.at(histogram, members[chosen].ravel(), given)
        else:
            keys.append((owners[rows, None] * len(candidates) + members[chosen]).ravel())
            added.append(given)
    if owners is not None:
        _count_users(np.concatenate(keys), np.concatenate(added), k_nn, histogram)
    return histogram


def _count_users(keys: np.ndarray, added: np.ndarray, k_nn: int, histogram: np.ndarray) -> None:
    """Add each user's votes to the histogram, scaled down where their L2 norm is above sqrt(k_nn) votes."""
    keys, ballots = np.unique(keys, return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, ballots, added)
    users, candidates = np.divmod(keys, len(histogram))
    first = np.flatnonzero(np.diff(users, prepend=-1))  # where each user's votes begin
    exact = counts.astype(object)  # Python's integers: squares of steps do not fit in 64 bits
    squares = np.add.reduceat(exact**2, first) if len(first) else exact
    squares = np.repeat(squares, np.diff(first, append=len(users)))
    over = squares > (bound := k_nn * VOTE**2)
    counts[over] = _isqrt(exact[over] ** 2 * bound // squares[over])
    np.add.at(histogram, candidates, counts)


def _column(name: str, values: np.ndarray, length: int, owner: str) -> np.ndarray:
    values = np.asarray(values)
    if values.shape != (length,) or values.dtype.kind not in "iu":
        raise DoppelError(
            "methods.column_does_not_fit",
            f"{name} is {values.dtype} of shape {values.shape}; it must be one integer for each of the {length} "
            f"{owner}",
            name=name,
            value=values.shape,
        )
    return values


def noisy_votes(
    clean: Sequence[int], *, noise_multiplier: float, sensitivity: float, privacy_seed: int | None, iteration: int
) -> list[int]:
    """Release a histogram of votes: the Gaussian mechanism, with discrete noise on a fine grid.

    Unit: one record or one user. Neighbours: add or remove one unit. Sampler: none, every unit takes part.
    The noise is discrete Gaussian (Canonne, Kamath & Steinke 2020) with parameter s = ``noise_multiplier`` x
    ``sensitivity`` x (1 + 1e-6). It is accounted as the continuous `lib.privacy.accounting.Gaussian` with this noise
    multiplier, for these reasons:

    - The normal distribution rounded to the grid is post-processing of the Gaussian mechanism. At every point x within
      12 s of the mean its log-probability is above the discrete Gaussian's by at most x^2 / (24 s^4) <= 6 / s^2, and
      anywhere it is below it by at most 1 / (24 s^2). (Over a step |u| <= 1/2, the mean of exp(-xu/s^2) is at most
      exp(x^2 / 24 s^4); from below, by Jensen, the mean of exp(-xu/s^2 - u^2/2s^2) is at least exp(-1 / 24 s^2). The
      two normalizing constants differ by far less.) Further out lies less than 1e-32 of the rounded normal: times
      e^epsilon, for each candidate that a unit votes for, it adds less than 1e-14 to delta while epsilon is below 40.
    - So discrete noise costs at most 6.1 / s^2 of epsilon for each candidate that a unit votes for. With m of them in
      each of T iterations, and with mu = sqrt(T) / ``noise_multiplier``, that is at most 6.1 m mu^2 /
      ``sensitivity``^2 in all. The 1e-6 by which s is larger lowers epsilon by at least 1e-6 mu^2 / 2: at a fixed delta
      the derivative of epsilon by mu is the inverse Mills ratio at epsilon / mu + mu / 2, which is above mu / 2. With a
      ``sensitivity`` of at least 2^20 this is more than the cost as long as m is below 90,000.

    Args:
        clean: the clean counts in steps of the grid, shape (m,). Private.
        noise_multiplier: standard deviation of the noise over the sensitivity, above 0.
        sensitivity: the most that one unit changes the counts, L2 norm, in steps of the grid.
        privacy_seed: None: OpenDP's exact sampler draws, seeded by the operating system. An integer makes the draw
            reproducible, and the result not fit for release.
        iteration: number of the vote, at least 0; each has noise of its own under one ``privacy_seed``.

    Returns:
        The noisy counts in steps of the grid, shape (m,); they can be negative.

    Raises:
        DoppelError: the noise is below `MIN_GRID_SCALE` steps, so that the proof says too little.
    """
    scale = noise_multiplier * sensitivity * (1 + 1e-6)
    if scale < MIN_GRID_SCALE:
        raise DoppelError(
            "methods.grid_too_coarse",
            f"noise of {scale:g} steps is too coarse for the Gaussian accountant, which takes at least "
            f"{MIN_GRID_SCALE:g}",
            name="noise_multiplier",
            value=noise_multiplier,
            remedy="raise noise_multiplier",
        )
    return noisy_counts(clean, scale, privacy_seed, VOTES, iteration)
