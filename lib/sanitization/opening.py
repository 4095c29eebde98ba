"""Opens what a stage of 51_sanitize works with: the model that is asked, and who guesses from its texts."""

from collections.abc import Mapping, Sequence

from lib.generation.engines.base import ChatModel
from lib.sanitization.closeness import WORDS, Words, by_embedding
from lib.sanitization.guesses import Guesser, ModelGuesser
from lib.sanitization.rule_guesser import RuleGuesser, values_of
from lib.sanitization.schema import Sanitized
from lib.sanitization.settings import asks_model

Parameters = Mapping[str, object]


def model(parameters: Parameters) -> ChatModel | None:
    """The model that is asked; None where no step asks one.

    Args:
        parameters: of 51_sanitize, checked.
    """
    if not asks_model(parameters):
        return None
    from lib.generation.generate import chat_settings, open_chat

    return open_chat(parameters["model"], **chat_settings(parameters))


def guesser(parameters: Parameters, records: Sequence[Sanitized]) -> Guesser:
    """Who guesses: the model, or rules that know which values the attributes of these records have.

    Args:
        parameters: of 51_sanitize, checked.
        records: that are checked.
    """
    if parameters["guesser"] == "model":
        return ModelGuesser(str(parameters["model"]), parameters["tries"])
    return RuleGuesser(values_of(records), parameters["locale"])


def likeness(parameters: Parameters) -> Words:
    """When a guess in words is near: by shared words, or by an encoder.

    Args:
        parameters: of 51_sanitize, checked.
    """
    if parameters["encoder"] is None:
        return WORDS
    from lib.models.encoders import open_encoder

    return Words(by_embedding(open_encoder(parameters["encoder"], device=parameters["device"])), parameters["alike"])
