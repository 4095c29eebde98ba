"""What a preset declares of a corpus, read off the corpus itself: the values of labels, and limits of length.

None of this is private by a mechanism. What comes from here becomes public once it stands in a parameter file, as the
declared domain does: whoever holds the data looks at it first, and says yes. Lengths are rounded to coarse steps, so
that they say little about any record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.common.errors import DoppelError
from lib.common.paths import DATA
from lib.common.printable import printable
from lib.data.processing import normalise
from lib.data.records import Record
from lib.data.sources.survey import MOST_VALUES
from lib.data.spelling import spelled
from lib.data.tokenize import count, has_unspaced

LONGEST_VALUE = 80  # characters of a label value: a longer one looks like free text
MOST_TOKENS = 1024  # of a record; longer ones are cut
TOKENS_A_WORD = 1.4  # of English, where no tokenizer is at hand
KEPT = 0.9  # of the records, at least, are within the limits of words
WHOLE = 0.98  # of the records within these are within the limit of tokens

_STEPS = (1, 2, 3, 5)  # times a power of ten: what limits of words are rounded up to
_COUNTED = 2_000  # texts that are cut into tokens, at most


@dataclass(frozen=True, slots=True)
class Lengths:
    """Limits of length that fit a corpus, in coarse steps.

    Attributes:
        min_words: least number of words of a text.
        max_words: greatest number of words.
        max_characters: greatest number of characters.
        tokens: of a text of that length, its end counted.
        one_line: whether hardly any text has more than one line.
        unspaced: whether most texts are in a script without spaces between words, each of whose characters is a word.
        records: how many are within the limits of words.
    """

    min_words: int
    max_words: int
    max_characters: int
    tokens: int
    one_line: bool
    unspaced: bool
    records: int


def label_values(records: Sequence[Record], name: str) -> list[str]:
    """The different values of a label, in order: numbers by size, others by letter.

    Args:
        records: all of the corpus.
        name: of the label.

    Raises:
        DoppelError: a record has no value, all have the same, or the values look like free text, an id or a
            measurement. No value is quoted.
    """
    missing = sum(name not in record.labels for record in records)
    if missing:
        raise DoppelError(
            "data.label_incomplete",
            f"{missing:,} of {len(records):,} records have no {name}",
            name=name,
            value=missing,
            remedy="leave the label out, or fill its empty cells, with 'unknown' say",
        )
    values = {spelled(record.labels[name]): record.labels[name] for record in records}
    if len(values) > MOST_VALUES:
        raise _no_label(name, f"has {len(values):,} different values, at most {MOST_VALUES} make a label", len(values))
    if len(values) == 1:
        raise _no_label(name, "has one value alone, which tells nothing", 1)
    if any(len(value) > LONGEST_VALUE for value in values.values()):
        raise _no_label(name, f"has a value (hidden) of over {LONGEST_VALUE} characters", None)
    if any(printable(value) != value for value in values.values()):
        raise _no_label(name, "has a value (hidden) with a line break or another control character", None)
    try:
        return sorted(values.values(), key=float)
    except ValueError:
        return sorted(values.values())


def fitting_lengths(texts: Sequence[str], tokenizer: Path | None, max_words: int | None = None) -> Lengths:
    """Limits of length that leave most texts in.

    Args:
        texts: all of the corpus, private.
        tokenizer: a model's ``tokenizer.json``; None where there is none, and tokens are estimated.
        max_words: greatest number of words, if it is chosen already, at least 1.

    Returns:
        The limits. At least `KEPT` of the texts are within ``max_words``, unless that was given.

    Raises:
        DoppelError: no text has a word.
    """
    cleaned = [text for text in map(normalise, texts) if text]
    counts = list(map(count, cleaned))
    words = sorted(counts)
    if not words:
        raise DoppelError("data.no_text", "all texts are empty", name="text", remedy="name the column of the text")
    most = max_words or rounded_up(words[min(len(words) - 1, int(KEPT * len(words)))])
    least = min(4 if words[int((1 - KEPT) * len(words))] >= 4 else 1, most)
    kept = [text for text, number in zip(cleaned, counts, strict=True) if least <= number <= most]
    lines = sum("\n" in text for text in kept)
    return Lengths(
        min_words=least,
        max_words=most,
        max_characters=max(2_000, 10 * most),
        tokens=_tokens(kept, tokenizer, most),
        one_line=lines <= (1 - KEPT) * len(kept),
        unspaced=2 * sum(map(has_unspaced, kept)) > len(kept),
        records=len(kept),
    )


def rounded_up(number: int) -> int:
    """The least of 10, 20, 30, 50, 100, 200, ... that is at least ``number``."""
    scale = 10
    while scale * _STEPS[-1] < number:
        scale *= 10
    return next(step * scale for step in _STEPS if step * scale >= number)


def tokenizer_file(model: str, root: Path = DATA) -> Path | None:
    """The ``tokenizer.json`` of a model, if it is on this machine; nothing is fetched.

    Args:
        model: as `lib.models.loading.locate` takes it.
        root: the data folder.
    """
    kind, _, name = model.partition(":")
    path = (root / "models" / name if kind == "bundled" else Path(model)) / "tokenizer.json"
    return path if path.is_file() else None


def _tokens(texts: Sequence[str], tokenizer: Path | None, most: int) -> int:
    """Tokens of nearly all texts, and one for the end, in steps of 32."""
    if tokenizer is None or not texts:
        needed = TOKENS_A_WORD * most + 1
    else:
        from tokenizers import Tokenizer

        counter = Tokenizer.from_file(str(tokenizer))
        some = texts[:: -(-len(texts) // _COUNTED)]
        lengths = sorted(len(encoding.ids) for encoding in counter.encode_batch(list(some), add_special_tokens=False))
        needed = lengths[min(len(lengths) - 1, int(WHOLE * len(lengths)))] + 1
    return min(MOST_TOKENS, 32 * -(-int(needed) // 32))


def _no_label(name: str, sentence: str, value: int | None) -> DoppelError:
    return DoppelError(
        "data.not_a_label",
        f"{name} {sentence}",
        name=name,
        value=value,
        remedy="leave it out, or merge its values in the file",
    )
