"""What is read from a reply: its text, how it ended, its tokens. The same for all providers."""

from dataclasses import dataclass
from typing import Any

from lib.generation.engines.base import Completion

# finish reasons, in lower case, of OpenAI, vLLM, TGI, Mistral, Anthropic, Google, Bedrock and others
_WHOLE = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "end_of_turn", "complete", "completed", "finished"}
_CUT = {
    "length", "max_tokens", "model_length", "max_length", "max_output_tokens", "model_context_window_exceeded", "error",
    "abort", "cancelled",
}  # fmt: skip
_REFUSED = {
    "content_filter", "content_filtered", "guardrail_intervened", "refusal", "safety", "prohibited_content",
    "blocklist", "recitation",
}  # fmt: skip
_UNUSABLE = {"tool_use", "malformed_tool_use", "malformed_model_output"}  # Bedrock's: what was written is no text


class BrokenReply(Exception):
    """A reply without an error that holds no completion: not JSON, a proxy's web page, without a message."""


@dataclass(frozen=True)
class Answer:
    """What is read from a reply.

    Attributes:
        completion: its text, and how it ended. Where the server does not say how many tokens it has, they are 0.
        prompt_tokens: tokens of its prompt; 0 where the server does not say.
        unsure: whether nothing in the reply says if it is whole or cut; it is taken as whole.
    """

    completion: Completion
    prompt_tokens: int = 0
    unsure: bool = False


def interpret(
    text: str, reason: object, limit: int, *, tokens: int | None, prompt_tokens: int | None, declined: bool = False
) -> Answer:
    """The completion in a reply.

    Servers end a reply for reasons of their own. One whose reason is missing or unknown is cut where it has as many
    tokens as it may have, and whole where it has fewer. Of a reply that ends in a call of a tool (none is offered), or
    whose output the provider could not read, nothing is kept.

    Args:
        text: what the model wrote.
        reason: why the reply ended, in the server's word.
        limit: longest reply in tokens, as it was asked for.
        tokens: of the reply, None where the server does not say.
        prompt_tokens: of its prompt, None where the server does not say.
        declined: whether the reply says in another place that it is a refusal.
    """
    reason = str(reason).casefold()
    text = "" if reason in _UNUSABLE else text
    refused = declined or reason in _REFUSED
    unknown = reason not in _WHOLE | _CUT | _REFUSED | _UNUSABLE
    # a token has at least one byte, so a short text was not cut
    unsure = unknown and not refused and tokens is None and len(text.encode()) >= limit
    ended = reason in _WHOLE | _UNUSABLE or (unknown and (tokens is None or tokens < limit))
    return Answer(Completion(text, tokens or 0, ended, refused), prompt_tokens or 0, unsure)


def count(usage: Any, name: str) -> int | None:
    """A number of tokens.

    Args:
        usage: what the reply has for it, of any type.
        name: of the count.

    Returns:
        The number, or None where there is none.
    """
    value = usage.get(name) if isinstance(usage, dict) else None
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**31 else None
