"""The prompt in front of a record, and a record as token ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.models import templates

Chat = bool | Literal["bare"]


@dataclass(frozen=True)
class Prompt:
    """The prompt in front of every record: a template that is filled from labels alone, never from text.

    Attributes:
        template: text with a {label} where a label belongs (`lib.models.templates.label_fields`).
        chat: whether the text is wrapped as a user's message in the tokenizer's chat template. "bare": without the
            system message that some templates put in front of their own accord, which costs tokens in every record.

    Raises:
        DoppelError: ``template`` is empty or malformed, or a placeholder is {text}.
    """

    template: str
    chat: Chat = False

    def __post_init__(self) -> None:
        templates.label_fields(self.template)

    def text(self, labels: Mapping[str, str]) -> str:
        """The template filled in from ``labels`` (name -> value); labels that it does not name are ignored.

        Raises:
            DoppelError: a placeholder is not among ``labels``.
        """
        templates.check_labels(self.template, labels)
        return self.template.format_map(labels)

    def build(self, tokenizer: PreTrainedTokenizerBase, labels: Mapping[str, str]) -> list[int]:
        """Token ids of the prompt. A completion's ids follow them directly, in training and in generation.

        Args:
            tokenizer: the model's own.
            labels: name -> value, as `text` takes them.

        Returns:
            The ids: with BOS where the tokenizer adds it, and without EOS.

        Raises:
            DoppelError: a placeholder is not among ``labels``, no token is left, or ``chat`` is set and the tokenizer
                has no template.
        """
        text = self.text(labels)
        if not self.chat:
            # a label that spells out a special token stays plain characters; BOS is added where the model has one
            ids = tokenizer(text, split_special_tokens=True).input_ids
            ids = ids[:-1] if ids[-1:] == [tokenizer.eos_token_id] else ids
            if not ids:  # from what would the first token of the completion be predicted?
                raise DoppelError(
                    "models.prompt_empty",
                    "the prompt has no token once its labels are filled in",
                    name="prompt",
                    value=self.template,
                    remedy="write a word beside the placeholders, or give the label a value",
                )
            return ids
        if tokenizer.chat_template is None:
            raise DoppelError(
                "models.chat_template_missing",
                "this model's tokenizer has no chat template",
                name="chat",
                value=self.chat,
                remedy="set chat: false",
            )
        return chat_ids(tokenizer, [("user", text)], self.chat)

    def unlabelled(self, template: str | None = None) -> "Prompt":
        """The same prompt for no label in particular.

        Args:
            template: what it says; None takes the labels out of this prompt (`lib.models.templates.unlabelled`).

        Raises:
            DoppelError: this prompt has no label, ``template`` has one, or no word is left.
        """
        return Prompt(templates.unlabelled(self.template, template), self.chat)

    @property
    def gap(self) -> str:
        """What a completion starts with: a space, where the prompt is plain text that does not end in white space."""
        return "" if self.chat or self.template[-1].isspace() else " "


def chat_ids(tokenizer: PreTrainedTokenizerBase, messages: Sequence[tuple[str, str]], chat: Chat) -> list[int]:
    """Token ids of messages in a tokenizer's chat template, up to where the model answers.

    Args:
        tokenizer: the model's own, with a chat template.
        messages: pairs of role (system, user, assistant) and content.
        chat: True, or "bare" as `Prompt` has it, for messages without one of the system.
    """
    turns = [{"role": role, "content": content} for role, content in messages]
    whole = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
    return _without_system(tokenizer, turns, whole) if chat == "bare" else whole


def _without_system(tokenizer: PreTrainedTokenizerBase, turns: list[dict], whole: list[int]) -> list[int]:
    """The given messages alone: ``whole`` itself, where the template puts no system message of its own in front.

    A template opens with its own system message where none is given. So an empty one is given, and its ids are cut off
    the front; BOS stays where the tokenizer adds it.
    """
    system = [{"role": "system", "content": ""}]
    try:
        head = tokenizer.apply_chat_template(system, return_dict=False)
        ids = tokenizer.apply_chat_template(system + turns, add_generation_prompt=True, return_dict=False)
    except TemplateError:  # the template knows no system message
        return whole
    bos = tokenizer("a").input_ids[:1]
    bare = [*(bos if bos == [tokenizer.bos_token_id] else []), *ids[len(head) :]]
    return bare if ids[: len(head)] == head and len(bare) < len(whole) else whole


class Encoded(NamedTuple):
    """A record as token ids.

    Attributes:
        prompt: ids of the prompt.
        completion: ids of the record's text and EOS. A completion that was cut off has no EOS, so that the model does
            not learn to stop there.
        truncated: whether the completion was cut off.
    """

    prompt: list[int]
    completion: list[int]
    truncated: bool


def encode(
    tokenizer: PreTrainedTokenizerBase, prompt: Prompt, record_text: str, labels: Mapping[str, str], max_tokens: int
) -> Encoded:
    """Token ids of one record. A special token that is spelled out in its text stays plain characters.

    Args:
        tokenizer: the model's own, with an EOS token.
        prompt: the prompt in front of the record.
        record_text: the record's text, which becomes the completion; may be private, and so may the result.
        labels: the record's labels, name -> value.
        max_tokens: the most tokens of the completion, EOS counted; at least 1.

    Returns:
        Ids of prompt and completion, and whether the completion was cut off.

    Raises:
        DoppelError: as `Prompt.build` does.
    """
    ids = tokenizer(prompt.gap + record_text, add_special_tokens=False, split_special_tokens=True).input_ids
    ids = [*ids, tokenizer.eos_token_id]
    return Encoded(prompt.build(tokenizer, labels), ids[:max_tokens], len(ids) > max_tokens)
