"""The entry of labelled PII text: what pre-flight refuses, and what a card says about it."""

from collections.abc import Iterator, Mapping

from lib.common.errors import DoppelError
from lib.methods.method import Method, model_words
from lib.stage.notebook_roles import Parameters

WRITES = "40_pii_text"
ARM = "arm"  # name of the one input that the notebook may have


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that wrote the records.
        spending: the same settings; no stage drew noise.
        unit: ``record``, ``user`` or ``none``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    asked = "wrote texts with places for personal data, from a field, a style, names of classes and a public example."
    yield {
        "grammar": "By a grammar: public templates with places for personal data were put together at random.",
        "model": f"By prompting: {model_words(arm['model'])} {asked}",
        "batch": f"By a batch job: {model_words(arm['model'])} {asked}",
        "arm": "From the texts of another arm that have places for personal data. Each was looked at by itself, and no "
        "private record was: post-processing, which costs no epsilon.",
    }[arm["writer"]]
    owner = {
        "plausible": "A value may by chance be that of somebody.",
        "reserved": "They come from ranges that are set aside for documentation, where there are such.",
    }[arm["values"]]
    yield (
        "The places were then filled with made-up persons and values, whose parts agree with each other: no value was "
        f"taken from anywhere. {owner}"
    )


def check_writer(parameters: Parameters) -> None:
    """Refuse inputs and a model that do not fit the writer.

    Args:
        parameters: of 40_pii_text, resolved.

    Raises:
        DoppelError: ``methods.no_slot_texts``, ``methods.unread_input``, ``methods.no_writing_model`` or
            ``methods.unread_model``.
    """
    inputs, writer, model = parameters["inputs"], parameters["writer"], parameters["model"]
    if writer == ARM and ARM not in inputs:
        raise DoppelError(
            "methods.no_slot_texts",
            "writer: arm takes the texts of an input, and inputs: names none",
            name="inputs",
            remedy="write inputs: {arm: STAGE}",
        )
    if unread := [name for name in inputs if writer != ARM or name != ARM]:
        raise DoppelError(
            "methods.unread_input",
            f"inputs: {unread[0]}: writer: {writer} does not read it",
            name=unread[0],
            value=inputs[unread[0]],
            remedy="remove it, or set writer: arm and call the input arm",
        )
    if writer in ("model", "batch") and model is None:
        raise DoppelError("methods.no_writing_model", f"writer: {writer} needs a model", name="model", remedy="name it")
    if writer not in ("model", "batch") and model is not None:
        raise DoppelError(
            "methods.unread_model",
            f"writer: {writer} asks no model",
            name="model",
            value=model,
            remedy="set model: null, or writer: model",
        )


METHOD = Method(
    title="PII text",
    arm=WRITES,
    needs_corpus=False,
    passes_on=(ARM,),
    labels=True,
    making=making,
    settings=(
        "writer", "model", "samples", "mode", "fields", "styles", "locales", "values", "reference", "negatives",
        "messy", "temperature", "top_p", "top_k", "max_new_tokens", "seed",
    ),
    checks={WRITES: check_writer},
    corpus_checks={},
    model="writer",
    colour="#b5651d",
)  # fmt: skip
