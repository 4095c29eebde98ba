"""The entry of activation steering: its mechanism, what pre-flight refuses, and what a card says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lib.generation.engines.names import check_local
from lib.methods.method import Method, model_words
from lib.methods.prompting.method import check_generate, check_prompt
from lib.stage.notebook_roles import Parameters, check_inputs

if TYPE_CHECKING:
    from lib.privacy.accounting import Gaussian

STEERS, WRITES = "10_steer", "11_generate"


def recipe(parameters: Parameters, units: int, noise_multiplier: float) -> Gaussian:
    """Steering as the accountant sees it: one Gaussian release of a clipped sum (EPSVec, arXiv:2602.21218).

    Unit: one record or one user. Neighbours: add or remove one unit. Sampler: none, every unit takes part. The L2
    sensitivity of the sum is ``clip`` (`lib.methods.steering.total`); the noise has ``noise_multiplier`` times that as
    its standard deviation. Whatever the model writes with it is post-processing.

    Args:
        parameters: of 10_steer; none is needed.
        units: n, the number of units; not used, because there is no sampling.
        noise_multiplier: standard deviation of the noise over the L2 sensitivity, above 0.

    Returns:
        The mechanism that `lib.methods.steering.total.Total` runs.
    """
    from lib.privacy.accounting import Gaussian

    return Gaussian(noise_multiplier)


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that wrote the records.
        spending: the settings of the stage that drew the noise.
        unit: ``record`` or ``user``.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    yield (
        f"By activation steering: {model_words(spending['model'])} was never trained. It read every private record "
        f"once. How its inner states differed from those of texts that it writes by itself was clipped {unit} by "
        f"{unit}, added up, and released with noise, once. While it wrote the records from labels alone, at "
        f"temperature {arm['temperature']:g}, its states were moved in that direction."
    )
    yield f"The prompt: `{spending['prompt']}`"


def check_steer(parameters: Parameters) -> None:
    """Refuse other inputs than a corpus, and a model behind an endpoint, which hands out no hidden states.

    Args:
        parameters: of 10_steer, resolved.

    Raises:
        DoppelError: for the first of these.
    """
    check_inputs(parameters, "corpus")
    check_local(str(parameters["model"]))


METHOD = Method(
    title="Steering",
    title_without_privacy="steered without privacy",
    arm=WRITES,
    spends=STEERS,
    through="steer",
    recipe=recipe,
    making=making,
    settings=(
        "model", "prompt", "chat", "max_tokens", "target_epsilon", "reserve", "copy_share", "for_release", "layers",
        "clip", "references",
    ),
    checks={STEERS: check_steer, WRITES: check_generate},
    corpus_checks={STEERS: check_prompt, WRITES: check_prompt},
    canaries="lib.methods.steering.canaries:send",
    audit="lib.methods.steering.audit:make_again",
    control_score="states",
    own_control=True,
    colour="#7d8c1f",
)  # fmt: skip
