"""A joint map in two dimensions: for looking at, not for measuring."""

from collections.abc import Mapping

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

DIMENSIONS = 50  # that t-SNE starts from
PERPLEXITY = 30.0  # neighbours that a record is kept near to


def joint_map(vectors: Mapping[str, np.ndarray], *, seed: int) -> dict[str, np.ndarray]:
    """Places of each set's embeddings in one t-SNE of all, (n, 2) by set (van der Maaten & Hinton 2008).

    It keeps neighbours together; distances between groups that lie far apart, their sizes and their density mean
    nothing.

    Args:
        vectors: (n, d), embeddings by set.
        seed: of t-SNE.
    """
    pooled = np.concatenate(list(vectors.values()))
    kept = min(DIMENSIONS, *pooled.shape)
    flat = PCA(kept, svd_solver="covariance_eigh").fit_transform(pooled)
    tsne = TSNE(perplexity=min(PERPLEXITY, (len(pooled) - 1) / 4), init="pca", random_state=seed)
    placed = tsne.fit_transform(flat)
    return dict(zip(vectors, np.split(placed, np.cumsum([len(side) for side in vectors.values()])[:-1]), strict=True))
