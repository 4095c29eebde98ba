"""The fields that are sent to a chat completions API, and those that are read from its reply."""

from dataclasses import fields
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from lib.common.errors import DoppelError
from lib.generation.endpoint.answer import Answer, BrokenReply, count, interpret
from lib.generation.engines.base import Request, Sampling

# our name -> vLLM's, for parameters that OpenAI's API does not have
_VLLM_ONLY = {"top_k": "top_k", "min_new_tokens": "min_tokens", "repetition_penalty": "repetition_penalty"}
_PER_REQUEST = ("max_new_tokens", "seed")
LENGTH_FIELDS = ("max_tokens", "max_completion_tokens")  # the second is OpenAI's name of today


def sampling_fields(sampling: Sampling, name: str, *, hosted: bool) -> dict[str, Any]:
    """The client's keyword arguments for a sampling, without its lengths and seed.

    OpenAI and Azure get only values other than 1, their default: reasoning models accept nothing else. Other servers
    may have other defaults, so they always get temperature and top_p. Parameters that only vLLM has are sent when
    they are set (``vllm serve --generation-config vllm`` has the same neutral defaults as `Sampling`).

    Args:
        sampling: how tokens are drawn.
        name: the model's name for messages, ``openai:MODEL`` say.
        hosted: whether the server is OpenAI's, Azure's or Bedrock's.

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


def length_field(choice: str, *, hosted: bool) -> str:
    """Name of the field that limits a reply.

    Args:
        choice: one of `LENGTH_FIELDS`, or ``auto``: what OpenAI and Azure take today, what other servers have long had.
        hosted: whether the server is OpenAI's or Azure's.

    Raises:
        DoppelError: ``choice`` is none of these.
    """
    if choice not in ("auto", *LENGTH_FIELDS):
        raise DoppelError(
            "generation.length_parameter_unknown",
            f"length_parameter = {choice!r} must be auto or one of {', '.join(LENGTH_FIELDS)}",
            name="length_parameter",
            value=choice,
        )
    return LENGTH_FIELDS[hosted] if choice == "auto" else choice


def request_fields(request: Request, seed: int | None, limit: str) -> dict[str, Any]:
    """The client's keyword arguments for a request.

    Args:
        request: its messages and its limit.
        seed: of the reply's draws, in [0, 2**31); None sends none.
        limit: name of the field that limits the reply, one of `LENGTH_FIELDS`.
    """
    messages = [{"role": role, "content": content} for role, content in request.messages]
    return {"messages": messages, limit: request.max_new_tokens} | ({} if seed is None else {"seed": seed})


class _Message(BaseModel):
    content: str | list[Any] | None = None
    refusal: Any = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: Any = None


class _Reply(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: Any = None


def read_reply(body: bytes, limit: int) -> Answer:
    """The completion in a reply, see `lib.generation.endpoint.answer.interpret`.

    Args:
        body: the reply's body.
        limit: longest reply in tokens, as it was asked for.

    Raises:
        BrokenReply: ``body`` is not a chat completion.
    """
    try:
        reply = _Reply.model_validate_json(body)
    except ValidationError:
        raise BrokenReply from None
    message = reply.choices[0].message
    text, declined = _text(message.content)
    return interpret(
        text,
        reply.choices[0].finish_reason,
        limit,
        tokens=count(reply.usage, "completion_tokens"),
        prompt_tokens=count(reply.usage, "prompt_tokens"),
        declined=bool(message.refusal) or declined,
    )


def _text(content: str | list[Any] | None) -> tuple[str, bool]:
    """The text of a message, and whether one of its parts is a refusal. Parts that are no text are left out."""
    if not isinstance(content, list):
        return content or "", False
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    kinds = [(part.get("type"), part.get("text")) for part in parts if isinstance(part, dict)]
    texts = [text for kind, text in kinds if kind in ("text", "output_text") and isinstance(text, str)]
    return "".join(texts), any(kind == "refusal" for kind, _ in kinds)
