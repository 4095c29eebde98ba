"""What is missing: clusters of real records, and how much of each cluster an arm covers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lib.evaluation.fidelity.clusters import cluster
from lib.evaluation.fidelity.precision_recall import covered

RECORDS = 15  # of a cluster, on average
LEAST_RECORDS = 5  # of a cluster that is looked at: whether one or two records are covered is chance


@dataclass(frozen=True)
class Gaps:
    """Clusters of real records, and which of the records each set covers.

    Args:
        cluster: (n,), the cluster of each real record; -1 where the cluster is too small.
        covered: by set, whether it covers each real record, bool (n,).
    """

    cluster: np.ndarray
    covered: Mapping[str, np.ndarray]

    @property
    def sizes(self) -> np.ndarray:
        """Real records of each cluster, (clusters,)."""
        return np.bincount(self.cluster + 1)[1:]

    def counts(self, name: str) -> np.ndarray:
        """Real records of each cluster that the set ``name`` covers, (clusters,)."""
        return np.bincount(self.cluster + 1, self.covered[name], minlength=len(self.sizes) + 1)[1:].astype(int)

    def order(self, arms: list[str]) -> np.ndarray:
        """Clusters, (clusters,), first those of which ``arms`` cover the smallest share."""
        share = sum(self.counts(name) for name in arms) / self.sizes
        return np.argsort(share, kind="stable")


def find_gaps(real: np.ndarray, sides: Mapping[str, np.ndarray], *, seed: int, clusters: int | None = None) -> Gaps:
    """k-means clusters of real embeddings, and which records each set covers.

    A record is covered when a record of the set lies within the distance to its third nearest real neighbour
    (Naeem et al. 2020).

    Args:
        real: (n, d), embeddings of the real records.
        sides: (m, d), embeddings of each set.
        seed: of the clusters.
        clusters: their number; n / `RECORDS` unless given. Only clusters of `LEAST_RECORDS` or more are kept.

    Raises:
        DoppelError: the embeddings cannot be compared, or have fewer different rows than clusters.
    """
    count = max(2, round(len(real) / RECORDS)) if clusters is None else clusters
    labels = cluster(real, count, seed=seed)
    sizes = np.bincount(labels, minlength=count)
    large = sizes >= min(LEAST_RECORDS, sizes.max())
    number = np.where(large, np.cumsum(large) - 1, -1)
    return Gaps(number[labels], {name: covered(real, side) for name, side in sides.items()})
