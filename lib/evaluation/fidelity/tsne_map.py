"""A joint map in two dimensions, for the eye alone."""

from collections.abc import Mapping

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

DIMENSIONS = 50  # that t-SNE starts from
PERPLEXITY = 30.0  # neighbours that a record is kept near to


def joint_map(vectors: Mapping[str, np.ndarray], *, seed: int) -> dict[str, np.ndarray]:
    """Places (n, 2) of the embeddings (n, d) of each set in one t-SNE of all (van der Maaten & Hinton 2008).

    It keeps neighbours together; distances between far groups, their sizes and their density mean nothing.
    """
    pooled = np.concatenate(list(vectors.values()))
    kept = min(DIMENSIONS, *pooled.shape)
    flat = PCA(kept, svd_solver="covariance_eigh").fit_transform(pooled)
    tsne = TSNE(perplexity=min(PERPLEXITY, (len(pooled) - 1) / 4), init="pca", random_state=seed)
    placed = tsne.fit_transform(flat)
    return dict(zip(vectors, np.split(placed, np.cumsum([len(one) for one in vectors.values()])[:-1]), strict=True))
