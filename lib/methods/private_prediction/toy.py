"""A toy token that can be followed by eye: six made-up records change what a model says of four words."""

from dataclasses import dataclass

import numpy as np
import torch

from lib.methods.private_prediction.next_token import clip_bound, mixed

WORDS = ("great", "dull", "long", "cat")
PUBLIC = (1.0, 1.0, 0.5, -1.0)  # logits after the request alone
RECORDS = (  # after the request with one record: made up, four praise, one complains, one is like no other
    (2.2, 0.1, 0.4, -1.5),
    (1.8, 0.6, 0.9, -1.2),
    (2.6, 0.2, 0.3, -1.0),
    (1.9, 0.4, 0.6, -1.4),
    (0.4, 2.1, 0.8, -1.1),
    (0.0, 0.0, 0.0, 9.0),
)
ODD = 5  # the record that is like no other


@dataclass(frozen=True)
class Token:
    """The next token of the toy. Only here may the scores be looked at, because the records are made up.

    Attributes:
        clip: C, in nats.
        public: chance of each word by the request alone, shape (words,).
        unclipped: with all records, differences not clipped, shape (words,).
        clipped: with all records, as it is done, shape (words,).
        without_odd: the same without the record that is like no other, shape (words,).
    """

    clip: float
    public: np.ndarray
    unclipped: np.ndarray
    clipped: np.ndarray
    without_odd: np.ndarray


def token(*, noise_multiplier: float, temperature: float = 1.0) -> Token:
    """Mix the scores with the function that a real run uses.

    Args:
        noise_multiplier: temperature over the most that one record changes a score, above 0.
        temperature: tau, above 0.
    """
    expected = float(len(RECORDS))
    clip = clip_bound(noise_multiplier=noise_multiplier, temperature=temperature, expected_batch=expected)

    def chances(members: list[int], most: float) -> np.ndarray:
        public, private = torch.tensor([PUBLIC]), torch.tensor([RECORDS[i] for i in members]).reshape(-1, len(WORDS))
        scores = mixed(
            public,
            private,
            allowed=torch.ones_like(public, dtype=torch.bool),
            units=torch.arange(len(members)),
            texts=torch.zeros(len(members), dtype=torch.long),
            clip=most,
            divisor=expected,
        )
        return (scores / temperature).softmax(-1)[0].numpy()

    everyone = list(range(len(RECORDS)))
    others = [i for i in everyone if i != ODD]
    return Token(clip, chances([], clip), chances(everyone, np.inf), chances(everyone, clip), chances(others, clip))
