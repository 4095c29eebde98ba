"""Take off what a reasoning model writes before its answer.

Some servers put the reasoning into a field of its own, others leave it in the reply, and a local model writes it before
the text in any case. Where the chat template opens the reasoning itself, a reply holds the closing tag alone.
"""

import re
from dataclasses import replace

from lib.generation.engines.base import Completion

_NAME = r"(?:(?:seed:)?think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis)"
_OPENING = (
    rf"<{_NAME}>|◁think▷|(?-i:\[THINK\])"  # most models; Kimi; Mistral
    r"|<\|(?:start_thinking|begin_of_thought)\|>"  # Cohere; Sky-T1
    r"|<\|channel\|>(?!final)"  # gpt-oss; on the next line with its special tokens lost, as some servers send it
    r"|(?-i:\Aanalysis(?=[A-Z]))"
)
_CLOSING = (
    rf"</{_NAME}>|◁/think▷|(?-i:\[/THINK\])"
    r"|<\|(?:end_thinking|end_of_thought)\|>"
    r"|<\|channel\|>final(?:[^<]|<\|constrain\|>)*<\|message\|>"
    r"|(?-i:\Aanalysis(?=[A-Z]).*assistantfinal)"
)
_FLAGS = re.IGNORECASE | re.DOTALL
_OPENS, _OPENED = re.compile(_OPENING, _FLAGS), re.compile(rf"(?:{_OPENING})(?=\s*\Z)", _FLAGS)
_CLOSES = re.compile(_CLOSING, _FLAGS)
_ANSWER = re.compile(  # tags around the answer, after the reasoning
    r"(?:<answer>|<response>|<\|(?:start_response|begin_of_solution)\|>)(.*?)"
    r"(?:</answer>|</response>|<\|(?:end_response|end_of_solution)\|>|\Z)",
    _FLAGS,
)
_END = re.compile(r"<\|(?:end|return)\|>\s*\Z")  # of gpt-oss' answer


def without_reasoning(reply: Completion) -> Completion:
    """The answer of a reply, which is what follows the last closing tag.

    Args:
        reply: what a model wrote.

    Returns:
        The reply with the answer as its text; itself where it has no tags of reasoning. Where the reasoning was cut
        off before the answer, a reply without text that did not end, which is rejected as truncated.
    """
    closings = [match.end() for match in _CLOSES.finditer(reply.text)]
    answer = reply.text[closings[-1] :] if closings else reply.text
    if _OPENS.search(answer):
        return replace(reply, text="", ended=False)
    if not closings:
        return reply
    tagged = _ANSWER.search(answer)
    return replace(reply, text=_END.sub("", tagged[1] if tagged else answer).strip())


def may_reason(chat_template: str) -> bool:
    """Whether a chat template knows a tag of reasoning, so that the model may write some before its answer.

    Args:
        chat_template: the tokenizer's, as text.
    """
    return bool(_OPENS.search(chat_template) or _CLOSES.search(chat_template))


def opening_tag(prompt: str) -> str:
    """The tag by which a prompt opens the reasoning of its reply, or "": some chat templates end with one.

    Args:
        prompt: the text of the prompt, or its last characters.
    """
    opened = _OPENED.search(prompt)
    return opened[0] if opened else ""
