"""Leaves something out of a text so that the rest reads on: a field with its line, what stands in brackets or between
commas, a phrase behind a preposition, a clause, else the whole sentence.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from lib.data.tokenize import sentence_ends
from lib.private_records.schema import Place
from lib.sanitization.schema import Edit
from lib.sanitization.wording import Site, closed, wraps

LEAST = 4  # words of a sentence that can stand without the clause behind them
_FREE = "on|in|at|from|near|since|until|during|around|via|through|after|before"  # a phrase that a clause can do without
_PREPOSITION = re.compile(
    rf"(?P<before>\S*)(?P<phrase>(?:^|[^\S\n]+|,[^\S\n]+)(?:{_FREE})[^\S\n]+(?:(?:the|a|an|my|his|her|their|our|your)[^\S\n]+)?)$",
    re.IGNORECASE,
)
_NEEDS = re.compile(  # words behind which the phrase is the point: she lives in ...
    r"(?:is|am|are|was|were|be|been|being|'s|'m|'re|put|lives?|lived|living|stays?|stayed|born|based|located|comes?|came|stand|stands|stood|reach|reaches|works?|worked)"
    r"(?: (?:me|you|him|her|us|them))?\W*$",
    re.IGNORECASE,
)
_ENDS = re.compile(
    rf"[^\S\n]*(?:[.,;:!?)\n]|$)|[^\S\n]+(?:and|but|or|so|because|when|while|which|who|where|that|to|for|with|by|{_FREE})\b"
)
_VERB = re.compile(
    r",[^\S\n]+(?:is|was|are|were|has|had|have|will|can|could|would|should|may|must|did|does|do|[a-z]+(?:ed|s))\b"
)
_CLAUSE = re.compile(
    r"[,;:–—][^\S\n]*(?:(?:and|but|so|because|where|while|although|though|which|who|as|since|until|when|if)\b)", re.I
)
_HEAD = re.compile(  # of a line, not of its first sentence: a bullet, a time, a speaker, a label
    r"[^\S\n]*(?:[-*•–>][^\S\n]*|\(?\d+[.)][^\S\n]+)?(?:\(?\d{1,2}:\d\d\)?[^\S\n]*(?:[-–][^\S\n]*)?)?"
    r"(?:(?:(?!\.\s)[\w .'-]){1,40}:[^\S\n]+(?![a-z]))?"
)

_BLANK, _BLANK_BEFORE = re.compile(r"[^\S\n]*\n"), re.compile(r"\n[^\S\n]*\n$")
_SHORT = re.compile(  # words behind which a full stop ends no sentence
    r"\b(?:(?i:St|Dr|Mr|Mrs|Ms|Mx|Prof|No|Nr|Jr|Sr|Mt|vs|ref|approx|e\.g|i\.e)|[A-HJ-Z])\.\s+$"
)


def left_out(site: Site, kept: Sequence[Place]) -> Edit | None:
    """An edit that takes a piece out.

    Args:
        site: the piece.
        kept: places in the text that must stay.

    Returns:
        The piece with what goes along, as `lib.sanitization.wording.closed` takes it; None where it cannot be taken out
        without something that must stay, or with the whole text.
    """
    for edit in _ways(site):
        if not edit.start <= site.start <= site.end <= edit.end:
            continue  # the piece is in the head of its line, which stays
        taken = closed(site.text, edit)
        inside = any(place.start < taken.end and taken.start < place.end for place in kept)
        if not inside and (site.text[: taken.start] + taken.written + site.text[taken.end :]).strip():
            return edit
    return None


def _ways(site: Site) -> Iterator[Edit]:
    """What might be taken out, the least first."""
    text, (line_start, line_end) = site.text, site.line
    left, right = site.left, site.right
    if site.alone or (site.field and not re.search(r"[|;\t]|[.!?] ", left)):
        yield whole_lines(text, line_start, line_end)
        return
    if site.field:
        cut = max(left.rfind(mark) for mark in "|;\t")
        if cut >= 0:
            yield Edit(line_start + cut, site.end, "")
    if left.endswith("(") and right.startswith(")"):
        yield Edit(site.start - 1, site.end + 1, "")
    if re.search(r",[^\S\n]+$", left) and re.match(r"[^\S\n]*[,.;!?]", right):
        comma = 1 if _VERB.match(right) else 0  # of an apposition both commas go
        yield Edit(line_start + len(left.rstrip().rstrip(",")), site.end + comma, "")
    phrase = _PREPOSITION.search(left)
    if phrase:
        start = line_start + phrase.start("phrase") + (phrase["phrase"][:1].isspace())
        opens = Site(text, start, start).starts_sentence
        if opens or (_ENDS.match(right) and not _NEEDS.search(left[: phrase.start("phrase")])):
            yield Edit(start, site.end + (re.match(r",?[^\S\n]*", right).end() if opens else 0), "")
    start, end = _sentence(text, line_start, line_end, site.start, site.end)
    clauses = [start, *(match.start() for match in _CLAUSE.finditer(text, start, end)), end]
    for first, last in pairwise(clauses[1:]):
        if first <= site.start and site.end <= last and len(text[start:first].split()) >= LEAST:
            stop = len(text[first:last].rstrip().rstrip('.!?"”’)')) if last == end else last - first
            yield Edit(first, first + stop, "")
    head = _HEAD.match(text, line_start).end()
    others = text[head:start].strip() or text[end:line_end].strip()
    yield Edit(max(start, head), end, "") if others else whole_lines(text, line_start, line_end)


def _sentence(text: str, line_start: int, line_end: int, start: int, end: int) -> tuple[int, int]:
    """The sentence, or sentences, of a line around a piece, with the space behind."""
    ends = sentence_ends(text, line_start, line_end)
    whole = (at for at in ends if not _SHORT.search(text[max(0, at - 12) : at]) and not wraps(text, at))
    borders = [line_start, *whole, line_end]
    return max(at for at in borders if at <= start), min(at for at in borders if at >= end)


def whole_lines(text: str, start: int, end: int) -> Edit:
    """An edit that takes out whole lines, with the line end; of blank lines on both sides one stays.

    Args:
        text: any.
        start: of the first line, in code points.
        end: of the last one, before its line end.
    """
    if end == len(text):
        return Edit(len(text[:start].rstrip()), end, "")
    behind = _BLANK.match(text, end + 1)
    before = not text[:start].strip() or _BLANK_BEFORE.search(text[max(0, start - 80) : start])
    return Edit(start, behind.end() if behind and before else end + 1, "")
