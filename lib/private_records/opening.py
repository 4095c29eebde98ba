"""Opens what records are written with: the author, the model that it asks, and the encoder of texts."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from lib.generation.engines.base import ChatModel, Sampling
from lib.generation.generate import chat_settings, open_chat
from lib.models.encoders import open_encoder
from lib.pii.detectors.rules import Rules
from lib.private_records.author import Author
from lib.private_records.grammar_author import GrammarAuthor, event_titles
from lib.private_records.model_author import ModelAuthor
from lib.private_records.pipeline import Embed
from lib.private_records.prompting import Prompts

Parameters = Mapping[str, object]

KEPT = 2**14  # embeddings; variants of a recipe share their drafts


def author(parameters: Parameters) -> Author:
    """Who writes.

    Args:
        parameters: of 50_private_records, checked.
    """
    if parameters["author"] == "grammar":
        return GrammarAuthor()
    prompts = Prompts(Path(parameters["prompts"]))
    return ModelAuthor(prompts, event_titles(), parameters["tries"], parameters["min_words"], Rules("en_US"))


def model(parameters: Parameters) -> ChatModel | None:
    """The model that the author asks; None where it asks none.

    Args:
        parameters: of 50_private_records, checked.
    """
    if parameters["author"] == "grammar":
        return None
    return open_chat(parameters["model"], **chat_settings(parameters))


def embedder(parameters: Parameters) -> Embed:
    """Embeds one text at a time: in a batch, the others could change its last digits. Texts seen lately are kept.

    Args:
        parameters: of 50_private_records, checked.
    """
    encoder = open_encoder(parameters["embedding"], device=parameters["embedding_device"], batch_size=1)
    return lru_cache(KEPT)(lambda text: encoder.encode([text])[0])


def means(parameters: Parameters) -> dict[str, object]:
    """What `lib.private_records.writing.write_set` writes with: author, model, sampling, encoder, size of the history.

    Args:
        parameters: of 50_private_records, checked.
    """
    return {
        "author": author(parameters),
        "model": model(parameters),
        "sampling": Sampling.of(parameters),
        "embed": embedder(parameters),
        "window": parameters["novelty_window"],
        "sample": parameters["novelty_sample"],
        "block": parameters["block"],
    }
