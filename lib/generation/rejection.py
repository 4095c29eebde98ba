"""Which completions are not usable as records: refused, cut off, empty, stuck in repetition, with markup."""

import re
from collections.abc import Sequence

from lib.data.tokenize import amount, spaced
from lib.generation.engines.base import Completion
from lib.generation.refusals import is_refusal

_MARKUP = re.compile(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(start|end)_of_turn>")
_STUTTER = re.compile(r"(.{1,12}?)\1{15,}", re.DOTALL)  # the same 1 to 12 characters sixteen times in a row


def rejection(completion: Completion, prompt_text: str, special_tokens: Sequence[str]) -> str | None:
    """Why a completion is rejected, or None when it is usable.

    Args:
        completion: what the model wrote.
        prompt_text: the prompt; a completion that repeats a prompt of three words or more is rejected.
        special_tokens: the tokenizer's special tokens, which no text may contain.

    Returns:
        "refusal", "truncated", "empty", "markup", "broken characters", "no letters", "echo of the prompt",
        "repetitive", or None.
    """
    text = completion.text.strip()
    if completion.refused or is_refusal(text):
        return "refusal"
    if not completion.ended:
        return "truncated"
    if not text:
        return "empty"
    if _MARKUP.search(text) or any(token in text for token in special_tokens):
        return "markup"
    if "\ufffd" in text:  # bytes that are not UTF-8
        return "broken characters"
    if not any(character.isalpha() for character in text):
        return "no letters"
    prompt = _pieces(prompt_text)
    if amount(prompt) >= 3 and " ".join(prompt) in " ".join(_pieces(text)):  # one or two words may occur by chance
        return "echo of the prompt"
    return "repetitive" if _repetitive(text) else None


def plain(text: str) -> str:
    """Letters and digits of a text in lower case. Texts that agree in these count as the same."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _pieces(text: str) -> list[str]:
    """What stands between white space in the text in lower case; in scripts without spaces, each character."""
    return spaced(text.casefold()).split()


def _repetitive(text: str) -> bool:
    """Whether a text is stuck in a loop.

    It is when the same few characters come 16 times in a row, or the same word 6 times in a row, or when fewer than
    half of at least 12 three-word sequences are different. Where each character is a word, six in a row are laughter.
    """
    words = _pieces(text)
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    if len(trigrams) >= 12 and len(set(trigrams)) < len(trigrams) / 2:
        return True
    between_spaces = text.casefold().split()
    same_in_a_row = any(len(set(between_spaces[i : i + 6])) == 1 for i in range(len(between_spaces) - 5))
    return same_in_a_row or _STUTTER.search(text) is not None
