"""Whether private text stands in what would be handed out, word for word. *Evaluation only*: outputs are counts.

Looked for are, in every string of every file of a pack:

- sentences of train of at least `MIN_WORDS` words, whole records of as many, and any run of `RUN` words;
- emails, web addresses, numbers like those of phones and of cards (`lib.audit.memorisation.PATTERNS`);
- ids of the corpus' records and users, where an id can be told from an ordinary word or number.

What stands in held-out records too, or in the records of `COMMON` users, is common and says nothing about one of them.
Shorter pieces cannot be told from chance: a five-word sentence comes back without anybody's memory.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from lib.audit.memorisation import PATTERNS, personal_strings
from lib.common import jsonl
from lib.data.records import Record
from lib.data.tokenize import sentences, words

MIN_WORDS = 8  # of a sentence, as in lib.audit.verbatim
RUN = 16  # words that stand together by more than chance: fresh reviews share at most 11 with 1,800 others
COMMON = 3  # users
DENSE = 0.01  # of all numbers: where as many are ids, an ordinary number is one by chance

_TOKEN = re.compile(r"[\w.@+-]+")
_PERSONAL = {"email": "emails", "url": "web addresses", "phone": "phone numbers", "card": "card numbers"}
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_MADE = re.compile(r"synthetic-\d+")  # the ids that Doppel itself gives

Strings = Mapping[str, Sequence[str]]  # what stands in each file


@dataclass(frozen=True, slots=True)
class Finding:
    """``count`` different pieces of one ``kind`` in one ``file``; ``first`` are the first strings that hold one."""

    file: str
    kind: str
    count: int
    first: Sequence[int]


def search(strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> list[Finding]:
    """Every kind of private text in every file, where there is any."""
    kinds = {
        "sentences or runs of words": _passages(strings, train, held_out),
        **{_PERSONAL[kind]: _personal(kind, strings, train, held_out) for kind in PATTERNS},
        "ids of records or users": _ids(strings, train, held_out),
    }
    return [
        Finding(file, kind, len(pieces), sorted({place for places in pieces.values() for place in places})[:5])
        for kind, found in kinds.items()
        for file, pieces in found.items()
    ]


def strings_of(folder: Path) -> dict[str, list[str]]:
    """Every string of every file of a folder, decoded: a search of the bytes would miss what is escaped or packed."""
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
    """The strings in a JSON value, keys and all."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *_leaves(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)


Pieces = dict[str, dict[object, set[int]]]  # file -> piece -> places of the strings that hold it


def _passages(strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> Pieces:
    starts: dict[tuple[str, ...], list[tuple[str, int, list[str], int]]] = defaultdict(list)
    for file, texts in strings.items():
        for place, text in enumerate(texts):
            said = words(text)
            for i in range(len(said) - MIN_WORDS + 1):
                starts[tuple(said[i : i + MIN_WORDS])].append((file, place, said, i))
    found: Pieces = defaultdict(lambda: defaultdict(set))
    for record in train:
        for part in _parts(record.text.reveal()):
            for file, place, said, i in starts.get(tuple(part[:MIN_WORDS]), ()):
                if said[i : i + len(part)] == part:
                    found[file][tuple(part)].add(place)
    parts = {part for pieces in found.values() for part in pieces}
    return _without(found, _common(parts, train, held_out))


def _parts(text: str) -> Iterator[list[str]]:
    """The words of each passage whose return is no chance: sentences, the whole, runs."""
    whole = words(text)
    yield from (one for one in [whole, *sentences(text)] if len(one) >= MIN_WORDS)
    yield from (whole[i : i + RUN] for i in range(len(whole) - RUN + 1))


def _common(parts: set[tuple[str, ...]], train: Sequence[Record], held_out: Sequence[Record]) -> set[object]:
    """Those that stand in a held-out record, or in the records of `COMMON` users."""
    spelled = {part: f" {' '.join(part)} " for part in parts}
    elsewhere = [f" {' '.join(words(record.text.reveal()))} " for record in held_out] if parts else []
    common: set[object] = {part for part, text in spelled.items() if any(text in other for other in elsewhere)}
    users: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for record in train if parts else ():
        said = f" {' '.join(words(record.text.reveal()))} "
        for part, text in spelled.items():
            if text in said:
                users[part].add(record.owner)
    return common | {part for part, some in users.items() if len(some) >= COMMON}


def _personal(kind: str, strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> Pieces:
    found: Pieces = defaultdict(lambda: defaultdict(set))
    for file, texts in strings.items():
        for place, text in enumerate(texts):
            for piece in personal_strings(kind, text):
                found[file][piece].add(place)
    pieces = {piece for some in found.values() for piece in some}
    users: dict[object, set[str]] = defaultdict(set)
    for record in train if pieces else ():
        for piece in pieces & personal_strings(kind, record.text.reveal()):
            users[piece].add(record.owner)
    private = {piece for piece, some in users.items() if len(some) < COMMON}
    for record in held_out if private else ():
        private -= personal_strings(kind, record.text.reveal())
    return _without(found, pieces - private)


def _ids(strings: Strings, train: Sequence[Record], held_out: Sequence[Record]) -> Pieces:
    both = (*train, *held_out)
    known = _distinctive({record.id for record in both}) | _distinctive({one.user for one in both if one.user})
    known -= {word for record in held_out for word in _tokens(record.text.reveal())} if known else set()
    simple = {name for name in known if _TOKEN.fullmatch(name)}
    others = known - simple
    found: Pieces = defaultdict(lambda: defaultdict(set))
    for file, texts in strings.items():
        for place, text in enumerate(texts):
            for name in (simple & _tokens(text)) | {name for name in others if name in text}:
                found[file][name].add(place)
    return found


def _tokens(text: str) -> set[str]:
    return {token.strip(".") for token in _TOKEN.findall(text)}


def _distinctive(names: set[str]) -> set[str]:
    """Those of a corpus' ids that can be told from a number or a word that stands there for another reason.

    Without an id column the row number is the id, and any ordinary number, as of 150000 miles, is one of them. So plain
    numbers are left out where they fill `DENSE` of the numbers up to their highest. Customer numbers of nine digits
    do not: a text that holds one has it from somewhere.
    """
    numbers = {name for name in names if _NUMBER.fullmatch(name)}
    dense = numbers and len(numbers) >= DENSE * max(map(int, numbers))
    return {name for name in (names - numbers if dense else names) if _long_or_mixed(name)}


def _long_or_mixed(name: str) -> bool:
    if _MADE.fullmatch(name):
        return False
    mixed = bool(re.search(r"\d", name)) and bool(re.search(r"\D", name))
    return len(name) >= 6 or (mixed and len(name) >= 3)


def _without(found: Pieces, common: Iterable[object]) -> Pieces:
    """The pieces that are not common, in the files where any is left."""
    common = set(common)
    kept = {
        file: {piece: places for piece, places in some.items() if piece not in common} for file, some in found.items()
    }
    return {file: some for file, some in kept.items() if some}
