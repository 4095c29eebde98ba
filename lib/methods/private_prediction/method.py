"""The entry of private prediction: its mechanism, what pre-flight refuses, and what a card says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError
from lib.generation.engines.names import check_local
from lib.methods.method import Method, model_words
from lib.methods.prompting.method import check_asked_by_file, fitting_prompts
from lib.stage.notebook_roles import Parameters, check_inputs

if TYPE_CHECKING:
    from lib.privacy.accounting import Exponential

PREDICTS = "14_private_prediction"


def recipe(parameters: Parameters, units: int, noise_multiplier: float) -> Exponential:
    """Private prediction as the accountant sees it: ``max_new_tokens`` releases by the exponential mechanism.

    InvisibleInk (Vinod, Pillutla & Thakurta 2025, arXiv:2507.02974). Unit: one record or one user. Neighbours: add or
    remove one unit. Sampler: none; every unit is in one batch, which follows from the unit itself, and is behind one
    text at most (`lib.methods.private_prediction.batches`). A unit changes a score by at most C / B
    (`lib.methods.private_prediction.next_token`); the temperature is ``noise_multiplier`` times that. Each token is
    chosen by those before it, and the bound that is used holds for such choices (`lib.privacy.exponential`).

    Args:
        parameters: of 14_private_prediction; ``max_new_tokens``, ``samples`` and ``expected_batch`` are read.
        units: n, the number of units; treated as public.
        noise_multiplier: temperature over the most that one unit changes a score, above 0.

    Returns:
        The mechanism that `lib.methods.private_prediction.prediction.Prediction` runs.

    Raises:
        DoppelError: there are not enough units for so many texts.
    """
    from lib.privacy.accounting import Exponential

    check_room(parameters["samples"], units, parameters["expected_batch"])
    return Exponential(noise_multiplier, parameters["max_new_tokens"])


def check_room(samples: int, units: int, expected_batch: float) -> None:
    """Refuse more texts than there are batches.

    Args:
        samples: texts wanted.
        units: n, the number of units.
        expected_batch: B, units of a batch on average.

    Raises:
        DoppelError: ``samples`` times ``expected_batch`` is more than ``units``.
    """
    if samples * expected_batch > units:
        raise DoppelError(
            "methods.too_few_units",
            f"samples = {samples} texts from batches of {expected_batch:g} need {samples * expected_batch:,.0f} units, "
            f"and the corpus has {units:,}: no unit may be behind two texts",
            name="samples",
            value=samples,
            remedy=f"write at most {int(units / expected_batch):,} texts, or lower expected_batch",
        )


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that wrote the records.
        spending: the same settings, since that stage drew the tokens too.
        unit: ``record`` or ``user``.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    yield (
        f"By private prediction: {model_words(arm['model'])} was never trained. It read some {arm['expected_batch']:g} "
        f"private {unit}s beside each text, as examples. What they changed in its scores of the next token was clipped "
        f"{unit} by {unit} and averaged, and the token was drawn at random by these scores, up to "
        f"{arm['max_new_tokens']} times. No {unit} stood beside two texts."
    )
    answered = "A private example stood there as the answer to the request, which then came once more."
    if arm.get("prompts") is not None:
        yield f"The model was asked in many ways, which `{arm['prompts']}` lists; each text's were drawn. {answered}"
    elif arm["prompt_with_record"] is not None:
        yield f"The request: `{arm['prompt']}`, and with an example: `{arm['prompt_with_record']}`"
    else:
        yield f"The request: `{arm['prompt']}`. {answered}"


def check_prediction(parameters: Parameters) -> None:
    """Refuse what cannot be written before anything is loaded.

    Args:
        parameters: of 14_private_prediction, resolved.

    Raises:
        DoppelError: other inputs than a corpus, a model behind an endpoint, which would be sent private records, or
            templates that cannot be filled, or templates beside a prompt file.
    """
    from lib.methods.private_prediction import templates
    from lib.models.templates import label_fields

    check_inputs(parameters, "corpus")
    check_local(str(parameters["model"]))
    if parameters["prompts"] is not None:
        check_asked_by_file(parameters)
        return
    if parameters["prompt"] is None:
        raise DoppelError(
            "methods.no_prompt",
            "a prompt must be set, or prompts, the path of a prompt file",
            name="prompt",
            remedy="set one of them",
        )
    if parameters["prompt_with_record"] is not None:
        templates.check(str(parameters["prompt"]), str(parameters["prompt_with_record"]))
    else:
        label_fields(str(parameters["prompt"]))


def check_with_corpus(parameters: Parameters, corpus: Parameters) -> None:
    """Refuse requests with a label that the records do not have, or without the topics that they have.

    Args:
        parameters: of 14_private_prediction.
        corpus: parameters of its corpus stage.

    Raises:
        DoppelError: for the first of these; and for labels from a catalogue, by which no batch can be made.
    """
    from lib.data import labels
    from lib.data.records import CATALOGUE
    from lib.methods.private_prediction.templates import TEXT
    from lib.models import templates

    domain = labels.declared(corpus)
    if drawn := [name for name, values in domain.items() if values == CATALOGUE]:
        raise DoppelError(
            "methods.catalogue_label",
            f"label {drawn[0]!r} comes from a catalogue: records are put into batches by their labels, and there would "
            "be a batch for each row of it",
            name=drawn[0],
            remedy="leave it out of label_domain",
        )
    if parameters["prompts"] is not None:
        fitting_prompts(parameters, corpus)
        return
    for name in [name for name in ("prompt", "prompt_with_record") if parameters[name] is not None]:
        template = str(parameters[name]).replace(TEXT, "text")
        templates.check_labels(template, domain)
        if corpus.get("topics") is not None:
            templates.check_topic(templates.label_fields(template))


METHOD = Method(
    title="Private prediction",
    title_without_privacy="prediction without privacy",
    arm=PREDICTS,
    spends=PREDICTS,
    recipe=recipe,
    making=making,
    settings=(
        "model", "prompt", "prompt_with_record", "prompts", "chat", "max_record_tokens", "target_epsilon", "reserve",
        "copy_share", "for_release", "expected_batch", "samples", "temperature", "top_k", "top_k_margin",
        "max_new_tokens", "one_line", "unfinished",
    ),
    as_before={"prompts": None},
    checks={PREDICTS: check_prediction},
    corpus_checks={PREDICTS: check_with_corpus},
    files=("prompts",),
    canaries="lib.methods.private_prediction.canaries:send",
    audit="lib.methods.private_prediction.audit:make_again",
    control_score="tokens",
    own_control=True,
    colour="#c2527f",
)  # fmt: skip
