"""Spans as BIO tags of a tokenizer's tokens, and tags as spans.

``B-EMAIL`` is the first token of an e-mail, ``I-EMAIL`` a further one, ``O`` a token of no span (IOB2, Tjong Kim Sang
and Veenstra 1999). Any fast Hugging Face tokenizer will do: it says which characters of the original text each token
came from, whatever its normalizer did to them. Three things are set right first: white space that belongs to a token
(``Ġname`` and ``▁name`` begin with the space before) is taken off; combining marks that a normalizer dropped belong to
the token before them; a token for white space alone belongs to a span only if it lies within it.

A token that straddles the border of a span is given whole to the span that it shares most characters with, the earlier
one of two: for masking, too much is safer than too little. It is counted, and so are the spans that come out changed.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import regex

from lib.common.errors import DoppelError
from lib.pii.slots import check_characters
from lib.pii.spans import Filled, Span
from lib.pii.words import Offset, widened

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OUTSIDE = "O"
IGNORED = -100  # the label that PyTorch's cross entropy leaves out, for special tokens

_MARKS = regex.compile(r"[\p{M}\u200c\u200d]+")  # combining marks, variation selectors, joiners


class Aligned(NamedTuple):
    """A text's tokens with their tags.

    Attributes:
        tokens: as they stand in the vocabulary.
        ids: their numbers there.
        offsets: the characters of each token, set right as the module says; (0, 0) for a special token.
        tags: BIO; None for a special token.
        straddling: numbers of the tokens that lie across the border of a span, from 0.
        changed: numbers of the spans whose tags give other borders than the span has.
        lost: numbers of the spans without a token: the tokenizer drops their characters, or a neighbour has the token.
    """

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    offsets: tuple[Offset, ...]
    tags: tuple[str | None, ...]
    straddling: tuple[int, ...]
    changed: tuple[int, ...]
    lost: tuple[int, ...]


class Tagged(NamedTuple):
    """The tags of some tokens; attributes as in `Aligned`."""

    tags: tuple[str, ...]
    straddling: tuple[int, ...]
    changed: tuple[int, ...]
    lost: tuple[int, ...]


class Counts(NamedTuple):
    """What an alignment of several texts came to; ``str`` is a sentence.

    Attributes:
        texts: how many.
        spans: in all of them.
        tokens: without special ones.
        straddling: tokens across the border of a span.
        changed: spans that come out with other borders.
        lost: spans without a token.
    """

    texts: int
    spans: int
    tokens: int
    straddling: int
    changed: int
    lost: int

    def __str__(self) -> str:
        return (
            f"{self.straddling:,} of {self.tokens:,} tokens lie across the border of a span and were given to the span "
            f"that they share most with; of {self.spans:,} spans {self.changed:,} changed their borders, {self.lost:,} "
            "have no token"
        )


def align(filled: Filled, tokenizer: "PreTrainedTokenizerBase", *, special_tokens: bool = False) -> Aligned:
    """Tokenize a text and tag its tokens. Nothing is cut off.

    Args:
        filled: text and spans, which are in order and disjoint (`lib.pii.spans.problems`).
        tokenizer: a fast one, which knows where its tokens came from.
        special_tokens: keep those that the tokenizer adds ([CLS], <s>), with None as their tag, as training wants them;
            else they are left out.

    Raises:
        DoppelError: ``pii.tokenizer_slow`` or ``pii.half_surrogate_pair``.
    """
    check_characters(filled.text)
    if not tokenizer.is_fast:
        raise DoppelError(
            "pii.tokenizer_slow",
            "the tokenizer does not say where its tokens came from",
            remedy="load its fast form: AutoTokenizer.from_pretrained(NAME, use_fast=True)",
        )
    encoded = tokenizer(
        filled.text,
        add_special_tokens=special_tokens,
        truncation=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        verbose=False,
    )
    ids = tuple(encoded["input_ids"])
    # the mask has what the tokenizer adds; a text's own "[CLS]" is text
    numbers = [number for number, added in enumerate(encoded["special_tokens_mask"]) if not added]
    offsets = extents(filled.text, [encoded["offset_mapping"][number] for number in numbers])
    tagged = tag(filled.spans, offsets)
    all_offsets: list[Offset] = [(0, 0)] * len(ids)
    all_tags: list[str | None] = [None] * len(ids)
    for number, offset, tag_of_token in zip(numbers, offsets, tagged.tags, strict=True):
        all_offsets[number], all_tags[number] = offset, tag_of_token
    return Aligned(
        tuple(tokenizer.convert_ids_to_tokens(ids)),
        ids,
        tuple(all_offsets),
        tuple(all_tags),
        tuple(numbers[token] for token in tagged.straddling),
        tagged.changed,
        tagged.lost,
    )


def extents(text: str, offsets: Sequence[Offset]) -> list[Offset]:
    """The characters of each token without white space around them, and with the marks that a normalizer dropped.

    Args:
        text: that was tokenized.
        offsets: as a tokenizer gives them, none starting before the one before it.

    Returns:
        As many; a token of white space alone keeps its own.
    """
    found: list[Offset] = []
    plain = text.isascii()
    for number, (start, end) in enumerate(offsets):
        piece = text[start:end]
        if piece and not piece.isspace():
            start, end = end - len(piece.lstrip()), start + len(piece.rstrip())
        if not plain and start < end:
            limit = offsets[number + 1][0] if number + 1 < len(offsets) else len(text)
            if limit > end and (marks := _MARKS.match(text, end, limit)):
                end = marks.end()
        found.append((start, end))
    return found


def tag(spans: Sequence[Span], offsets: Sequence[Offset]) -> Tagged:
    """The tags of tokens, in one pass over both.

    Args:
        spans: in order and disjoint.
        offsets: of the tokens, from `extents` or `lib.pii.words.words`.
    """
    tags: list[str] = []
    straddling: list[int] = []
    borders: dict[int, Offset] = {}  # span -> where its tokens begin and end
    first = 0  # the first span that does not end before the token
    for number, (start, end) in enumerate(offsets):
        while first < len(spans) and spans[first].end <= start:
            first += 1
        best, shared, across = None, 0, False
        for candidate in range(first, len(spans)):
            low, high = spans[candidate].start, spans[candidate].end
            if low >= end:
                break
            across |= start < low or end > high
            if (common := min(end, high) - max(start, low)) > shared or (start == end and low < start):
                best, shared = candidate, common
        if across:
            straddling.append(number)
        if best is None:
            tags.append(OUTSIDE)
            continue
        tags.append(f"{'I' if best in borders else 'B'}-{spans[best].label}")
        before = borders.get(best, (start, end))
        borders[best] = (before[0], max(before[1], end))
    changed = tuple(number for number, border in borders.items() if border != spans[number][:2])
    lost = tuple(number for number in range(len(spans)) if number not in borders)
    return Tagged(tuple(tags), tuple(straddling), changed, lost)


def spans_of(
    text: str, offsets: Sequence[Offset], tags: Sequence[str | None], *, whole_words: bool = False
) -> tuple[Span, ...]:
    """The spans that tags say, the inverse of `tag` where nothing straddles.

    Args:
        text: that was tokenized.
        offsets: of the tokens, from `extents` or `lib.pii.words.words`.
        tags: as many; None is a special token. An ``I-`` without its ``B-``, as a model may predict it, begins a span.
        whole_words: extend each span to the ends of the words that it begins and ends in, so that of *Guadalajara* with
            a tag on its first token alone no *[CITY]jara* is left, and take white space off its ends. For predictions;
            the inverse is without it.

    Returns:
        In order and disjoint: what one tag claims, no later one gets. Their persons are None: tags do not say.
    """
    found: list[tuple[int, int, str]] = []
    begun: str | None = None
    for (start, end), tag_of_token in zip(offsets, tags, strict=True):
        prefix, _, label = (tag_of_token or OUTSIDE).partition("-")
        if prefix == "I" and label == begun:
            found[-1] = (found[-1][0], max(found[-1][1], end), label)
        elif label:
            found.append((start, end, label))
        begun = label or None
    spans: list[Span] = []
    done = 0
    for start, end, label in found:
        start = max(start, done)
        if whole_words and start < end:
            start, end = widened(text, start, end, done)
        if start < end:
            spans.append(Span(start, end, label, text[start:end]))
            done = end
    return tuple(spans)


def tag_names(labels: Iterable[str]) -> list[str]:
    """All tags of some classes: ``O``, then ``B-`` and ``I-`` of each class in the alphabet's order.

    Args:
        labels: class names.
    """
    return [OUTSIDE, *(f"{prefix}-{label}" for label in sorted(set(labels)) for prefix in "BI")]


def tag_numbers(tags: Iterable[str | None], names: Sequence[str]) -> list[int]:
    """Tags as numbers for training.

    Args:
        tags: BIO, None for special tokens.
        names: all tags, `tag_names`.

    Returns:
        The place of each tag in ``names``; `IGNORED` for a special token.
    """
    numbers = {name: number for number, name in enumerate(names)}
    return [IGNORED if tag_of_token is None else numbers[tag_of_token] for tag_of_token in tags]


def count(texts: Iterable[tuple[Filled, Aligned]]) -> Counts:
    """What the alignments of several texts came to.

    Args:
        texts: each with its alignment.
    """
    counts = [0] * len(Counts._fields)
    for filled, aligned in texts:
        tokens = sum(tag_of_token is not None for tag_of_token in aligned.tags)
        row = (1, len(filled.spans), tokens, len(aligned.straddling), len(aligned.changed), len(aligned.lost))
        counts = [total + more for total, more in zip(counts, row, strict=True)]
    return Counts(*counts)
