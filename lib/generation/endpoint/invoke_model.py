"""What Bedrock's InvokeModel is sent, and what is read from its replies: each maker's models have a form of their own.

Only for batches whose model does not take Converse there. The forms are those of Anthropic's Messages API and of Amazon
Nova's, as Bedrock documents them under "Inference request parameters and response fields for foundation models".
"""

from typing import Any

from pydantic import BaseModel, ValidationError

from lib.common.errors import DoppelError
from lib.generation.endpoint import converse
from lib.generation.endpoint.answer import Answer, BrokenReply, count, interpret
from lib.generation.engines.base import Request


def check_model(model: str) -> None:
    """Refuse a model whose form is not known here.

    Args:
        model: ``bedrock:ID``.

    Raises:
        DoppelError: it is neither Anthropic's nor a Nova.
    """
    if "anthropic." not in model and "amazon.nova" not in model:
        raise DoppelError(
            "generation.invoke_model_unknown",
            f"the form that {model} takes with InvokeModel is not known here; known are Anthropic's and Amazon Nova's",
            name="model",
            value=model,
            remedy="use form: Converse, which is the same for all models",
        )


def request_body(request: Request, fields: dict[str, float], model: str) -> dict[str, Any]:
    """A request in the form of a model's maker.

    Args:
        request: its messages and its limit.
        fields: of `lib.generation.endpoint.converse.inference_fields`.
        model: ``bedrock:ID``, of a known maker.
    """
    body = converse.request_body(request, fields)
    if "amazon.nova" in model:
        return {"schemaVersion": "messages-v1"} | body
    ours = {"temperature": "temperature", "topP": "top_p"}
    messages = [
        {"role": turn["role"], "content": [{"type": "text", **block} for block in turn["content"]]}
        for turn in body["messages"]
    ]
    system = [{"type": "text", **block} for block in body.get("system", [])]
    return {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": request.max_new_tokens,
        "messages": messages,
        **({"system": system} if system else {}),
        **{ours[name]: value for name, value in fields.items()},
    }


class _Block(BaseModel):
    type: Any = None
    text: str | None = None


class _Message(BaseModel):
    content: list[_Block]
    stop_reason: Any = None
    usage: Any = None


def read_reply(reply: Any, limit: int, model: str) -> Answer:
    """The completion in a reply, see `lib.generation.endpoint.answer.interpret`.

    Args:
        reply: the body that InvokeModel returned.
        limit: longest reply in tokens, as it was asked for.
        model: ``bedrock:ID``, of a known maker.

    Raises:
        BrokenReply: it is not of the form of this maker.
    """
    if "amazon.nova" in model:
        return converse.read_reply(reply, limit)
    try:
        read = _Message.model_validate(reply)
    except ValidationError:
        raise BrokenReply from None
    return interpret(
        "".join(block.text or "" for block in read.content if block.type == "text"),
        read.stop_reason,
        limit,
        tokens=count(read.usage, "output_tokens"),
        prompt_tokens=count(read.usage, "input_tokens"),
    )
