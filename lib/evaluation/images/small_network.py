"""A small convolutional network: a classifier of pictures, and, trained on public renders, a space that judges."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

FEATURES = 64  # numbers of the layer before the last
BATCH = 64


class SmallNetwork:
    """Two convolutions, a layer of `FEATURES` numbers from -1 to 1, and a linear layer; for pictures of any size.

    Args:
        pictures: n pictures to train on, uint8, shape (n, height, width) or (n, height, width, 3).
        targets: class of each, int in [0, outputs), shape (n,); or numbers to be told from it, float32, shape
            (n, outputs).
        outputs: number of classes, or of numbers.
        steps: batches of `BATCH` pictures that it is trained on, at least 1.
        seed: of weights and batches; the global generator is not touched.
    """

    def __init__(self, pictures: np.ndarray, targets: np.ndarray, outputs: int, *, steps: int, seed: int):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.features = nn.Sequential(
                nn.Conv2d(3 if pictures.ndim == 4 else 1, 16, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Conv2d(16, 32, 3, padding=1),
                nn.ReLU(),
                nn.AdaptiveMaxPool2d(7),
                nn.Flatten(),
                nn.Linear(32 * 49, FEATURES),
                nn.Tanh(),
            )
            self.head = nn.Linear(FEATURES, outputs)
        self._train(_as_tensor(pictures), torch.as_tensor(targets), steps, np.random.default_rng(seed))

    def _train(self, pictures: torch.Tensor, targets: torch.Tensor, steps: int, rng: np.random.Generator) -> None:
        network = nn.Sequential(self.features, self.head)
        optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
        loss_of = mse_loss if targets.is_floating_point() else cross_entropy
        for _ in range(steps):
            rows = rng.integers(len(pictures), size=min(BATCH, len(pictures)))
            loss = loss_of(network(pictures[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    @torch.inference_mode()
    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """The layer before the last: float32, shape (n, `FEATURES`), for n ``pictures``."""
        parts = [self.features(_as_tensor(pictures[i : i + 256])) for i in range(0, len(pictures), 256)]
        return torch.cat(parts).numpy()

    @torch.inference_mode()
    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """The class of each of n ``pictures``, int, shape (n,)."""
        return self.head(torch.from_numpy(self.encode(pictures))).argmax(dim=1).numpy()


def _as_tensor(pictures: np.ndarray) -> torch.Tensor:
    """Pictures as (n, channels, height, width), from -1 to 1."""
    scaled = torch.from_numpy(np.ascontiguousarray(pictures)).float() / 127.5 - 1
    return scaled[:, None] if pictures.ndim == 3 else scaled.permute(0, 3, 1, 2)
