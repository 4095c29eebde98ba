"""Checks of votes and embeddings: this machine passes the first, and votes by rounded distances fail it."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from lib.machine import votes
from lib.machine.check import Differs


def test_exact_votes_pass() -> None:
    assert votes.exact_votes(torch.device("cpu"))["votes a second"] > 0


def test_votes_by_rounded_distances_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounded(private: np.ndarray, candidates: np.ndarray, k: int, **where: object) -> np.ndarray:
        return np.argsort(cdist(private, candidates).astype(np.float16), axis=1)[:, :k]

    monkeypatch.setattr(votes, "nearest", rounded)
    with pytest.raises(Differs, match="of 4000 vectors vote for others"):
        votes.exact_votes(torch.device("cpu"))
