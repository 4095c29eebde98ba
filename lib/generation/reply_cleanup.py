"""Remove what a chat model writes around a text: openers, labels, quotes. The text itself is never changed."""

import re
from dataclasses import replace

from lib.generation.engines.base import Completion

_NOUN = (
    r"(?:sentences?|reviews?|versions?|texts?|abstracts?|answers?|outputs?|responses?|paraphrases?|comments?|notes?)"
)
_OPENER = re.compile(  # "Sure! Here is a short review with another tone:"; only if it names the text
    rf"(?:sure|certainly|of course|absolutely|okay|ok|here|below|this is)\b[^:\n]{{0,99}}\b{_NOUN}\b[^:\n]{{0,99}}:\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(  # "**Rewritten review:**"
    rf"[*_#\s]*(?:(?:re\w+|fill\w*|complete\w*|final|new|customer|peer|whole|full|the) ){{0,3}}{_NOUN}(?: \d+)?"
    r"\s*(?::[*_\s]*|\*\*\s+)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?:\d{1,2}[.)]|[-*•])\s+")
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "`": "`"}


def clean(reply: str, *, one_line: bool) -> str:
    """The text in a reply, without spaces at its ends; may be empty.

    Removed are an opening line about the text ("Sure, here is a review:"), a label ("Review:"), a list marker (with
    ``one_line``) and quotes around the whole text. Quotes within the text and its own colons ("Pros: ...") stay.

    Args:
        reply: what the model wrote.
        one_line: keep only the first line that is not empty.
    """
    text = reply.strip()
    for opener in (_OPENER, _LABEL):
        text = opener.sub("", text, count=1) if opener.match(text) else text
    if one_line:
        text = next((line.strip() for line in text.splitlines() if line.strip()), "")
        text = _BULLET.sub("", text, count=1) if _BULLET.match(text) else text
    return _unquoted(text.strip())


def first_line(completion: Completion) -> Completion:
    """The first line of a completion that has words, marked where a line break followed it; it has ended then.

    Args:
        completion: what a model wrote, ended or not.

    Returns:
        The completion with its first line; itself where it has one line alone.
    """
    first, *rest = re.split(r"[\r\n]", completion.text.lstrip(), maxsplit=1)
    return replace(completion, text=first, ended=True, first_line_only=True) if rest else completion


def _unquoted(text: str) -> str:
    """The text without quotes around the whole of it, and without a single quote that has no counterpart."""
    if len(text) < 2:
        return text.strip("\"'“”‘’`")
    for opening, closing in _QUOTES.items():
        inside = text[1:-1]
        if text[0] == opening and text[-1] == closing and opening not in inside and closing not in inside:
            return inside.strip()
    for quote in ('"', "“", "”"):
        if text.count(quote) == 1 and not set('"“”') - {quote} & set(text):
            return text.removeprefix(quote).removesuffix(quote).strip()
    return text
