"""From a corpus to train and test: cleaned, without duplicates, contributions bounded, split by user.

Processing looks at several records at once: of two near-duplicates one is kept, so what one record says decides
whether another stays. The guarantee of every later stage is therefore about one record, or one user, of the
*processed* train set, and the numbers of its records and of those held out are treated as public. The counts in
`Processed.steps` are exact counts of private records: they are for whoever holds the data, and not for release.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lib.common.errors import DoppelError
from lib.data.hash_order import rank
from lib.data.near_duplicates import first_of_each
from lib.data.private_text import PrivateText
from lib.data.records import Record, check_labels
from lib.data.sources.corpus import Corpus
from lib.data.tokenize import words

CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff]")  # never text; no line end is here

Rule = tuple[str, Callable[[list[Record]], Iterable[bool]]]  # what it asks for, and which records stay


@dataclass(frozen=True, slots=True)
class Step:
    """One rule, in the order in which they ran, and how many records it let through."""

    rule: str
    kept: int
    dropped: int

    def __str__(self) -> str:
        return f"{self.rule}: {self.kept:,} of {self.kept + self.dropped:,} kept"


@dataclass(frozen=True, slots=True)
class Processed:
    """Train and test share no user, no text and no near-duplicate; both in an order drawn by the seed."""

    train: list[Record] = field(repr=False)
    test: list[Record] = field(repr=False)
    steps: list[Step]


def process(
    corpus: Corpus,
    *,
    label_domain: Mapping[str, Sequence[str] | str],
    min_words: int = 4,
    max_words: int = 60,
    max_characters: int = 2_000,
    near_duplicate_similarity: float = 0.6,
    max_records_per_user: int | None = None,
    max_records: int | None = None,
    test_fraction: float = 0.15,
    seed: int = 0,
) -> Processed:
    """Clean, deduplicate, bound and split; the same records in another order give the same result.

    Two texts are near-duplicates when the Jaccard similarity of their sets of word triples (`lib.data.near_duplicates`) is
    at least ``near_duplicate_similarity``, above 0 and at most 1; of a chain of them one stays. At most
    ``max_records_per_user`` records of a user stay, and ``max_records`` in all. Who stays is drawn by a hash of
    ``seed`` and the record's id. A user is on the test side with probability ``test_fraction``, by a hash of ``seed``
    and the user, whoever else is there. Words are what white space separates. Raises DoppelError for a setting out
    of its range, a label outside ``label_domain``, and when no record is left.
    """
    _check_range("min_words", min_words, 1, max_words)
    _check_range("max_characters", max_characters, 1, None)
    _check_range("max_records_per_user", max_records_per_user, 1, None)
    _check_range("max_records", max_records, 2, None)
    if not 0 < near_duplicate_similarity <= 1:
        raise DoppelError(f"near_duplicate_similarity is {near_duplicate_similarity}, it must be above 0 and at most 1")
    if not 0 < test_fraction < 1:
        raise DoppelError(f"test_fraction is {test_fraction}, it must lie between 0 and 1")
    check_labels(corpus.records, label_domain)
    rules: list[Rule] = [
        (f"at least {min_words} words", lambda kept: (len(_text(r).split()) >= min_words for r in kept)),
        (f"at most {max_words} words", lambda kept: (len(_text(r).split()) <= max_words for r in kept)),
        (f"at most {max_characters:,} characters", lambda kept: (len(r.text) <= max_characters for r in kept)),
        ("has letters", lambda kept: (any(map(str.isalpha, _text(r))) for r in kept)),
        ("no exact duplicate", lambda kept: _at_most(1, (" ".join(words(_text(r))) for r in kept))),
        (
            f"no near-duplicate (similarity {near_duplicate_similarity:g})",
            lambda kept: first_of_each([_text(r) for r in kept], near_duplicate_similarity),
        ),
    ]
    if max_records_per_user is not None:
        bound = f"at most {max_records_per_user} records a user"
        rules.append((bound, lambda kept: _at_most(max_records_per_user, (r.owner for r in kept))))
    if max_records is not None:
        rules.append((f"at most {max_records:,} records", lambda kept: _at_most(max_records, ("" for _ in kept))))

    records, steps = _apply(rules, corpus.records, seed)
    tested = [rank(seed, "split", record.owner) < test_fraction * 2**64 for record in records]
    train = [record for record, held_out in zip(records, tested, strict=True) if not held_out]
    test = [record for record, held_out in zip(records, tested, strict=True) if held_out]
    if not train or not test:
        side = "test" if train else "train"
        raise DoppelError(
            f"no record fell on the {side} side: {len(records)} records are left, test_fraction is {test_fraction}; "
            f"read more records, or change test_fraction or seed. {_table(steps)}"
        )
    return Processed(train, test, steps)


def normalise(text: str) -> str:
    """Unicode NFC without control signs, single spaces within lines, no empty lines."""
    lines = unicodedata.normalize("NFC", CONTROLS.sub("", text)).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _apply(rules: list[Rule], records: list[Record], seed: int) -> tuple[list[Record], list[Step]]:
    """The records that every rule lets through, smallest hash first, so that the first of several is a fair draw."""
    records = [replace(record, text=PrivateText(normalise(_text(record)))) for record in records]
    records.sort(key=lambda record: (rank(seed, "keep", record.id), record.id))
    steps = [Step("read, white space and Unicode normalised", len(records), 0)]
    for rule, stays in rules:
        before = len(records)
        records = [record for record, kept in zip(records, stays(records), strict=True) if kept]
        steps.append(Step(rule, len(records), before - len(records)))
        if not records:
            raise DoppelError(f"no record is left after the rule {rule!r}; loosen it. {_table(steps)}")
    return records, steps


def _at_most(bound: int, keys: Iterable[str]) -> Iterator[bool]:
    """Whether each key has come at most ``bound`` times so far."""
    seen: Counter[str] = Counter()
    for key in keys:
        seen[key] += 1
        yield seen[key] <= bound


def _text(record: Record) -> str:
    return record.text.reveal()


def _table(steps: list[Step]) -> str:
    return "; ".join(str(step) for step in steps)


def _check_range(name: str, value: int | None, least: int, most: int | None) -> None:
    if value is not None and (value < least or (most is not None and value > most)):
        upper = "" if most is None else f" and at most {most}"
        raise DoppelError(f"{name} is {value}, it must be at least {least}{upper}")
