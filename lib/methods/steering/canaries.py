"""Canaries for steering: dummy units, each with an entry of its own, that go through the clipped sum and its noise.

What runs is `lib.methods.steering.total`: the clip, the shares of a user's records, the rounding, the sum, and the
noise. Only the language model is left out: a unit's vectors are given, along an entry that no other unit has, and far
longer than the clip. So it is clipped to that norm, which is the most that one unit can change, and canaries do not
disturb each other. Each world is a release of its own on `WORLD` canaries at most, of which half are in. Over the clip,
what is released of a canary is N(0, sigma^2) if it is out and N(1, sigma^2) if it is in. No private record is in it.

That a record's vector follows from this record alone is tested in tests/methods/steering/test_states.py.
"""

from collections.abc import Callable

import numpy as np

from lib.audit import conformance
from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.methods.steering.total import GRID, Total

WORLD = 4096  # canaries of a release: each has an entry of its own
ROWS = 2  # of the table of sums, over which canaries are spread
RECORDS = 3  # of a user
LENGTHS = (10.0, 1e6)  # of vectors before they are clipped, in clips; drawn evenly on a log scale
PROBED, WIDTH = 256, 64  # units whose clipped vectors are measured, and the entries of these


def send(
    access: Access,
    canaries: int,
    *,
    rng: np.random.Generator,
    fault: Fault | None = None,
    progress: Callable[[int], object] = lambda done: None,
    privacy_seed: int | None = None,
) -> CanaryRun:
    """Send canaries through the release of an access.

    Args:
        access: a steering; its parameters have ``clip``.
        canaries: m, at least 4.
        rng: draws which are in, and the lengths of their vectors.
        fault: planted in clip or noise, or None; `Fault.applies_to` the mechanism.
        progress: called with the number of canaries newly done.
        privacy_seed: None: the noise is that of a release. An integer is for tests.

    Returns:
        Scores, and the checks of noise, sensitivity and seeds.
    """
    scores, included = np.zeros(canaries), np.zeros(canaries, bool)
    noise: list[np.ndarray] = []
    marks: list[np.ndarray] = []
    for number, members in enumerate(np.array_split(np.arange(canaries), -(-canaries // WORLD))):
        inside = rng.permutation(np.arange(len(members)) < len(members) // 2)
        places = conformance.MARK + np.arange(len(members))  # nobody is at the first places
        rows = np.arange(len(members)) % ROWS
        total = _sum(access, fault, places[inside], rows[inside], conformance.MARK + len(members), rng)
        seed = None if privacy_seed is None else privacy_seed + number
        released = total.noisy(_multiplier(access, fault), seed) / access.parameters["clip"]
        included[members] = inside
        scores[members] = access.mechanism.log_likelihood_ratio(released[rows, places])
        empty = np.ones(released.shape, bool)
        empty[rows[inside], places[inside]] = False
        noise.append(released[empty])
        marks.append(released[0, : conformance.MARK])
        progress(len(members))
    norms = np.array([_norm(access, fault, rng) for _ in range(PROBED)])
    checks = (
        conformance.noise(np.concatenate(noise), access.mechanism.noise_multiplier),
        conformance.sensitivity(norms),
        conformance.seeds(marks),
    )
    return CanaryRun(scores, included, checks)


def _sum(
    access: Access, fault: Fault | None, places: np.ndarray, rows: np.ndarray, width: int, rng: np.random.Generator
) -> Total:
    """The clipped sum of units, each with an entry of its own at one of ``places``."""
    total, records = _total(access, fault, width), _records(access)
    lengths = access.parameters["clip"] * np.exp(rng.uniform(*np.log(LENGTHS), len(places)))
    for some in np.array_split(np.arange(len(places)), -(-len(places) // PROBED)):  # a row of the table each
        vectors = np.zeros((len(some), width))
        vectors[np.arange(len(some)), places[some]] = lengths[some]
        shares = np.full(records * len(some), 1 / records)
        total.add(np.repeat(vectors, records, axis=0), np.repeat(rows[some], records), shares)
    return total


def _norm(access: Access, fault: Fault | None, rng: np.random.Generator) -> float:
    """L2 norm of what one unit with random vectors adds, over the claimed clip. A user's records are in both rows."""
    total, records = _total(access, fault, WIDTH), _records(access)
    vectors = rng.standard_cauchy((records, WIDTH)) * access.parameters["clip"]
    total.add(vectors, rng.integers(ROWS, size=records), np.full(records, 1 / records))
    return float(np.linalg.norm(total.sums.astype(float)) * GRID * total.clip / access.parameters["clip"])


def _total(access: Access, fault: Fault | None, width: int) -> Total:
    return Total(ROWS, width, access.parameters["clip"] * (2.0 if fault is Fault.LARGE_CLIP else 1.0))


def _multiplier(access: Access, fault: Fault | None) -> float:
    """The noise over the clip; it stays as it is claimed where the clip is too large."""
    factor = {Fault.NO_NOISE: 0.0, Fault.HALVED_NOISE: 0.5, Fault.LARGE_CLIP: 0.5}.get(fault, 1.0)
    return factor * access.mechanism.noise_multiplier


def _records(access: Access) -> int:
    return RECORDS if access.unit == "user" else 1
