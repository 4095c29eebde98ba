"""The entry of private records: what pre-flight refuses, and what a card says about them."""

from collections.abc import Iterator, Mapping

from lib.common.errors import DoppelError
from lib.methods.method import Method, model_words
from lib.stage.notebook_roles import Parameters

WRITES = "50_private_records"


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that wrote the records.
        spending: the same settings; no stage drew noise.
        unit: ``record``, ``user`` or ``none``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    persons = "Persons were drawn from public lists."
    if arm["seeds"] is not None:
        persons = "Persons were drawn from a table that its user declared to be public."
    yield {
        "grammar": f"{persons} A grammar drew what happened to each, a kind of text and a layout from public lists, "
        "and put public phrases together.",
        "model": f"{persons} {model_words(arm['model'])} invented what happened to each from a public list of events, "
        "chose a kind of text, and wrote it (Privasis, arXiv 2602.03183).",
    }[arm["author"]]
    if arm["revisions"]:
        rounds = f"{arm['revisions']} time{'' if arm['revisions'] == 1 else 's'}"
        judged = "whether it was preferred to the one before it"
        if arm["diversity_term"]:
            judged += " and how much more varied it made the set"
        yield f"Each text was revised {rounds}, and a version was kept or not by {judged}."
    yield (
        "Nobody in these texts is real. What names or reaches a person was written as a slot and filled with made-up "
        "values, whose places `labelled.jsonl` has; a value may by chance be that of somebody."
    )


def check_author(parameters: Parameters) -> None:
    """Refuse inputs, and a model that nobody asks.

    Args:
        parameters: of 50_private_records, resolved.

    Raises:
        DoppelError: ``methods.takes_no_input`` or ``methods.unread_model``.
    """
    inputs, author, model = parameters["inputs"], parameters["author"], parameters["model"]
    if inputs:
        raise DoppelError(
            "methods.takes_no_input",
            f"inputs: {min(inputs)}: this notebook reads no other stage",
            name=min(inputs),
            value=inputs[min(inputs)],
            remedy="write inputs: {}",
        )
    if author != "model" and model is not None:
        raise DoppelError(
            "methods.unread_model",
            f"author: {author} asks no model",
            name="model",
            value=model,
            remedy="set model: null, or author: model",
        )


METHOD = Method(
    title="Private records",
    arm=WRITES,
    needs_corpus=False,
    labels=True,
    making=making,
    settings=(
        "author", "model", "seeds", "samples", "events", "countries", "values", "revisions", "type_and_format",
        "acceptance", "diversity_term", "min_words", "tries", "block", "top_p", "top_k", "seed",
    ),
    checks={WRITES: check_author},
    corpus_checks={},
    model="author",
    colour="#3d7a4f",
)  # fmt: skip
