"""Text from elsewhere as one harmless line."""

import unicodedata

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, bidi and zero-width marks, line separators, ...


def printable(text: object, limit: int = 300) -> str:
    """A text that others wrote, so that it can neither steer a terminal nor look like another line.

    Args:
        text: anything; its ``str`` is shown.
        limit: the most characters of it that are shown, at least 1.

    Returns:
        One line. A character that is not seen, or that moves others, is written as its escape (``\\x1b``,
        ``\\u202e``); what is over the limit is left out, and ``...`` says so.
    """
    whole = str(text)
    shown = "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _UNSEEN else c for c in whole[:limit]
    )
    return shown + ("..." if len(whole) > limit else "")
