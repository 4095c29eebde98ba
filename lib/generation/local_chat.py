"""A local model that answers messages, with the interface of `lib.generation.endpoint.endpoint`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.generation.engines.base import Completion, Engine, Request, Sampling, Usage
from lib.generation.reasoning import opening_tag
from lib.models.prompt import Chat, chat_ids

_TAIL = 32  # tokens at the end of a prompt among which its template may open the reasoning


class LocalChat:
    """A ChatModel over an engine.

    Args:
        engine: the model.
        chat: True wraps the messages in the tokenizer's chat template; False joins their contents by line breaks and
            the model continues; None uses the template where there is one.

    Raises:
        DoppelError: ``chat`` is True and the tokenizer has no chat template.
    """

    def __init__(self, engine: Engine, chat: bool | None = None):
        self.engine, self.chat = engine, uses_template(engine.tokenizer, chat)
        self.name = engine.name
        self.usage = Usage()

    def reply(
        self, requests: Sequence[Request], sampling: Sampling, failed: dict[int, str] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        """Answer ``requests`` with ``sampling``, see `lib.generation.engines.base.ChatModel`.

        A tag by which the chat template opens the reasoning is part of the reply, so that a reply that was cut off
        before its answer is known as one.

        Raises:
            DoppelError: a prompt and its reply would exceed the model's context and ``failed`` is None; nothing is
                drawn then.
        """
        prompts = [prompt_ids(self.engine.tokenizer, request.messages, chat=self.chat) for request in requests]
        context = self.engine.tokenizer.model_max_length
        long = [i for i, prompt in enumerate(prompts) if len(prompt) + requests[i].max_new_tokens > context]
        for position in long:
            length, limit = len(prompts[position]), requests[position].max_new_tokens
            sentence = f"a prompt of {length} tokens and a reply of {limit} exceed the model's {context}"
            if failed is None:
                raise DoppelError(
                    "generation.prompt_too_long",
                    sentence,
                    name="max_new_tokens",
                    value=limit,
                    remedy="shorten the prompts, or lower max_new_tokens",
                )
            failed[position] = sentence
        asked = [i for i in range(len(requests)) if i not in set(long)]
        limits = [requests[i].max_new_tokens for i in asked]
        for place, completion in self.engine.complete([prompts[i] for i in asked], sampling, limits):
            position = asked[place]
            self.usage.requests += 1
            self.usage.prompt_tokens += len(prompts[position])
            self.usage.completion_tokens += completion.tokens
            tag = opening_tag(self.engine.tokenizer.decode(prompts[position][-_TAIL:])) if self.chat else ""
            yield position, replace(completion, text=tag + completion.text)


def uses_template(tokenizer: PreTrainedTokenizerBase, chat: bool | None) -> bool:
    """Whether messages are wrapped in a tokenizer's chat template.

    Args:
        tokenizer: the model's own.
        chat: as `LocalChat` takes it.

    Raises:
        DoppelError: ``chat`` is True and the tokenizer has no chat template.
    """
    has_template = tokenizer.chat_template is not None
    if chat and not has_template:
        raise DoppelError(
            "generation.no_chat_template",
            "this model's tokenizer has no chat template",
            name="chat",
            value=chat,
            remedy="set chat: false, or null",
        )
    return has_template if chat is None else chat


def prompt_ids(tokenizer: PreTrainedTokenizerBase, messages: Sequence[tuple[str, str]], *, chat: Chat) -> list[int]:
    """Token ids of messages, up to where the model answers.

    Args:
        tokenizer: the model's own.
        messages: pairs of role (system, user, assistant) and content.
        chat: whether they are wrapped in the tokenizer's chat template, which it must have
            (`lib.models.prompt.chat_ids`); else their contents are joined by line breaks, and the model continues.
    """
    if chat:
        return chat_ids(tokenizer, messages, chat)
    text = "\n".join(content for _, content in messages)
    # Special tokens spelled out in a synthetic text stay plain characters. BOS is added where the model has one.
    ids = tokenizer(text, split_special_tokens=True).input_ids
    return ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids
