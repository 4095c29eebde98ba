"""The fields that are sent to a chat completions API, and those that are read from its reply."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import BaseModel, Field, NonNegativeInt, ValidationError

from lib.common.errors import DoppelError
from lib.generation.engines.base import Completion, Request, Sampling

# our name -> vLLM's, for parameters that OpenAI's API does not have
_VLLM_ONLY = {"top_k": "top_k", "min_new_tokens": "min_tokens", "repetition_penalty": "repetition_penalty"}
_PER_REQUEST = ("max_new_tokens", "seed")


class BrokenReply(Exception):
    """A reply with status 200 that is not a chat completion: not JSON, a proxy's web page, without choices."""


def sampling_fields(sampling: Sampling, name: str, *, hosted: bool) -> dict[str, Any]:
    """The client's keyword arguments for a sampling, without its lengths and seed.

    OpenAI and Azure get only values other than 1, their default: reasoning models accept nothing else. Other servers
    may have other defaults, so they always get temperature and top_p. Parameters that only vLLM has are sent when
    they are set (``vllm serve --generation-config vllm`` has the same neutral defaults as `Sampling`).

    Args:
        sampling: how tokens are drawn.
        name: the model's name for messages, ``openai:MODEL`` or ``azure:DEPLOYMENT``.
        hosted: whether the server is OpenAI's or Azure's.

    Raises:
        DoppelError: a parameter is set that the server does not have.
    """
    plain = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    extra = {}
    for field in fields(Sampling):
        value = getattr(sampling, field.name)
        if field.name in (*plain, *_PER_REQUEST) or value == field.default:
            continue
        if hosted or field.name not in _VLLM_ONLY:
            other_server = "a vLLM server or " if field.name in _VLLM_ONLY else ""
            raise DoppelError(
                "generation.sampling_unsupported",
                f"{field.name} = {value!r} has no counterpart at {name}",
                name=field.name,
                value=value,
                remedy=f"leave it at {field.default!r}, or use {other_server}a local model",
            )
        extra[_VLLM_ONLY[field.name]] = value
    return {key: given for key, given in plain.items() if given != 1} if hosted else plain | {"extra_body": extra}


def request_fields(request: Request, seed: int, *, hosted: bool) -> dict[str, Any]:
    """The client's keyword arguments for a request.

    Args:
        request: its messages and its limit.
        seed: of the reply's draws, in [0, 2**31).
        hosted: whether the server is OpenAI's or Azure's.
    """
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
    """The completion in a reply, and the number of tokens of its prompt.

    Args:
        body: the reply's body.

    Raises:
        BrokenReply: ``body`` is not a chat completion.
    """
    try:
        reply = _Reply.model_validate_json(body)
    except ValidationError:
        raise BrokenReply from None
    choice, usage = reply.choices[0], reply.usage or _Usage()
    refused = bool(choice.message.refusal) or choice.finish_reason == "content_filter"
    ended = choice.finish_reason == "stop"  # with "length", or a reason of the server's own, the reply is incomplete
    return Completion(choice.message.content or "", usage.completion_tokens, ended, refused), usage.prompt_tokens
