"""The entry of Aug-PE: its mechanism, what pre-flight refuses, and what a card says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError
from lib.generation.engines.names import check_engine, is_remote
from lib.methods.method import Method, model_words
from lib.methods.private_evolution.settings import Settings
from lib.methods.prompting.method import fitting_prompts
from lib.stage.notebook_roles import Parameters, check_input, check_inputs

if TYPE_CHECKING:
    from lib.privacy.accounting import Gaussian

EVOLVES = "12_aug_pe"
STARTS = ("11_generate", EVOLVES, "13_select")  # notebooks whose arms it can start from
PRICES = ("input", "output")


def recipe(parameters: Parameters, units: int, noise_multiplier: float) -> Gaussian:
    """Private evolution as the accountant sees it: ``iterations`` Gaussian releases (Lin et al. 2024; Xie et al. 2024).

    Unit: one record or one user. Neighbours: add or remove one unit. Sampler: none, every unit votes in every
    iteration. Each iteration releases a histogram of votes plus noise. One unit changes the histogram by at most
    sqrt(``k_nn``) votes in L2 norm (`lib.methods.private_evolution.voting.vote`); the noise has ``noise_multiplier``
    times that as its standard deviation.

    Args:
        parameters: of 12_aug_pe; ``iterations`` is read.
        units: n, the number of units; not used, because there is no sampling.
        noise_multiplier: standard deviation of the noise over the L2 sensitivity, above 0.

    Returns:
        The mechanism that `lib.methods.private_evolution.evolution.Evolution` runs.
    """
    from lib.privacy.accounting import Gaussian

    return Gaussian(noise_multiplier, count=parameters["iterations"])


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that evolved the records.
        spending: the same settings, since that stage drew the noise too.
        unit: ``record`` or ``user``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    began = "began with the texts of another arm" if "start" in arm["inputs"] else "wrote texts from labels alone"
    yield (
        f"By private evolution (Aug-PE): {model_words(arm['model'])} was never trained. It {began}; every private "
        f"record voted {arm['iterations']} times for the text most like it, as seen by {model_words(arm['encoder'])}; "
        "the noisy counts of votes alone selected texts, which the model then varied."
    )


def check_evolution(parameters: Parameters) -> None:
    """Refuse what cannot evolve before anything is paid.

    That are inputs besides a corpus and an arm to start from, an unknown engine, sizes that do not fit together, and an
    endpoint without a key, a region or a sampling parameter. Nothing is sent to an endpoint.

    Args:
        parameters: of 12_aug_pe, resolved.

    Raises:
        DoppelError: for the first of these.
    """
    inputs = dict(parameters["inputs"])
    if start := inputs.pop("start", None):
        check_input("start", start, STARTS, "arm that evolution can start from")
    check_inputs({"inputs": inputs}, "corpus")
    check_engine(parameters["engine"])
    Settings.of(parameters, None)
    model, base_url = str(parameters["model"]), parameters["base_url"]
    if base_url is not None and not is_remote(model):
        raise DoppelError(
            "methods.address_of_local_model",
            f"base_url: model = {model!r} is a local one",
            name="base_url",
            value=base_url,
            remedy="write openai:MODEL or bedrock:ID, or remove it",
        )
    if unknown := sorted(set(parameters["prices"]) - set(PRICES)):
        raise DoppelError(
            "methods.unknown_price",
            f"prices: {unknown[0]!r} is not a price",
            name="prices",
            value=unknown[0],
            remedy="the keys are input and output",
        )
    if is_remote(model):
        from lib.generation.endpoint.servers import check_server

        check_server(model, parameters)


def check_prompts(parameters: Parameters, corpus: Parameters) -> None:
    """Refuse a prompt file that is malformed, or does not fit the labels, the topics or the texts to be shown.

    Args:
        parameters: of 12_aug_pe; ``prompts`` is the path of the file.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: for the first of these.
    """
    from lib.generation import prompt_checks

    prompts = fitting_prompts(parameters, corpus)
    shown = [name for name in prompt_checks.SHOWN if parameters[f"{name}_shots"]]
    prompt_checks.check_shown(prompts, str(parameters["variation"]), shown)


METHOD = Method(
    title="Aug-PE",
    title_without_privacy="Aug-PE without privacy",
    arm=EVOLVES,
    spends=EVOLVES,
    recipe=recipe,
    making=making,
    settings=(
        "model", "target_epsilon", "copy_share", "for_release", "prompts", "encoder", "iterations", "variants",
        "seed_factor", "keep_parents", "lookahead_degree", "k_nn", "vote_weights", "threshold", "selection",
        "max_overlap", "good_shots", "bad_shots", "variation", "mask_probability", "samples", "temperature", "top_p",
        "top_k", "repetition_penalty", "max_new_tokens", "reserve",
    ),
    as_before={
        "reserve": 0.0, "copy_share": 0.0, "for_release": False, "vote_weights": "equal", "max_overlap": 1.0,
        "good_shots": 0, "bad_shots": 0,
    },
    checks={EVOLVES: check_evolution},
    corpus_checks={EVOLVES: check_prompts},
    files=("prompts",),
    canaries="lib.methods.private_evolution.canaries:send",
    audit="lib.methods.private_evolution.audit:make_again",
    control_score="votes",
    own_control=True,
    colour="#c77d1a",
)  # fmt: skip
