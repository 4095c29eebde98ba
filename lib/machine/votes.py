"""Checks of what votes: embeddings and nearest candidates on the device, beside the processor and a loop in float64."""

import numpy as np
import torch
from scipy.spatial.distance import cdist

from lib.data.public_words import public_words
from lib.machine.check import Differs, Figures, timed
from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.models.encoders import open_encoder

ENCODER = "bundled:all-minilm-l6-v2"
PROCESSOR = torch.device("cpu")


def embeddings(device: torch.device) -> Figures:
    """Vectors of texts are those of the processor.

    Args:
        device: where texts are embedded.
    """
    words, draw = public_words(), np.random.default_rng(0)
    texts = [" ".join(draw.choice(words, draw.integers(4, 40))) for _ in range(256)]
    encoder = open_encoder(ENCODER, device=device.type)
    seconds = timed(lambda: encoder.encode(texts), device, turns=1)
    figures = {"texts a second": len(texts) / seconds}
    if device.type == "cuda":
        slow = open_encoder(ENCODER, device="cpu")
        error = float(np.abs(encoder.encode(texts) - slow.encode(texts)).max())
        if not error < 1e-3:
            raise Differs(f"a vector differs from the processor's by {error:.1e}")
        figures |= {"largest difference": error}
        figures["times the processor"] = timed(lambda: slow.encode(texts), PROCESSOR, turns=1) / seconds
    return figures


def exact_votes(device: torch.device) -> Figures:
    """Every vector votes for its nearest candidates in float64, also where candidates lie close together.

    Args:
        device: where it is computed.
    """
    draw = np.random.default_rng(0)
    candidates = draw.normal(size=(500, 384)).astype(np.float32)
    candidates[250:] = candidates[:250] + draw.normal(0, 1e-4, (250, 384)).astype(np.float32)  # pairs nearly alike
    voters = (candidates[draw.integers(500, size=4000)] + draw.normal(0, 1, (4000, 384))).astype(np.float32)
    expected = np.argsort(cdist(voters, candidates), axis=1, kind="stable")[:, :3]
    wrong = int((nearest(voters, candidates, 3, device=device.type) != expected).any(1).sum())
    if wrong:
        raise Differs(f"{wrong} of {len(voters)} vectors vote for others than their nearest candidates")
    seconds = timed(lambda: nearest(voters, candidates, 1, device=device.type), device)
    figures = {"votes a second": len(voters) / seconds}
    if device.type == "cuda":
        figures["times the processor"] = (
            timed(lambda: nearest(voters, candidates, 1, device="cpu"), PROCESSOR) / seconds
        )
    return figures
