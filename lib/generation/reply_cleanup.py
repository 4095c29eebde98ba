"""What a chat model says around a text, taken away: openers, labels, quotes. The text itself is never changed."""

import re

_WHAT = (
    r"(?:sentences?|reviews?|versions?|texts?|abstracts?|answers?|outputs?|responses?|paraphrases?|comments?|notes?)"
)
_OPENER = re.compile(  # "Sure! Here is a short review with another tone:"; it must name what it announces
    rf"(?:sure|certainly|of course|absolutely|okay|ok|here|below|this is)\b[^:\n]{{0,99}}\b{_WHAT}\b[^:\n]{{0,99}}:\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(  # "**Rewritten review:**"
    rf"[*_#\s]*(?:(?:re\w+|fill\w*|complete\w*|final|new|customer|peer|whole|full|the) ){{0,3}}{_WHAT}(?: \d+)?"
    r"\s*(?::[*_\s]*|\*\*\s+)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?:\d{1,2}[.)]|[-*•])\s+")
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "`": "`"}


def clean(reply: str, *, one_line: bool) -> str:
    """The text in a reply, without spaces at its ends; may be empty.

    Taken away: an opening line about the text ("Sure, here is a review:"), a label ("Review:"), the sign of a list,
    quotes around the whole, and with ``one_line`` all but the first line that is not empty. Quotes inside, colons of
    the text ("Pros: ...") and everything after the first line's text stay.
    """
    text = reply.strip()
    for opener in (_OPENER, _LABEL):
        text = opener.sub("", text, count=1) if opener.match(text) else text
    if one_line:
        text = next((line.strip() for line in text.splitlines() if line.strip()), "")
        text = _BULLET.sub("", text, count=1) if _BULLET.match(text) else text
    return _unquoted(text.strip())


def _unquoted(text: str) -> str:
    """Without quotes that open at the start and close at the end, or that have no other half."""
    if len(text) < 2:
        return text.strip("\"'“”‘’`")
    for opening, closing in _QUOTES.items():
        inside = text[1:-1]
        if text[0] == opening and text[-1] == closing and opening not in inside and closing not in inside:
            return inside.strip()
    for sign in ('"', "“", "”"):
        if text.count(sign) == 1 and not set('"“”') - {sign} & set(text):
            return text.removeprefix(sign).removesuffix(sign).strip()
    return text
