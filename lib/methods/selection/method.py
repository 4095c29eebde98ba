"""The entry of the hybrid: its mechanism, what pre-flight refuses, and what a card says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError
from lib.methods.method import Method, model_words
from lib.stage.notebook_roles import Parameters

if TYPE_CHECKING:
    from lib.privacy.accounting import Gaussian

SELECTS = "13_select"


def recipe(parameters: Parameters, units: int, noise_multiplier: float) -> Gaussian:
    """A selection as the accountant sees it: ``votes`` Gaussian releases (Yu et al. 2024; Lin et al. 2024).

    Unit: one record or one user. Neighbours: add or remove one unit. Sampler: none, every unit takes part in every
    vote. Each vote releases a histogram over the candidates plus noise. The candidates follow from what was released
    before, so they are the same for both neighbours. One unit changes the histogram by at most sqrt(``k_nn``) votes in
    L2 norm (`lib.methods.private_evolution.voting.vote`); the noise has ``noise_multiplier`` times that as its standard
    deviation.

    Args:
        parameters: of 13_select; ``votes`` is read.
        units: n, the number of units; not used, because there is no sampling.
        noise_multiplier: standard deviation of the noise over the L2 sensitivity, above 0.

    Returns:
        The mechanism that `lib.methods.selection.selection.Selection` runs.
    """
    from lib.privacy.accounting import Gaussian

    return Gaussian(noise_multiplier, count=parameters["votes"])


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that selected the records.
        spending: the same settings, since that stage drew the noise too.
        unit: ``record`` or ``user``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    sources = ", ".join(f"`{stage}`" for name, stage in arm["inputs"].items() if name != "corpus")
    times = "once" if arm["votes"] == 1 else f"{arm['votes']} times, each time among those that were left,"
    yield (
        f"By selection: the candidates are texts of {sources}. Every private record voted {times} for the candidate "
        f"most like it, as seen by {model_words(arm['encoder'])}. The noisy counts of votes alone decided which were "
        "kept; no text was changed."
    )


def check_selection(parameters: Parameters) -> None:
    """Refuse a selection without candidates.

    That every other input is an arm is checked in `lib.pipeline.stage_checks`, which knows all of them.

    Args:
        parameters: of 13_select, resolved.

    Raises:
        DoppelError: ``inputs`` names no arm.
    """
    if not set(parameters["inputs"]) - {"corpus"}:
        raise DoppelError(
            "methods.no_candidates",
            "inputs: names no arm whose texts are the candidates",
            name="inputs",
            remedy="add one, as eps8: 11_generate.eps8",
        )


METHOD = Method(
    title="Hybrid: selected by votes",
    title_without_privacy="Hybrid without privacy",
    arm=SELECTS,
    spends=SELECTS,
    selects=True,
    recipe=recipe,
    making=making,
    settings=(
        "target_epsilon", "copy_share", "for_release", "encoder", "votes", "k_nn", "threshold", "selection",
        "near_duplicate_similarity", "all_iterations", "samples",
    ),
    checks={SELECTS: check_selection},
    corpus_checks={},
    canaries="lib.methods.private_evolution.canaries:send",
    audit="lib.methods.selection.audit:make_again",
    control_score="votes",
    own_control=True,
    colour="#7a4fa3",
)  # fmt: skip
