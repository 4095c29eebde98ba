"""What is sent to a chat completions API, and what is read out of its reply."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import BaseModel, Field, NonNegativeInt, ValidationError

from lib.common.errors import DoppelError
from lib.generation.engines.base import Completion, Request, Sampling

# Ours -> vLLM's, which OpenAI's API does not know
_EXTRA = {"top_k": "top_k", "min_new_tokens": "min_tokens", "repetition_penalty": "repetition_penalty"}
_ELSEWHERE = ("max_new_tokens", "seed")  # each request has its own


class BrokenReply(Exception):
    """A reply of status 200 that is no chat completion: no JSON, a page of a proxy, no choices."""


def sampling_fields(sampling: Sampling, name: str, *, hosted: bool) -> dict[str, Any]:
    """The keyword arguments of the client for a sampling, its lengths and its seed left out.

    To OpenAI and Azure goes only what differs from 1, their default: reasoning models take nothing else. Other servers
    may have defaults of their own and are told temperature and top_p always; what ``_EXTRA`` names is sent when set,
    for not every server knows it (``vllm serve --generation-config vllm`` has the same neutral defaults as here).

    Raises:
        DoppelError: a parameter is set that the server does not have.
    """
    plain = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    extra = {}
    for field in fields(Sampling):
        value = getattr(sampling, field.name)
        if field.name in (*plain, *_ELSEWHERE) or value == field.default:
            continue
        if hosted or field.name not in _EXTRA:
            raise DoppelError(
                f"{field.name} = {value!r} has no counterpart at {name}; leave it at {field.default!r}, "
                f"or use {'a vLLM server or ' if field.name in _EXTRA else ''}a local model"
            )
        extra[_EXTRA[field.name]] = value
    return {k: v for k, v in plain.items() if v != 1} if hosted else plain | {"extra_body": extra}


def request_fields(request: Request, seed: int, *, hosted: bool) -> dict[str, Any]:
    """The keyword arguments of the client for one request."""
    limit = "max_completion_tokens" if hosted else "max_tokens"
    messages = [{"role": role, "content": content} for role, content in request.messages]
    return {"messages": messages, limit: request.max_new_tokens, "seed": seed}


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str


class _Usage(BaseModel):
    prompt_tokens: NonNegativeInt = 0
    completion_tokens: NonNegativeInt = 0


class _Reply(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: _Usage | None = None


def read_reply(body: bytes) -> tuple[Completion, int]:
    """The completion in a reply, and the tokens of its prompt. Raises BrokenReply."""
    try:
        reply = _Reply.model_validate_json(body)
    except ValidationError:
        raise BrokenReply from None
    choice, usage = reply.choices[0], reply.usage or _Usage()
    refused = bool(choice.message.refusal) or choice.finish_reason == "content_filter"
    ended = choice.finish_reason == "stop"  # "length", or a server's own word, is half a reply
    return Completion(choice.message.content or "", usage.completion_tokens, ended, refused), usage.prompt_tokens
