"""Text to image, and image to image, with a latent diffusion model of the diffusers package (Rombach et al. 2022).

Needs ``pip install -e .[images]``. Weights are read from safetensors alone, which hold tensors and no code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lib.common.errors import DoppelError
from lib.generation.images.batches import Batches
from lib.generation.images.diffusion_checks import locate
from lib.models import loading, pretrained
from lib.models.loading import Device, Dtype


@dataclass(frozen=True)
class Sampling:
    """How pictures are drawn.

    Attributes:
        steps: of the sampler, at least 1.
        guidance: scale of classifier-free guidance (Ho & Salimans 2022), at least 1, which is none.
        side: width and height that the model draws at, in pixels; a multiple of 8.
        batch_size: pictures at once, at least 1. It is halved where memory runs out.
    """

    steps: int = 20
    guidance: float = 7.5
    side: int = 512
    batch_size: int = 16


class Diffusion:
    """A Stable Diffusion pipeline, opened once for both of its uses.

    Args:
        model: ``hub:OWNER/NAME``, or a folder that diffusers saved.
        drawing: how pictures are drawn.
        device: as `lib.models.loading.resolve_device` takes it.
        dtype: as `lib.models.loading.resolve_dtype` takes it. On a CPU float32 is used, whatever is asked: half
            precision is not computed there.

    Raises:
        DoppelError: diffusers is not installed, there is no such device, or the model cannot be loaded.
    """

    def __init__(self, model: str, drawing: Sampling, *, device: Device = "auto", dtype: Dtype = "auto"):
        try:
            import diffusers
        except ImportError:
            raise DoppelError(
                "generation.package_missing",
                "diffusers is not installed, which runs diffusion models",
                name="diffusers",
                remedy="install it: pip install -e .[images]",
            ) from None
        diffusers.utils.logging.set_verbosity_error()
        diffusers.utils.logging.disable_progress_bar()
        source = locate(model)
        self.device, self.drawing = loading.resolve_device(device), drawing
        self.batches = Batches(drawing.batch_size, drawing.side)
        number = torch.float32 if self.device.type == "cpu" else loading.resolve_dtype(dtype, self.device)
        options = {"torch_dtype": number, "use_safetensors": True}
        self._write = pretrained.from_pretrained(diffusers.StableDiffusionPipeline, source, **options)
        self._write.to(self.device)
        self._vary = diffusers.StableDiffusionImg2ImgPipeline(**self._write.components)
        for pipeline in (self._write, self._vary):
            pipeline.set_progress_bar_config(disable=True)
        own = loading.folder_hash(source, recursive=True) if isinstance(source, Path) else source
        self.fingerprint = f"diffusers {own} {drawing.steps} {drawing.guidance} {drawing.side} {number}"

    def write(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
        """A picture for each of n prompts, with a seed of its own: uint8, (side, side, 3) each."""
        side = self.drawing.side

        def draw(rows: slice) -> np.ndarray:
            return self._write(prompt=list(prompts[rows]), height=side, width=side, **self._options(seeds[rows])).images

        return self.batches(draw, len(prompts))

    def vary(
        self, pictures: Sequence[np.ndarray], prompts: Sequence[str], seeds: Sequence[int], strength: float
    ) -> list[np.ndarray]:
        """A variation of each of n pictures (SDEdit, Meng et al. 2022): noised, and denoised again.

        Args:
            pictures: uint8, (side, side, 3) each.
            prompts: of each.
            seeds: of each.
            strength: in (0, 1]: the share of the steps that is done anew; 1 leaves nothing of a picture.
        """

        def draw(rows: slice) -> np.ndarray:
            given, options = np.stack(pictures[rows]).astype(np.float32) / 255, self._options(seeds[rows])
            return self._vary(prompt=list(prompts[rows]), image=given, strength=strength, **options).images

        return self.batches(draw, len(pictures))

    def _options(self, seeds: Sequence[int]) -> dict[str, Any]:
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]  # the same on every device
        drawing = self.drawing
        return {
            "generator": generators, "num_inference_steps": drawing.steps, "guidance_scale": drawing.guidance,
            "output_type": "np",
        }  # fmt: skip
