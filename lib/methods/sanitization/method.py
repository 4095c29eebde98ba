"""The entry of sanitized texts: what pre-flight refuses, and what a card says about them."""

from collections.abc import Iterator, Mapping

from lib.methods.method import Method, model_words

WRITES = "51_sanitize"
RECORDS, ARM = "records", "arm"  # names of the inputs whose texts it passes on


def making(arm: Mapping, spending: Mapping, unit: str) -> Iterator[str]:
    """Paragraphs of a card on how the records were made.

    Args:
        arm: the settings that the certificate lists of the stage that wrote the records.
        spending: the same settings; no stage drew noise.
        unit: ``record``, ``user`` or ``none``; not used.

    Returns:
        The paragraphs, in order, as Markdown.
    """
    by = {"rules": "rules that are the same for all texts", "model": model_words(arm["model"])}[arm["rewriter"]]
    yield (
        f"By sanitization: in each text some attributes were told less exactly or taken out, by {by} (Privasis, arXiv "
        "2602.03183). Each text was looked at by itself, and no private record was: post-processing, which costs no "
        "epsilon."
    )
    yield (
        "Sanitization by itself is no guarantee: what it overlooks stays in the text. Whatever guarantee there is, is "
        "that of the texts that were sanitized."
    )


METHOD = Method(
    title="Sanitized",
    arm=WRITES,
    needs_corpus=False,
    passes_on=(RECORDS, ARM),
    only_passes_on=True,
    making=making,
    settings=(
        "samples", "attributes", "target_weights", "chunk_characters", "rewriter", "passages", "model", "tries",
        "growth", "top_p", "top_k", "seed",
    ),
    checks={},
    corpus_checks={},
    model="rewriter",
    colour="#a63d57",
)  # fmt: skip
