"""Whether an arm copies from its training records more than chance does. *Evaluation only*: it reads real text.

The baseline is the held-out records: they are real, and nobody can have copied them from train. Under the hypothesis
that the synthetic texts are no closer to train than fresh records are, three tests are wrong with a chance of at most
`LEVEL` together (Bonferroni):

- *Long shared runs.* Each text has its longest run of words shared with train; so has each held-out record. The number
  of texts above the r-th longest of the held-out records is negative hypergeometric, whatever the distribution
  (exceedance test: Epstein 1954). It is asked at the longest of all, r = 1, which sees a handful of copies, and at the
  top hundredth, which one odd held-out record cannot blunt.
- *Near copies.* Texts with a near-duplicate in train, against held-out records with one (Fisher's exact test,
  one-sided). `SIMILARITY` is below that of processing, which has removed the nearest from the held-out side.

Both sides are compared with the whole of train, so that a copy of any record counts, and the size of train does to
both what it does. Of 300 texts of preset quick, against 324 held-out records, 16 copies with one word changed were
refused in 10 of 10 draws, with two words changed in 8; 12 with one word changed in 7. Texts drawn from fresh users were
refused in none of 20 splits. Copies word for word are found one by one, by `lib.release.leak_scan`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from lib.audit.memorisation import longest_shared
from lib.data.near_duplicates import with_near_duplicate

LEVEL = 0.01  # chance that an arm without memory is refused
SIMILARITY = 0.4  # of word triples: a sentence of 16 words with two of them changed


@dataclass(frozen=True, slots=True)
class Excess:
    """One test: ``count`` of ``of`` texts against ``held_out`` of ``held_out_of`` records; ``p`` is one-sided."""

    what: str
    count: int
    of: int
    held_out: int
    held_out_of: int
    p: float

    @property
    def significant(self) -> bool:
        return self.p <= LEVEL / 3


def excesses(synthetic: Sequence[str], train: Sequence[str], held_out: Sequence[str]) -> list[Excess]:
    """The three tests on an arm's texts."""
    runs, baseline = longest_shared(synthetic, train), longest_shared(held_out, train)
    ranks = (1, 1 + len(held_out) // 100)
    return [*(exceedance(runs, baseline, rank) for rank in ranks), near_copies(synthetic, train, held_out)]


def exceedance(values: np.ndarray, baseline: np.ndarray, rank: int) -> Excess:
    """How many of ``values`` (n,) are above the ``rank``-th largest of ``baseline`` (m,); ties count for chance."""
    n, m = len(values), len(baseline)
    threshold = np.sort(baseline)[::-1][rank - 1]
    above, others = int((values > threshold).sum()), int((baseline > threshold).sum())
    # above >= k exactly when at most rank - 1 of the k + rank - 1 largest of all are of the baseline
    p = float(hypergeom.cdf(rank - 1, n + m, m, above + rank - 1)) if above else 1.0
    return Excess(f"a run of more than {threshold} words shared with train", above, n, others, m, p)


def near_copies(synthetic: Sequence[str], train: Sequence[str], held_out: Sequence[str]) -> Excess:
    """How many of either side have a near-duplicate in train."""
    mine, others = (int(with_near_duplicate(side, train, SIMILARITY).sum()) for side in (synthetic, held_out))
    n, m = len(synthetic), len(held_out)
    p = float(hypergeom.sf(mine - 1, n + m, n, mine + others))
    return Excess(f"a record of train at {SIMILARITY:g} or more of the same word triples", mine, n, others, m, p)
