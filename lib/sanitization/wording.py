"""How words are fitted into a text in place of others: articles, prepositions, capitals, fields of forms."""

import re
from typing import NamedTuple

from lib.sanitization.schema import Edit

_WRAPPED = 40  # characters of a line that was wrapped
_MOST_LINES = 40  # of one sentence
_DETERMINERS = "the|a|an|my|your|his|her|its|our|their|this|that|these|those|any|some|each|every|another"
_DETERMINER = re.compile(rf"\b({_DETERMINERS})[^\S\n]+(?:\d+[- ]years?[- ]old[^\S\n]+)?$", re.IGNORECASE)
_OWN_DETERMINER = re.compile(r"(?:a|an|the|some)\s+(?=\S)")
_ARTICLE = re.compile(r"\b(an?)([^\S\n]+)$", re.IGNORECASE)
_ALONE = ("something", "somebody", "somewhere", "somehow", "once")  # words that stand without a determiner
_VOWEL = re.compile(r"(?!uni|use|usu|eu|one\b|once\b)[aeiou]|hour|honest|8|11\b|18\b", re.IGNORECASE)
_STARTS = re.compile(
    r"(?:^|[.!?…][\"'”’)\]]*\s+|[\n\r][^\S\n\r]*(?:[-*•–>][^\S\n\r]*|\(?\d+[.)][^\S\n\r]*|\(?\d{1,2}:\d\d\)?[^\S\n\r]*(?:[-–][^\S\n\r]*)?)?)$"
)
_LABEL = re.compile(r"^[^|\n]{1,40}\|[^\S\n]*$|(?:^|[|;\t]|[.!?] )[^\S\n]*(?:[-*•–][^\S\n]*)?[^:\n|]{1,40}:[^\S\n]*$")
_NAMED = re.compile(
    r"\b(?:is|are|was|were)[^\S\n]+$|\b(?:no|nr|ref|number|reference|file|case|id)\.?:?[^\S\n]+$|#$", re.I
)
_BULLET = re.compile(r"[^\S\n]*(?:[-*•–>]|\(?\d+[.)])?[^\S\n]*")
_ON = re.compile(r"\b(on|at)([^\S\n]+)$", re.IGNORECASE)
_IN_ON = re.compile(r"\b(?:on|at|in)[^\S\n]+$", re.IGNORECASE)
_ADVERBS = ("some time ago", "a while back", "at some point", "once", "abroad", "elsewhere", "in some place")


class Site(NamedTuple):
    """A piece of a text and the line around it.

    Attributes:
        text: all of it.
        start: of the piece, in code points.
        end: behind it.
    """

    text: str
    start: int
    end: int

    @property
    def line(self) -> tuple[int, int]:
        """Start and end of the line or lines that the piece is in, without line ends; a wrapped line goes on."""
        start, end = self.text.rfind("\n", 0, self.start) + 1, self.text.find("\n", self.end)
        for _ in range(_MOST_LINES):
            start = self.text.rfind("\n", 0, start - 1) + 1 if wraps(self.text, start) else start
            end = self.text.find("\n", end + 1) if end >= 0 and wraps(self.text, end + 1) else end
        return start, len(self.text) if end < 0 else end

    @property
    def left(self) -> str:
        """The line up to the piece."""
        return self.text[self.line[0] : self.start]

    @property
    def right(self) -> str:
        """The line behind the piece."""
        return self.text[self.end : self.line[1]]

    @property
    def alone(self) -> bool:
        """Whether nothing else stands on the line but a bullet and marks."""
        return bool(_BULLET.fullmatch(self.left) and re.fullmatch(r"[\s.,;]*", self.right))

    @property
    def field(self) -> bool:
        """Whether it is all that stands behind a label with a colon."""
        return bool(_LABEL.search(self.left) and re.match(r"[.,;]?\s*(?:$|[|;\t])", self.right))

    @property
    def numbers_item(self) -> bool:
        """Whether it is the number of an item of a list."""
        number = self.text[self.start : self.end].isdecimal()
        return number and not self.left.strip() and bool(re.match(r"[.)]\s", self.right))

    @property
    def in_number(self) -> bool:
        """Whether it is a part of a longer number: the minutes of a time."""
        number = self.text[self.start : self.end].isdecimal()
        return number and bool(re.search(r"\d[:.,/-]$", self.left) or re.match(r"[:.,/-]\d", self.right))

    @property
    def named(self) -> bool:
        """Whether the words before it say that the thing itself follows: *my number is*, *no.*"""
        return bool(_NAMED.search(self.left))

    @property
    def starts_sentence(self) -> bool:
        """Whether a sentence begins with it."""
        return bool(_STARTS.search(self.text[max(0, self.start - 40) : self.start]))


def wraps(text: str, start: int) -> bool:
    """Whether a line goes on a sentence of the line before it: that one is long and has no mark at its end.

    Args:
        text: any.
        start: of the line, in code points.
    """
    if start == 0 or not text[start : start + 1].islower():
        return False
    before = text[text.rfind("\n", 0, start - 1) + 1 : start - 1].rstrip()
    return len(before) >= _WRAPPED and before[-1] not in ".!?:;…"


def fitted(site: Site, words: str) -> Edit:
    """An edit that writes words in place of a piece, so that the sentence around them stays right.

    Args:
        site: the piece.
        words: to be written, never empty: ``a town``.
    """
    start, left = site.start, site.left
    if words in _ADVERBS:
        start -= len(match[0]) if (match := _IN_ON.search(left)) else 0
    elif match := _ON.search(left):
        if re.match(
            r"(?:the )?(?:early |late )?(?:spring|summer|autumn|winter|\d{4}|morning|afternoon|evening|night)", words
        ):
            words = f"{'I' if match[1][0].isupper() else 'i'}n {words}"
            start -= len(match[0])
    elif match := _DETERMINER.search(left):
        if words in _ALONE:
            start -= len(match[0])
        else:
            words = _OWN_DETERMINER.sub("", words, count=1) if _OWN_DETERMINER.match(words) else words
            start, words = _with_article(left, start, words)
    if Site(site.text, start, site.end).starts_sentence and not site.text[start : start + 1].islower():
        words = words[:1].upper() + words[1:]
    return Edit(start, site.end, words)


def closed(text: str, edit: Edit) -> Edit:
    """An edit that takes something out, with the spaces and marks around it as they should be.

    Args:
        text: the original.
        edit: with nothing written; what is left stands on both sides.
    """
    start, end = edit.start, edit.end
    before, behind = text[:start], text[end:]
    if re.match(r"[^\S\n]*(?:[.,;:!?)\n]|$)", behind):
        start = len(before.rstrip(" \t\u00a0"))
        if re.match(r"[^\S\n]*[.;:!?)]", behind) and text[start - 1 : start] == ",":
            start -= 1
        if text[start - 1 : start] in (",", "(") and re.match(r"[^\S\n]*,", behind):
            end += re.match(r"[^\S\n]*,", behind).end()
    elif not before or before[-1].isspace():
        end += len(behind) - len(behind.lstrip(" \t\u00a0"))
    start, written = _with_article(text[max(0, start - 40) : start], start, text[end : end + 20].lstrip(), look=True)
    lines = (
        text[start - 1 : start] in ("", "\n") and text[end - 1 : end] == "\n"
    )  # whole ones: the next begins as it did
    opens = not lines and Site(text, start, end).starts_sentence and not text[edit.start].islower()
    if opens and text[end : end + 1].islower():
        return Edit(start, end + 1, written + text[end].upper())
    return Edit(start, end, written)


def _with_article(left: str, start: int, words: str, look: bool = False) -> tuple[int, str]:
    """Words behind the article that their sound asks for; with ``look``, what is written is the article alone."""
    match = _ARTICLE.search(left)
    if match is None or not words[:1].isalnum():
        return start, "" if look else words
    right = match[1][0] + "n" * bool(_VOWEL.match(words))
    if right.lower() == match[1].lower():
        return start, "" if look else words
    return start - len(match[0]), right + match[2] + ("" if look else words)
