"""How a DP-LoRA training runs."""

import math
from dataclasses import dataclass

GROUPS = 64  # micro-batches in a usual batch, or more: the last one of each shape is filled up
PROBED = (16, 64, 256, 1024)  # widths of the examples that are measured before a training
LEAST_TOKENS = 256  # of a micro-batch in spite of that, because smaller products are slower


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        noise_multiplier: standard deviation of the noise over ``max_grad_norm``, above 0; None trains without privacy:
            the same batches, without clipping and noise.
        steps: optimizer steps, at least 1.
        expected_batch: units in a batch on average, in (0, n].
        max_grad_norm: L2 norm to which a unit's gradient is clipped, above 0; not used without privacy.
        contrast: weight of the loss against prompts with wrong labels (`lib.methods.dp_lora.contrast`), at least 0;
            above 0 a step takes twice as long.
        learning_rate: of AdamW, above 0.
        schedule: of the learning rate, a name that ``transformers.get_scheduler`` knows.
        warmup_steps: steps over which the learning rate rises to its value, in [0, steps).
        weight_decay: of AdamW, at least 0.
        average_from: the weights after this step and all later ones are averaged, each with the same weight, and the
            average is what the training ends with (tail averaging, Shejwalkar et al. 2022, arXiv:2210.01864); in
            [1, steps]. It is computed from what DP-SGD releases, so it costs no epsilon. None: the last step's weights.
        tokens_per_micro_batch: the most tokens, padding counted, that are computed at once. It limits memory; sums over
            a batch depend on it by rounding alone, and through the masks of dropout.
        checkpoint_every: steps between two checkpoints, at least 1.
        seed: of dropout without privacy.
        privacy_seed: of the samples, the noise and, with privacy, dropout. None: the operating system seeds them. An
            integer makes the training reproducible, and its result not fit for release.
    """

    noise_multiplier: float | None
    steps: int
    expected_batch: float
    max_grad_norm: float = 1.0
    contrast: float = 0.0
    learning_rate: float = 2e-3
    schedule: str = "constant"
    warmup_steps: int = 0
    weight_decay: float = 0.0
    average_from: int | None = None
    tokens_per_micro_batch: int = 512
    checkpoint_every: int = 5
    seed: int = 0
    privacy_seed: int | None = None


def rounded(positions: int) -> int:
    """The positions of a shape that has room for so many, at least 1: there are at most four such numbers an octave."""
    step = 2 ** max(3, (positions - 1).bit_length() - 3)
    return math.ceil(positions / step) * step


def rows_of(width: int, tokens: int, expected_batch: float, contrast: float) -> int:
    """The rows of a micro-batch with privacy; they follow from public settings alone.

    Args:
        width: positions of a row, at least 1.
        tokens: the most of a micro-batch.
        expected_batch: units in a batch on average.
        contrast: above 0, each example has two rows, which stay together.

    Returns:
        The rows, at least 1, or 2 with contrast. A unit with more has a micro-batch by itself.
    """
    each = 2 if contrast else 1
    wanted = max(LEAST_TOKENS // width, math.ceil(each * expected_batch / GROUPS))
    return max(each, min(tokens // width, wanted) // each * each)
