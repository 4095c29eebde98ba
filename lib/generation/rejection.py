"""Which completions are no record: empty, cut, stuck in repetition, markup."""

import re
from collections.abc import Sequence

from lib.generation.engines.base import Completion
from lib.generation.refusals import is_refusal

_MARKUP = re.compile(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(start|end)_of_turn>")


_STUTTER = re.compile(r"(.{1,12}?)\1{15,}", re.DOTALL)  # the same few characters sixteen times in a row


def rejection(completion: Completion, prompt_text: str, special_tokens: Sequence[str]) -> str | None:
    """Why a completion is not a record, or None when it is one."""
    text = completion.text.strip()
    if completion.refused or is_refusal(text):
        return "refusal"
    if not completion.ended:
        return "truncated"
    if not text:
        return "empty"
    if _MARKUP.search(text) or any(token in text for token in special_tokens):
        return "markup"
    if "\ufffd" in text:  # bytes that are no UTF-8
        return "broken characters"
    if not any(character.isalpha() for character in text):
        return "no letters"
    prompt = _words(prompt_text)
    if prompt.count(" ") >= 2 and prompt in _words(text):  # one or two words may come back by chance
        return "echo of the prompt"
    return "repetitive" if _repetitive(text) else None


def _words(text: str) -> str:
    """The text in lower case with single spaces."""
    return " ".join(text.casefold().split())


def _repetitive(text: str) -> bool:
    """Whether a text is stuck: the same few characters 16 times in a row, the same word 6 times in a row, or,
    of 12 three-word sequences or more, less than half are different."""
    words = text.casefold().split()
    threes = list(zip(words, words[1:], words[2:], strict=False))
    if len(threes) >= 12 and len(set(threes)) < len(threes) / 2:
        return True
    same_in_a_row = any(len(set(words[i : i + 6])) == 1 for i in range(len(words) - 5))
    return same_in_a_row or _STUTTER.search(text) is not None
