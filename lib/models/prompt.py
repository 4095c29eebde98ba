"""The prompt that a record is trained or written under."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.models import templates


@dataclass(frozen=True)
class Prompt:
    """What stands before a record: a template filled from labels alone, never from text.

    ``chat`` wraps it as a user's message in the tokenizer's chat template. Raises DoppelError for a
    template that is not one, and for a placeholder that is no label.
    """

    template: str
    chat: bool = False

    def __post_init__(self) -> None:
        templates.label_fields(self.template)

    def text(self, labels: Mapping[str, str]) -> str:
        """The template with the labels filled in."""
        templates.check_labels(self.template, labels)
        return self.template.format_map(labels)

    def build(self, tokenizer: PreTrainedTokenizerBase, labels: Mapping[str, str]) -> list[int]:
        """Token ids of the prompt; a completion's ids follow them directly, in training and in generation."""
        text = self.text(labels)
        if not self.chat:
            # a label that spells out a special token stays plain characters; BOS is added where the model has one
            ids = tokenizer(text, split_special_tokens=True).input_ids
            return ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids
        if tokenizer.chat_template is None:
            raise DoppelError("this model's tokenizer has no chat template; set chat: false")
        message = [{"role": "user", "content": text}]
        return tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=False)

    @property
    def gap(self) -> str:
        """What a completion opens with: the space after a plain prompt that has none at its end."""
        return "" if self.chat or self.template[-1].isspace() else " "


class Encoded(NamedTuple):
    """A record as token ids. A completion that was cut has no EOS: the model must not learn to stop there."""

    prompt: list[int]
    completion: list[int]
    truncated: bool


def encode(
    tokenizer: PreTrainedTokenizerBase, prompt: Prompt, record_text: str, labels: Mapping[str, str], max_tokens: int
) -> Encoded:
    """Prompt and completion of one record; ``max_tokens`` bounds the completion, its EOS counted."""
    ids = tokenizer(prompt.gap + record_text, add_special_tokens=False, split_special_tokens=True).input_ids
    ids = [*ids, tokenizer.eos_token_id]
    return Encoded(prompt.build(tokenizer, labels), ids[:max_tokens], len(ids) > max_tokens)
