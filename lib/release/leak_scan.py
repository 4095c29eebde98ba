"""Whether files that would be released contain private text, word for word. *Evaluation only*: outputs are counts.

Every string of every file of a pack is searched for

- passages of train: sentences, whole records and long runs of words (`lib.audit.verbatim.passages`);
- email addresses, web addresses, and numbers that look like those of phones and cards
  (`lib.audit.memorisation.PATTERNS`);
- ids of the corpus' records and users, where an id can be told from an ordinary word or number.

Text that is in a held-out record too, or in the records of `COMMON` users, is common, and says nothing about any one of
them. Shorter passages cannot be told from chance: a model writes many five-word sentences without having memorised
them. `not_searched` counts the texts that are too short as a whole, or hold no words that this search can tell apart.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from lib.audit.memorisation import PATTERNS, personal_strings
from lib.audit.verbatim import MIN_WORDS, holders, passages
from lib.common import jsonl
from lib.data.records import Record
from lib.data.tokenize import amount, has_unspaced, spaced, words

UNREADABLE = 100  # characters without white space: so many with fewer than `MIN_WORDS` words are no ordinary text
COMMON = 3  # users
DENSE = 0.01  # where this share of all numbers are ids, an ordinary number is an id by chance

_TOKEN = re.compile(r"[\w.@+-]+")
_PERSONAL = {"email": "emails", "url": "web addresses", "phone": "phone numbers", "card": "card numbers"}
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_MADE = re.compile(r"synthetic-\d+")  # ids that Doppel itself gives

Strings = Mapping[str, Sequence[str]]  # file name -> the strings in the file
Passage = tuple[str, ...]  # words
Pieces = dict[str, dict[object, set[int]]]  # file name -> private piece -> numbers of the strings that contain it


@dataclass(frozen=True, slots=True)
class Passages:
    """Private text of one kind in one file. Holds none of the text.

    Attributes:
        file: its name.
        kind: of private text, ``emails`` say.
        count: how many different pieces of it the file contains.
        first: numbers, from 0, of the first strings of the file that contain one; five at most.
    """

    file: str
    kind: str
    count: int
    first: Sequence[int]


def search(strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> list[Passages]:
    """Look for private text.

    Args:
        strings: the strings of each file, by its name.
        train: the private records that were trained on; of scrubbed ones also the originals, whose users they share.
        held_out: the private records that were not; what they contain too is common.

    Returns:
        A finding for each kind of private text in each file that contains any.
    """
    by_kind = {
        "sentences or runs of words": _passages(strings, train, held_out),
        **{_PERSONAL[kind]: _personal(kind, strings, train, held_out) for kind in PATTERNS},
        "ids of records or users": _ids(strings, train, held_out),
    }
    return [
        Passages(file, kind, len(pieces), sorted({place for places in pieces.values() for place in places})[:5])
        for kind, by_file in by_kind.items()
        for file, pieces in by_file.items()
    ]


@dataclass(frozen=True, slots=True)
class NotSearched:
    """How many texts `search` looks at for addresses and ids alone, because they are too short as a whole.

    Counts of private texts are exact: for the holder's eyes. Those of synthetic texts may be shown.

    Attributes:
        texts: how many texts there are.
        short: those with fewer than `MIN_WORDS` words, so that no copy of them can be told from chance.
        unreadable: those of ``short`` that have `UNREADABLE` characters or more, and so hold something else than words:
            emoji alone, or a script whose words nothing here can tell apart.
    """

    texts: int
    short: int
    unreadable: int


def not_searched(texts: Sequence[str]) -> NotSearched:
    """Count the texts whose sentences `search` cannot look for, or cannot look in.

    Args:
        texts: those of the private records, or the strings of a file.
    """
    short = [text for text in texts if amount(words(text)) < MIN_WORDS]
    unreadable = sum(len("".join(text.split())) >= UNREADABLE for text in short)
    return NotSearched(len(texts), len(short), unreadable)


def strings_of(folder: Path) -> dict[str, list[str]]:
    """Every string of every file, decoded: a search of the bytes would miss what is escaped or compressed.

    Args:
        folder: whose files are read, those in its subfolders too.

    Returns:
        The strings of each file, by its path in the folder. A record of JSONL or Parquet is one string, and so is a
        file of unknown format.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): list(_decoded(path)) for path in files}


def _decoded(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        for _, row in jsonl.read(path):
            yield "\n".join(_leaves(row))
    elif path.suffix == ".parquet":
        table = pq.read_table(path)
        yield from ("\n".join(_leaves(row)) for row in table.to_pylist())
        yield str(table.schema.metadata)
    elif path.suffix == ".json":
        yield from _leaves(json.loads(path.read_text("utf-8")))
    else:
        yield path.read_bytes().decode("utf-8", errors="replace")


def _leaves(value: object) -> Iterator[str]:
    """The strings in a JSON value, with the keys of objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *_leaves(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)


def _passages(strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> Pieces:
    """Sentences, records and runs of train that a file contains and that are not common."""
    searches = {file: holders(texts) for file, texts in strings.items()}
    contained: Pieces = defaultdict(lambda: defaultdict(set))
    for record in train:
        for passage in passages(record.text.reveal()):
            for file, find in searches.items():
                if places := find(passage):
                    contained[file][tuple(passage)] |= places
    distinct = {passage for pieces in contained.values() for passage in pieces}
    return _without(contained, _common(distinct, train, held_out))


def _common(distinct: set[Passage], train: Sequence[Record], held_out: Sequence[Record]) -> set[object]:
    """Those passages that are in a held-out record, or in the records of `COMMON` users."""
    if not distinct:
        return set()
    spelled = {passage: _spelled(passage) for passage in distinct}
    held_out_texts = [_spelled(words(record.text.reveal())) for record in held_out]
    common: set[object] = {
        passage for passage, text in spelled.items() if any(text in other for other in held_out_texts)
    }
    users: dict[Passage, set[str]] = defaultdict(set)
    for record in train:
        record_text = _spelled(words(record.text.reveal()))
        for passage, text in spelled.items():
            if text in record_text:
                users[passage].add(record.owner)
    return common | {passage for passage, owners in users.items() if len(owners) >= COMMON}


def _spelled(tokens: Sequence[str]) -> str:
    """Words as a string in which no word can match a part of another."""
    return f" {' '.join(tokens)} "


def _personal(kind: str, strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> Pieces:
    """Addresses or numbers of train, of one kind, that a file contains and that are not common."""
    contained: Pieces = defaultdict(lambda: defaultdict(set))
    for file, texts in strings.items():
        for place, text in enumerate(texts):
            for piece in personal_strings(kind, text):
                contained[file][piece].add(place)
    pieces = {piece for by_piece in contained.values() for piece in by_piece}
    users: dict[object, set[str]] = defaultdict(set)
    for record in train if pieces else ():
        for piece in pieces & personal_strings(kind, record.text.reveal()):
            users[piece].add(record.owner)
    private = {piece for piece, owners in users.items() if len(owners) < COMMON}
    for record in held_out if private else ():
        private -= personal_strings(kind, record.text.reveal())
    return _without(contained, pieces - private)


def _ids(strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> Pieces:
    """Ids of records and users that a file contains and that are no ordinary words or numbers."""
    both = (*train, *held_out)
    ids = _distinctive({record.id for record in both}) | _distinctive({record.user for record in both if record.user})
    ids -= {token for record in held_out for token in _tokens(record.text.reveal())} if ids else set()
    single_tokens = {name for name in ids if _TOKEN.fullmatch(name) and spaced(name) == name}  # looked up: many
    others = ids - single_tokens
    contained: Pieces = defaultdict(lambda: defaultdict(set))
    for file, texts in strings.items():
        for place, text in enumerate(texts):
            for name in (single_tokens & _tokens(text)) | {name for name in others if name in text}:
                contained[file][name].add(place)
    unspaced = {name for names in contained.values() for name in names if has_unspaced(name)}
    return _without(contained, {name for name in unspaced if any(name in r.text.reveal() for r in held_out)})


def _tokens(text: str) -> set[str]:
    return {token.strip(".") for token in _TOKEN.findall(spaced(text))}


def _distinctive(names: set[str]) -> set[str]:
    """Those ids of a corpus that can be told from an ordinary word or number.

    Without an id column the row number is the id, and any ordinary number, as in "150000 miles", is one of them. So
    plain numbers are left out where they fill `DENSE` of the numbers up to their highest. Customer numbers of nine
    digits do not: a text that contains one has it from the corpus.
    """
    numbers = {name for name in names if _NUMBER.fullmatch(name)}
    dense = numbers and len(numbers) >= DENSE * max(map(int, numbers))
    return {name for name in (names - numbers if dense else names) if _long_or_mixed(name)}


def _long_or_mixed(name: str) -> bool:
    if _MADE.fullmatch(name):
        return False
    mixed = bool(re.search(r"\d", name)) and bool(re.search(r"\D", name))
    return len(name) >= 6 or (mixed and len(name) >= 3)


def _without(pieces: Pieces, common: Iterable[object]) -> Pieces:
    """The pieces that are not common, in the files that contain any."""
    common = set(common)
    private = {
        file: {piece: places for piece, places in by_piece.items() if piece not in common}
        for file, by_piece in pieces.items()
    }
    return {file: by_piece for file, by_piece in private.items() if by_piece}
