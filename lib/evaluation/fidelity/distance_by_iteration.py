"""How near the texts that Aug-PE selects come to the private records. *Evaluation only*: real text enters."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from lib.data.private_text import PrivateText
from lib.evaluation.estimate import MIN_RECORDS, Undefined, estimate
from lib.evaluation.fidelity.frechet_mmd import frechet_distance
from lib.models.encoders import Encoder, embed_private

Interval = tuple[float, float, float]  # value, low, high
Approach = tuple[list[Interval], Interval]  # of each set, and of the held-out records


def approach(
    real: np.ndarray, sets: Sequence[np.ndarray], held_out: np.ndarray, *, seed: int, draws: int = 12
) -> Approach | Undefined:
    """Fréchet distance of each set of embeddings to the real ones; lower is nearer.

    The distance grows as n falls, so all sets are cut to the size of the smallest. A set of several times that size
    counts as the mean over its parts; the first part alone gives the interval.

    Args:
        real: (n, d), embeddings of the private records.
        sets: (m, d) each, embeddings of the texts of each iteration.
        held_out: (k, d), embeddings of held-out records.
        seed: of the parts and the draws.
        draws: subsamples that give each interval.

    Returns:
        For each set value, low and high of a 95% interval; and the same for the held-out records. Undefined where a
        set, or ``real``, has fewer than `lib.evaluation.estimate.MIN_RECORDS` rows.
    """
    if lacking := _lacking(real, sets, held_out):
        return lacking
    n = min(map(len, (*sets, held_out)))
    rng = np.random.default_rng(seed)

    def distance(vectors: np.ndarray) -> Interval:
        parts = np.split(rng.permutation(vectors)[: len(vectors) // n * n], len(vectors) // n)
        first = estimate(
            lambda real_rows, rows: {"frechet": frechet_distance(real[real_rows], parts[0][rows])},
            len(real),
            n,
            draws=draws,
            seed=seed,
        )["frechet"]
        mean = float(np.mean([first.value, *(frechet_distance(real, part) for part in parts[1:])]))
        low, high = first.interval
        return mean, low + mean - first.value, high + mean - first.value

    return [distance(vectors) for vectors in sets], distance(held_out)


def of_texts(
    encoder: Encoder,
    real: Sequence[PrivateText],
    sets: Sequence[Sequence[str]],
    held_out: Sequence[PrivateText],
    *,
    seed: int,
) -> Approach | Undefined:
    """`approach` of texts, in the space of an encoder.

    Votes choose from what they chose before, so a text that stands in several sets is embedded once, and no more texts
    of a set are than are compared. Vectors of real texts are kept for the next arm of the same corpus.

    Args:
        encoder: what embeds the texts; one without a vote in them is not flattered.
        real: the private records' texts.
        sets: the texts of each iteration.
        held_out: the held-out records' texts.
        seed: of the parts and the draws.

    Returns:
        As `approach` does, with its default number of draws.
    """
    if lacking := _lacking(real, sets, held_out):
        return lacking
    n, rng = min(map(len, (*sets, held_out))), np.random.default_rng(seed)
    compared = [[texts[i] for i in rng.permutation(len(texts))[: len(texts) // n * n]] for texts in sets]
    vectors = encoder.encode(list(chain.from_iterable(compared)))  # equal texts once
    points = np.split(vectors, np.cumsum([len(texts) for texts in compared])[:-1])
    return approach(embed_private(encoder, real), points, embed_private(encoder, held_out), seed=seed)


def _lacking(real: Sequence, sets: Sequence[Sequence], held_out: Sequence) -> Undefined | None:
    """Why no distance is defined, or None."""
    smallest = min(map(len, sets))
    if min(len(real), smallest, len(held_out)) >= MIN_RECORDS:
        return None
    sizes = f"{len(real)} private and {len(held_out)} held-out records, and sets of {smallest} texts"
    return Undefined(f"there are {sizes}: each needs at least {MIN_RECORDS}")


def metrics(approached: Approach | Undefined) -> dict[str, float]:
    """The distances that go to ``metrics.json``: none where they are not defined.

    Args:
        approached: of `approach`; its first set is what the model wrote before any vote, its last what is handed out.
    """
    if isinstance(approached, Undefined):
        return {}
    points, held_out = approached
    return {"distance_random": points[0][0], "distance_selected": points[-1][0], "distance_held_out": held_out[0]}
