"""Whether an arm copies from its training records more than chance does. *Evaluation only*: it reads real text.

The baseline is the held-out records: they are real, and cannot have been copied from train. If the synthetic texts are
no closer to train than fresh records are, the probability that any of three tests rejects is at most `LEVEL`
(Bonferroni):

- *Long shared runs.* For each synthetic text and each held-out record, the longest run of words that it shares with
  train (`lib.data.tokenize.words`). The number of texts above the r-th largest value of the held-out records is
  negative hypergeometric, whatever the distribution (exceedance test: Epstein 1954, "Tables for the distribution of
  the number of exceedances", Annals of Mathematical Statistics 25). It is tested at r = 1, which detects a handful of
  copies, and at the top hundredth, which a single unusual held-out record cannot hide.
- *Near copies.* The number of texts with a near-duplicate in train, against that of held-out records (Fisher's exact
  test, one-sided). `SIMILARITY` is below the threshold of 00_process_data, which has removed nearer duplicates from the
  held-out records.

Both sides are compared with the whole of train, so that a copy of any record counts and the size of train affects both
sides alike. Of 300 texts of preset quick, against 324 held-out records, 16 copies with one word changed were refused in
10 of 10 draws, with two words changed in 8; 12 with one word changed in 7. Texts drawn from fresh users were refused in
none of 20 splits. Exact copies are found one by one, by `lib.release.leak_scan`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from lib.audit.memorisation import longest_shared
from lib.data.near_duplicates import with_near_duplicate

LEVEL = 0.01  # probability that an arm which does not copy is refused
SIMILARITY = 0.4  # of word triples: a sentence of 16 words with two of them changed


@dataclass(frozen=True, slots=True)
class Excess:
    """The result of one test.

    Attributes:
        what: what was counted, in words.
        count: synthetic texts that have it.
        of: the number of synthetic texts, n.
        held_out: held-out records that have it.
        held_out_of: the number of held-out records, m.
        p: one-sided p-value, in [0, 1].
    """

    what: str
    count: int
    of: int
    held_out: int
    held_out_of: int
    p: float

    @property
    def significant(self) -> bool:
        """Whether the test rejects at its share of `LEVEL`."""
        return self.p <= LEVEL / 3


def excesses(synthetic: Sequence[str], train: Sequence[str], held_out: Sequence[str]) -> list[Excess]:
    """The three tests on an arm.

    Args:
        synthetic: the arm's n texts.
        train: the texts of all training records.
        held_out: the texts of the m >= 1 held-out records.

    Returns:
        Shared runs at r = 1, shared runs at the top hundredth, near copies.
    """
    runs, baseline = longest_shared(synthetic, train), longest_shared(held_out, train)
    ranks = (1, 1 + len(held_out) // 100)
    return [*(exceedance(runs, baseline, rank) for rank in ranks), near_copies(synthetic, train, held_out)]


def nearness(own: np.ndarray, held_out: np.ndarray) -> list[Excess]:
    """Two tests on an arm of pictures or rows, by the same exceedances as shared runs of words.

    Args:
        own: distances of the arm's n records to the nearest of train, shape (n,).
        held_out: those of the m >= 1 held-out records, shape (m,). Near-duplicates of train were removed from held-out
            pictures, so an arm with one of them is refused at r = 1 if it has some more.

    Returns:
        Distances at r = 1, and at the top hundredth.
    """
    ranks = (1, 1 + len(held_out) // 100)
    return [exceedance(-own, -held_out, rank, "a distance of less than {} to a record of train") for rank in ranks]


def exceedance(
    values: np.ndarray, baseline: np.ndarray, rank: int, what: str = "a run of more than {} words shared with train"
) -> Excess:
    """Test whether too many values are above the ``rank``-th largest of a baseline (Epstein 1954).

    Args:
        values: shape (n,), here lengths in words.
        baseline: shape (m,), the same for held-out records.
        rank: r, in [1, m].
        what: the result in words, with a place for the threshold.

    Returns:
        The result. Values that equal the threshold do not count as above it, so ties make p larger, never smaller.
    """
    n, m = len(values), len(baseline)
    threshold = np.sort(baseline)[::-1][rank - 1]
    above, others = int((values > threshold).sum()), int((baseline > threshold).sum())
    # above >= k exactly when at most rank - 1 of the k + rank - 1 largest of all are of the baseline
    p = float(hypergeom.cdf(rank - 1, n + m, m, above + rank - 1)) if above else 1.0
    return Excess(what.format(f"{abs(threshold):.3g}"), above, n, others, m, p)


def near_copies(synthetic: Sequence[str], train: Sequence[str], held_out: Sequence[str]) -> Excess:
    """Test whether too many texts have a near-duplicate in train (Fisher's exact test, one-sided).

    Args:
        synthetic: the arm's n texts.
        train: the texts of all training records.
        held_out: the texts of the m held-out records.

    Returns:
        The result; near-duplicates share `SIMILARITY` of their word triples (Jaccard).
    """
    near, near_held_out = (int(with_near_duplicate(side, train, SIMILARITY).sum()) for side in (synthetic, held_out))
    n, m = len(synthetic), len(held_out)
    p = float(hypergeom.sf(near - 1, n + m, n, near + near_held_out))
    what = f"a record of train at {SIMILARITY:g} or more of the same word triples"
    return Excess(what, near, n, near_held_out, m, p)
