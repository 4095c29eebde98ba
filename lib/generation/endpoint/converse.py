"""What Amazon Bedrock's Converse API is sent, and what is read from its replies: one by one, or from a batch.

The shapes are those of botocore's service model of bedrock-runtime (operation Converse).
"""

from typing import Any

from pydantic import BaseModel, ValidationError

from lib.common.errors import DoppelError
from lib.generation.endpoint.answer import Answer, BrokenReply, count, interpret
from lib.generation.endpoint.wire_format import sampling_fields
from lib.generation.engines.base import Request, Sampling


def inference_fields(sampling: Sampling, name: str) -> dict[str, float]:
    """Converse's ``inferenceConfig`` for a sampling, without the limit. It has no seed: a repeated request is redrawn.

    Models have defaults of their own (Nova's temperature is .7), so both values are always sent; but Anthropic's,
    whose defaults are 1, get only values other than 1: the newer ones accept no two at once.

    Args:
        sampling: how tokens are drawn.
        name: the model's name, ``bedrock:ID``.

    Raises:
        DoppelError: a parameter is set that Converse does not have, or the temperature is above its highest, 1.
    """
    other_than_1 = sampling_fields(sampling, name, hosted=True)
    if sampling.temperature > 1:
        raise DoppelError(
            "generation.temperature_too_high",
            f"temperature = {sampling.temperature:g} must be in [0, 1] at {name}",
            name="temperature",
            value=sampling.temperature,
            remedy="lower it, or use another model",
        )
    given = other_than_1 if "anthropic." in name else {"temperature": sampling.temperature, "top_p": sampling.top_p}
    return {{"temperature": "temperature", "top_p": "topP"}[field]: value for field, value in given.items()}


def request_body(request: Request, fields: dict[str, float]) -> dict[str, Any]:
    """A Converse request without its model.

    Args:
        request: its messages and its limit.
        fields: of `inference_fields`.
    """
    spoken = [{"role": role, "content": [{"text": text}]} for role, text in request.messages if role != "system"]
    system = [{"text": text} for role, text in request.messages if role == "system"]
    body = {"messages": spoken, "inferenceConfig": fields | {"maxTokens": request.max_new_tokens}}
    return body | ({"system": system} if system else {})


class _Block(BaseModel):
    text: str | None = None  # None: reasoning, a tool's call, a picture


class _Message(BaseModel):
    content: list[_Block]


class _Output(BaseModel):
    message: _Message


class _Reply(BaseModel):
    output: _Output
    stopReason: Any = None
    usage: Any = None


def read_reply(reply: Any, limit: int) -> Answer:
    """The completion in a reply, see `lib.generation.endpoint.answer.interpret`. Reasoning is no part of its text.

    Args:
        reply: of Converse, as botocore or a batch's output has it.
        limit: longest reply in tokens, as it was asked for.

    Raises:
        BrokenReply: it is not of Converse's shape.
    """
    try:
        read = _Reply.model_validate(reply)
    except ValidationError:
        raise BrokenReply from None
    return interpret(
        "".join(block.text or "" for block in read.output.message.content),
        read.stopReason,
        limit,
        tokens=count(read.usage, "outputTokens"),
        prompt_tokens=count(read.usage, "inputTokens"),
    )
