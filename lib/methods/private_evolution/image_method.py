"""The entry of private evolution of images: what pre-flight refuses, and what a card says about it.

Mechanism and canaries are those of Aug-PE (`lib.methods.private_evolution.method`): the votes know no kind of data.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from lib.common.errors import DoppelError
from lib.methods.method import Method
from lib.methods.private_evolution.method import recipe
from lib.methods.private_evolution.settings import Settings
from lib.methods.public_images.method import CHECKPOINT, MAKING, check_maker, check_written, maker_words
from lib.stage.notebook_roles import IMAGES, Parameters, check_inputs

EVOLVES = "15_image_evolution"


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the pictures were made.

    Args:
        arm: the settings that the certificate lists of the stage that evolved the pictures.
        spending: the same settings, since that stage drew the noise too.
        unit: ``record`` or ``user``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    yield (
        f"By private evolution: {maker_words(arm)}. Every private picture voted {arm['iterations']} times for the one "
        "most like it; the noisy counts of votes alone selected pictures, of which variations were then made."
    )


def check_image_evolution(parameters: Parameters) -> None:
    """Refuse what cannot evolve: inputs besides a corpus of pictures, sizes that do not fit, degrees out of range.

    Args:
        parameters: of 15_image_evolution, resolved.

    Raises:
        DoppelError: for the first of these.
    """
    check_inputs(parameters, "corpus", corpora=(IMAGES,))
    check_maker(parameters)
    settings = Settings.of(parameters, None)
    import_module("lib.models.image_encoders").check_encoder(parameters["encoder"])  # as `check_maker` imports
    degrees = [settings.at("degrees", vote) for vote in range(settings.iterations)]
    least, most, what = {
        "nearest": (1, float("inf"), "a number of nearest pictures"),
        **dict.fromkeys(("diffusers", CHECKPOINT), (1 / parameters["steps"], 1, "a share of the steps, one at least")),
    }.get(parameters["api"], (0, 1, "a share of each range"))
    if not all(least <= degree <= most for degree in degrees):
        raise DoppelError(
            "methods.degree_out_of_range",
            f"degrees = {parameters['degrees']}: with api = {parameters['api']} each must be {what}",
            name="degrees",
            value=parameters["degrees"],
            remedy=f"write numbers from {least:g} to {most:g}",
        )


METHOD = Method(
    title="Private evolution of images",
    title_without_privacy="Private evolution of images without privacy",
    arm=EVOLVES,
    spends=EVOLVES,
    records="pictures",
    recipe=recipe,
    making=making,
    settings=(
        *MAKING, "target_epsilon", "for_release", "reserve", "copy_share", "encoder", "iterations", "schedule",
        "variants", "seed_factor", "keep_parents", "lookahead_degree", "k_nn", "vote_weights", "threshold",
        "selection", "degrees", "final", "samples",
    ),
    as_before={"copy_share": 0.0, "model_sha256": None},
    checks={EVOLVES: check_image_evolution},
    corpus_checks={EVOLVES: check_written},
    canaries="lib.methods.private_evolution.canaries:send",
    audit="lib.methods.private_evolution.audit:make_again",
    control_score="votes",
    own_control=True,
    model="api",
    colour="#3a6ea5",
)  # fmt: skip
