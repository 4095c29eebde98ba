"""What a word is and where a sentence ends: whatever compares texts or counts their words asks here.

A *word* is a run of letters and digits. Chinese, Japanese, Thai, Lao, Khmer, Burmese and a few other languages put no
space between words: in their scripts each character, with its marks, is a word. Which scripts these are is Unicode's
line breaking class (UAX 14). Korean has spaces and is split at them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

import regex

_EUROPEAN = re.compile("[\0-\u058f\u2000-\u206f]*+")  # and usual punctuation: tried first, because it is quick
# Scripts without spaces, and those whose vowels are marks, which `\w` leaves out. Other texts never come to `regex`,
# which is slower: besides European ones those in Korean, Georgian and more, and those with emoji.
_OTHER = re.compile(
    "[\u0590-\u109f\u1700-\u1cff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u312f\u3190-\ua63f\ua800-\ua95f\ua980-\uab2f"
    "\uabc0-\uabff\uf900-\ufaff\ufb1d-\ufdff\ufe30-\ufe4f\ufe70-\ufefc\uff01-\uff9f\U00010a00-\U00011fff"
    "\U00016000-\U0001b2ff\U00020000-\U0003ffff]"
)
_UNSPACED = r"[[[\p{LB=SA}\p{LB=AK}\p{LB=AS}\p{LB=ID}\p{LB=CJ}\p{LB=NS}]--[\p{Hangul}\uff10-\uff5a]]&&[\p{L}\p{N}]]"
_CHARACTER = regex.compile(rf"(?V1){_UNSPACED}\p{{M}}*")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}ー]")
_SYLLABLE = regex.compile(r"[\p{LB=SA}\p{LB=AK}\p{LB=AS}]")

_WORD = re.compile(r"\w+")
_MARKED_WORD = regex.compile(r"[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*")
_JOINED = re.compile(r"\w+(?:[-'’./@]\w+)*")  # it's, mid-range, 12.5 are one word
_LETTER = rf"[[\w\p{{N}}]--{_UNSPACED}]"
_MARKED_JOINED = regex.compile(rf"(?V1){_UNSPACED}\p{{M}}*|{_LETTER}+(?:[-'’./@]{_LETTER}+)*")

_END = "。！？｡؟۔।॥።፧။។៕"  # ends a sentence even without white space after it
_THAI = "[\u0e01-\u0e3a\u0e40-\u0e45\u0e47-\u0e4e\u0e81-\u0ec4\u0ec8-\u0ecd\u0edc-\u0edf]"  # and Lao: no full stops
_BETWEEN_SENTENCES = re.compile(rf"(?<=[.!?…])\s+|(?<=[{_END}])\s*|(?<={_THAI})\s+(?={_THAI})|\n+")
_SENTENCE_END = re.compile(rf"[.!?][\"'”’)\]]*(?=\s|$)|[{_END}][\"'”’)\]」』）】》]*|(?<={_THAI})(?=\s+{_THAI})")
_FINISHED = re.compile(rf"(?:[.!?…{_END})\]\"'”’»」』）】》]|[\u0e01-\u0eff])\s*$")


def words(text: str, *, fold: bool = True) -> list[str]:
    """The words of ``text`` in order, without punctuation.

    Args:
        text: any text.
        fold: ignore upper case (case-folded words).
    """
    text = text.casefold() if fold else text
    return _WORD.findall(text) if _plain(text) else _MARKED_WORD.findall(spaced(text))


def spaced(text: str) -> str:
    """``text`` with spaces around each character of a script that has none between words; else as it is.

    Whatever looks for words, numbers or addresses by their neighbours then finds them in such text too. Where a letter
    is of a script that needs care, wide and narrow forms are made equal (Unicode NFKC), as in ``ＡＢＣ`` and ``ABC``.
    """
    return text if _plain(text) else _CHARACTER.sub(r" \g<0> ", unicodedata.normalize("NFKC", text))


def has_unspaced(text: str) -> bool:
    """Whether ``text`` has a character of a script without spaces between words."""
    return not _plain(text) and _CHARACTER.search(text) is not None


def count(text: str) -> int:
    """How many words ``text`` has as people count them: between white space, or by character (see `spaced`).

    So *it's* and *mid-range* are one word, as nowhere else here.
    """
    if _plain(text):
        return len(text.split())
    return sum(_WORD.search(piece) is not None for piece in spaced(text).split())


def beginning(text: str, number: int) -> str:
    """The first words of ``text``, with single spaces; in a script without spaces, its first characters as they stand.

    Args:
        text: any text.
        number: of words, at least 1.
    """
    if _plain(text):
        return " ".join(text.split()[:number])
    return text[: max((word.end() for word in islice(joined(text), number)), default=0)]


def joined(text: str) -> Iterator[re.Match[str]]:
    """The words of ``text``, with *it's*, *mid-range* and *12.5* as one each; where they stand in it."""
    return (_JOINED if _plain(text) else _MARKED_JOINED).finditer(text)


@lru_cache(2**16)
def share(word: str) -> float:
    """How much ``word`` says, in words of English: 1, or less for a character of a script without spaces.

    In translations of the same 1,000 news sentences (Parallel Universal Dependencies), an English word takes 1.65
    characters of Chinese and 4.07 of Thai; Japanese mixes characters that say more and kana that say less. Values are
    sums of powers of two, so sums are exact.
    """
    if word.isascii() or not has_unspaced(word):
        return 1.0
    return 0.375 if _KANA.match(word) else 0.25 if _SYLLABLE.match(word) else 0.625


def amount(tokens: Iterable[str]) -> float:
    """How much ``tokens``, words, say together, in words of English: see `share`."""
    return sum(map(share, tokens))


def sentences(text: str) -> list[list[str]]:
    """The `words` of each sentence of ``text`` that has any.

    A sentence ends at a line break; at a full stop, question mark, exclamation mark or ellipsis before white space; and
    at the marks of Chinese, Japanese, Hindi, Urdu, Arabic, Amharic, Burmese and Khmer wherever they stand. Thai and Lao
    have no mark: white space between two of their letters ends a sentence or a clause there.
    """
    split_text = map(words, _BETWEEN_SENTENCES.split(text))
    return [sentence for sentence in split_text if sentence]


def sentence_ends(text: str, start: int, end: int) -> Iterator[int]:
    """Where the sentences of a part of ``text`` end, the white space behind them included; see `sentences`.

    Args:
        text: any text.
        start: of the part, in code points from 0.
        end: behind it.
    """
    return (match.end() for match in _BETWEEN_SENTENCES.finditer(text, start, end))


def whole_sentences(text: str) -> str:
    """The beginning of ``text`` up to the end of its last whole sentence; empty where no sentence ends."""
    return text[: max((match.end() for match in _SENTENCE_END.finditer(text)), default=0)]


def is_finished(text: str) -> bool:
    """Whether ``text`` ends as a sentence does, or with a closing quote or a smiley; Thai and Lao need no mark."""
    return _FINISHED.search(text) is not None


def _plain(text: str) -> bool:
    """Whether the standard library's ``\\w`` splits ``text`` right."""
    return text.isascii() or _EUROPEAN.fullmatch(text) is not None or _OTHER.search(text) is None
