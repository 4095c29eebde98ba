"""A local model asked by messages, like a model behind an endpoint (`lib.generation.endpoint.endpoint`)."""

from collections.abc import Iterator, Sequence

from lib.common.errors import DoppelError
from lib.generation.engines.base import Completion, Engine, Request, Sampling, Usage


class LocalChat:
    """An engine that answers messages.

    Args:
        chat: wrap the messages in the tokenizer's chat template; None does so where it has one. Without it the
            messages' contents are joined by line breaks, and the model writes what follows.
    """

    def __init__(self, engine: Engine, chat: bool | None = None):
        has_template = engine.tokenizer.chat_template is not None
        if chat and not has_template:
            raise DoppelError("this model's tokenizer has no chat template; set chat: false, or null")
        self.engine, self.chat = engine, has_template if chat is None else chat
        self.name = engine.name
        self.usage = Usage()

    def reply(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        prompts = [self._ids(request) for request in requests]
        limits = [request.max_new_tokens for request in requests]
        for prompt, limit in zip(prompts, limits, strict=True):
            if len(prompt) + limit > self.engine.tokenizer.model_max_length:
                raise DoppelError(
                    f"a prompt of {len(prompt)} tokens and a reply of {limit} exceed the model's "
                    f"{self.engine.tokenizer.model_max_length}; shorten the prompts, or lower max_new_tokens"
                )
        for position, completion in self.engine.complete(prompts, sampling, limits):
            self.usage.requests += 1
            self.usage.prompt_tokens += len(prompts[position])
            self.usage.completion_tokens += completion.tokens
            yield position, completion

    def _ids(self, request: Request) -> list[int]:
        tokenizer = self.engine.tokenizer
        if self.chat:
            messages = [{"role": role, "content": content} for role, content in request.messages]
            return tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        text = "\n".join(content for _, content in request.messages)
        # what a synthetic text spells out stays plain characters; BOS is added where the model has one
        ids = tokenizer(text, split_special_tokens=True).input_ids
        return ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids
