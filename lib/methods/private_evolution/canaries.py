"""Canaries for votes: dummy voters, each with candidates of its own, that go through the vote of private evolution.

What runs is `lib.methods.private_evolution.voting`: the search for the nearest candidates, the counting, the scaling of
users, and the discrete Gaussian noise, in all T iterations. Only the encoder is left out: a voter's vector is given,
that of its own candidates. So it votes for exactly these, which is the most that one unit can change, and canaries do
not disturb each other.

Each world is a run of its own on `WORLD` canaries at most, of which half vote and half are not there. What is read of
a canary are the noisy votes of its k_nn candidates, along the ballot that a lone unit casts: over sqrt(k_nn) votes that
is N(0, sigma^2) if it is out and N(1, sigma^2) if it is in. No private record is in any world.

That a private record votes by its own text alone is tested in tests/methods/private_evolution (test_voting.py,
test_evolution.py).
"""

from collections.abc import Callable

import numpy as np

from lib.audit import conformance
from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.methods.private_evolution.voting import noisy_votes, sensitivity, vote

WORLD = 4096  # canaries of a run: the search compares every voter with every candidate of its label cell
WIDTH = 16  # of the vectors: random ones are far apart
CELLS = 2  # label cells over which canaries are spread
RECORDS = 3  # of a user: they vote alike, and are scaled down together
PROBED = 64  # units whose votes are measured


def send(
    access: Access,
    canaries: int,
    *,
    rng: np.random.Generator,
    fault: Fault | None = None,
    progress: Callable[[int], object] = lambda done: None,
    privacy_seed: int | None = None,
) -> CanaryRun:
    """Send canaries through the votes of an access.

    Args:
        access: votes of units for candidates; its parameters have ``k_nn``.
        canaries: m, at least 4.
        rng: draws which are in, and the vectors.
        fault: planted in the vote, or None; `Fault.applies_to` the mechanism.
        progress: called with the number of canaries newly done.
        privacy_seed: None: the noise is that of a release. An integer is for tests.

    Returns:
        Scores, and the checks of noise, sensitivity and seeds. There is no sampler: every voter votes in every
        iteration.
    """
    scores, included = np.zeros(canaries), np.zeros(canaries, bool)
    noise: list[np.ndarray] = []
    nobody = np.zeros(conformance.MARK, bool)  # the first places, whose noise tells releases apart
    for number, members in enumerate(np.array_split(np.arange(canaries), -(-canaries // WORLD))):
        inside = rng.permutation(np.arange(len(members)) < len(members) // 2)
        included[members], voting = inside, np.concatenate([nobody, inside])
        seed = None if privacy_seed is None else privacy_seed + number
        for iteration in range(access.mechanism.count):
            released = _released(access, voting, fault, iteration, seed, rng)
            scores[members] += access.mechanism.log_likelihood_ratio(released[len(nobody) :])
            noise.append(released[~voting])
        progress(len(members))
    norms = [_norm(access, fault, rng) for _ in range(PROBED)]
    checks = (
        conformance.noise(np.concatenate(noise), access.mechanism.noise_multiplier),
        conformance.sensitivity(np.array(norms)),
        conformance.seeds([values[: conformance.MARK] for values in noise]),
    )
    return CanaryRun(scores, included, checks)


def _released(
    access: Access,
    inside: np.ndarray,
    fault: Fault | None,
    iteration: int,
    privacy_seed: int | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """What one iteration releases about the canaries of a world, in units of what one unit can change; shape (m,)."""
    k_nn = access.parameters["k_nn"]
    vectors, cells = rng.normal(size=(len(inside), WIDTH)).astype(np.float32), np.arange(len(inside)) % CELLS
    voting = np.flatnonzero(inside)
    clean = _votes(access, fault, vectors, cells, voting, np.arange(len(voting)))
    if fault is Fault.NO_NOISE:
        noisy = clean
    else:
        halved = 0.5 if fault is Fault.HALVED_NOISE else 1.0
        noisy = noisy_votes(
            clean,
            noise_multiplier=access.mechanism.noise_multiplier * halved,
            sensitivity=sensitivity(k_nn),
            privacy_seed=privacy_seed,
            iteration=iteration,
        )
    lone = _votes(access, None, vectors[:1], cells[:1], np.zeros(1, int), np.zeros(1, int)).astype(float)
    return np.array(noisy, float).reshape(-1, k_nn) @ lone / np.linalg.norm(lone) / sensitivity(k_nn)


def _votes(
    access: Access,
    fault: Fault | None,
    vectors: np.ndarray,
    cells: np.ndarray,
    places: np.ndarray,
    owners: np.ndarray,
) -> np.ndarray:
    """The clean histogram over k_nn candidates at each of m places.

    Args:
        access: whose ``k_nn``, ``vote_weights`` (where it has any) and unit are used.
        fault: a clip too large lets every record vote twice, and scales no user.
        vectors: of the m places, float32, shape (m, width).
        cells: label cell of each place, shape (m,).
        places: where each voter stands, shape (v,).
        owners: number of each voter's unit, shape (v,).

    Returns:
        The counts in steps of the grid, int64, shape (m k_nn,).
    """
    k_nn, repeats = access.parameters["k_nn"], RECORDS if access.unit == "user" else 1
    unlimited = fault is Fault.LARGE_CLIP
    weights = {"weights": access.parameters["vote_weights"]} if "vote_weights" in access.parameters else {}
    voters = np.repeat(places, 2 * repeats if unlimited else repeats)
    return vote(
        vectors[voters],
        np.repeat(vectors, k_nn, axis=0),
        private_cells=cells[voters],
        candidate_cells=np.repeat(cells, k_nn),
        k_nn=k_nn,
        owners=np.repeat(owners, repeats) if access.unit == "user" and not unlimited else None,
        **weights,
    )


def _norm(access: Access, fault: Fault | None, rng: np.random.Generator) -> float:
    """L2 norm of one unit's votes over the sensitivity. The records of a user stand at up to three random places."""
    vectors, cells = rng.normal(size=(8, WIDTH)).astype(np.float32), np.zeros(8, int)
    places = rng.integers(8, size=RECORDS if access.unit == "user" else 1)
    clean = _votes(access, fault, vectors, cells, places, np.zeros(len(places), int))
    return float(np.linalg.norm(clean.astype(float)) / sensitivity(access.parameters["k_nn"]))
