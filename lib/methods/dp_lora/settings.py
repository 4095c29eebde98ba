"""How a DP-LoRA training runs."""

from dataclasses import dataclass


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
