"""Turns a corpus into a train and a test set: cleaned, deduplicated, contributions bounded, split by user.

Unit: one record, or one user. Neighbours: corpora *as they are read* that differ by one record, or by all records of
one user. Stability: the train sets made from neighbours are neighbours. The unit that was added adds at most itself to
the train set (one record, or records of that user), and no record of anybody else appears, vanishes or changes. So the
guarantee of every later stage holds from the source on. Each rule has this property by itself, so all in a row have it:

- Normalising, lengths and letters look at one record alone. So do `lib.data.sources.corpus.draw` and the split: both
  compare a hash of one record, or of its user, with a threshold. Nothing is "the first k of all".
- Exact duplicates: a record is its user, text and labels, and what is left is a *set* of records. One more record adds
  one element to a set, or none. Equal means equal to the letter: of spellings that agree in their words alone, one
  would have to be chosen, and a new one could take the place of another. Equal texts of two users both stay, since
  otherwise the text of one user would decide about the other's.
- The bound for a user looks at the records of one user alone, so it takes ``unit: user``. A record more can push
  another one of the same user out, so with ``unit: record`` it is refused.
- Near-duplicates are dropped from the test set only. In train, one more record could take many others out with it.

A record's id only names it, and is no part of it: where a file has no ids it is the number of the row, and all that
follow a new row change theirs. No rule, draw or mechanism reads it; where equal records differ in it, one id stays. The
order of both sets is by a hash of the record, so a new one moves the others by one place at most.

A refusal (a label outside the domain, no record left) may depend on any record. It comes before anything is released.
The test set is for evaluation only, and may change by more than one unit; its size and the number of units are treated
as public. The counts in `Processed.steps` are exact counts of private records: they are for whoever holds the data, and
not for release.

What grows with the corpus lies on the disk where it is large (`lib.data.shelf`, `lib.data.near_duplicates`): in memory
are some tens of bytes a record, and with ``max_records_per_user`` a counter a user.
"""

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lib.common.errors import DoppelError
from lib.data.hash_order import rank
from lib.data.near_duplicates import first_of_each, with_near_duplicate
from lib.data.private_text import PrivateText
from lib.data.records import Record, check_bound, check_labels, check_users
from lib.data.shelf import Shelf
from lib.data.sources.corpus import Corpus
from lib.data.tokenize import count

CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff]")  # never text; without line ends

BUCKETS = 128  # by their hash records are put into so many files, of which one at a time is sorted in memory
IN_MEMORY = 2**16  # bytes of such a file that stay in memory

Rule = tuple[str, Callable[[Record], bool]]  # its name, and whether it keeps a record, of which alone it knows


@dataclass(frozen=True, slots=True)
class Step:
    """A rule that was applied, and how many records it kept and dropped."""

    rule: str
    kept: int
    dropped: int

    def __str__(self) -> str:
        return f"{self.rule}: {self.kept:,} of {self.kept + self.dropped:,} kept"


@dataclass(frozen=True, slots=True)
class Processed:
    """The processed corpus. Train and test share no user, no text and no near-duplicate.

    Attributes:
        train: the private records to learn from, all different in user, text or labels; ordered by a hash of each.
        test: the private records held out, no two of them near-duplicates; in such an order too.
        steps: the rules in the order in which they ran.
    """

    train: Sequence[Record] = field(repr=False)
    test: Sequence[Record] = field(repr=False)
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
    test_fraction: float = 0.15,
    unit: str = "record",
    seed: int = 0,
) -> Processed:
    """Clean, deduplicate, bound and split a corpus; the order of its records does not matter.

    One unit more in the corpus adds at most itself to the train set and changes nothing else of it: see the module.

    Args:
        corpus: the private records.
        label_domain: the labels that all records have, and their values, as in `lib.data.labels.cells`.
        min_words: least number of words in a text, at least 1; counted by `lib.data.tokenize.count`.
        max_words: greatest number of words in a text, at least ``min_words``.
        max_characters: greatest number of characters in a text, at least 1.
        near_duplicate_similarity: least Jaccard similarity of near-duplicates, in (0, 1]. A held-out text that has one
            in train is dropped, and of a group of held-out texts that they link all but one.
        max_records_per_user: most records that a user keeps, at least 1, drawn by a hash; None does not bound them.
        test_fraction: the probability that a user, or the text of a record without one, is held out, in (0, 1).
        unit: ``record`` or ``user``, the unit of the guarantee.
        seed: fixes all draws; none of them is a privacy mechanism.

    Returns:
        train and test set, and how many records each rule kept.

    Raises:
        DoppelError: for a setting out of its range, a bound for users with ``unit`` record, a record without a user
            with ``unit`` user, labels other than those declared, and when no record is left, or none on one side.
    """
    _check_range("min_words", min_words, 1, max_words)
    _check_range("max_characters", max_characters, 1, None)
    _check_range("max_records_per_user", max_records_per_user, 1, None)
    if not 0 < near_duplicate_similarity <= 1:
        raise out_of_range("near_duplicate_similarity", near_duplicate_similarity, "be above 0 and at most 1")
    if not 0 < test_fraction < 1:
        raise out_of_range("test_fraction", test_fraction, "lie between 0 and 1")
    check_bound(max_records_per_user, unit)
    check_users(corpus.records, unit)
    check_labels(corpus.records, label_domain)
    cleaned = _Cleaned(corpus.records, _rules(min_words, max_words, max_characters), seed)
    sides, records_of, bounded = (Shelf(), Shelf()), Counter(), 0
    for record in cleaned:
        if max_records_per_user is not None:
            records_of[record.owner] += 1
            if records_of[record.owner] > max_records_per_user:
                bounded += 1
                continue
        name = _text(record) if record.user is None else record.user
        sides[rank(seed, "split", name) < test_fraction * 2**64].add(record)
    (train, test), steps = sides, cleaned.steps
    records = len(train) + len(test)
    if max_records_per_user is not None:
        steps.append(Step(f"at most {max_records_per_user} records a user", records, bounded))
    if train and test:
        test = far(test, train, near_duplicate_similarity)
        left = len(train) + len(test)
        rule = f"held out: no near-duplicate (similarity {near_duplicate_similarity:g})"
        steps.append(Step(rule, left, records - left))
    if not train or not test:
        raise side_empty("test" if train else "train", test_fraction, steps)
    return Processed(train, test, steps)


def clean(
    records: Iterable[Record], *, min_words: int, max_words: int, max_characters: int, seed: int = 0
) -> tuple[list[Record], list[Step]]:
    """Apply to other texts the rules that look at one record alone, and count equal ones once, as `process` does.

    Args:
        records: at least one.
        min_words: as `process` takes it.
        max_words: likewise.
        max_characters: likewise.
        seed: fixes the order.

    Returns:
        The records that are left, ordered by a hash of each, so that the first k of them are a fair draw; and how many
        each rule kept.

    Raises:
        DoppelError: no record is left.
    """
    cleaned = _Cleaned(records, _rules(min_words, max_words, max_characters), seed)
    return list(cleaned), cleaned.steps


def normalise(text: str) -> str:
    """``text`` in Unicode NFC, without control characters, with single spaces within lines and without empty lines."""
    lines = unicodedata.normalize("NFC", CONTROLS.sub("", text)).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _rules(min_words: int, max_words: int, max_characters: int) -> list[Rule]:
    """The rules about one record alone."""
    return [
        (f"at least {min_words} words", lambda record: count(_text(record)) >= min_words),
        (f"at most {max_words} words", lambda record: count(_text(record)) <= max_words),
        (f"at most {max_characters:,} characters", lambda record: len(record.text) <= max_characters),
        ("has letters", lambda record: any(map(str.isalpha, _text(record)))),
    ]


class _Cleaned:
    """The records that every rule keeps, each once, sorted by hash, so that keeping a user's first ones is a fair draw.

    Equal records have equal hashes, so they meet in one of `BUCKETS` files, and one file at a time is sorted.

    Args:
        records: read once.
        rules: in their order.
        seed: fixes the order.

    Attributes:
        steps: how many records each rule kept; that equal ones count once is among them after the iteration.

    Raises:
        DoppelError: no record is left.
    """

    def __init__(self, records: Iterable[Record], rules: Sequence[Rule], seed: int):
        self._buckets = [(array("Q"), Shelf(in_memory=IN_MEMORY)) for _ in range(BUCKETS)]
        dropped: Counter[int] = Counter()
        for record in records:
            record = replace(record, text=PrivateText(normalise(_text(record))))
            failed = next((place for place, (_, keeps) in enumerate(rules) if not keeps(record)), None)
            if failed is None:
                place = rank(seed, "keep", record.content)
                ranks, shelf = self._buckets[place * BUCKETS >> 64]
                ranks.append(place)
                shelf.add(record)
            dropped[-1 if failed is None else failed] += 1
        left = dropped.total()
        self.steps = [Step("read, white space and Unicode normalised", left, 0)]
        for place, (rule, _) in enumerate(rules):
            left -= dropped[place]
            self.steps.append(Step(rule, left, dropped[place]))
            if not left:
                raise no_record_left(rule, self.steps)

    def __iter__(self) -> Iterator[Record]:
        kept = again = 0
        while self._buckets:
            ranks, shelf = self._buckets.pop(0)  # which frees its file
            pairs = sorted(zip(ranks, shelf, strict=True), key=lambda pair: (pair[0], pair[1].id))
            is_first = at_most(1, (record.content for _, record in pairs))
            for (_, record), first in zip(pairs, is_first, strict=True):
                kept, again = kept + first, again + (not first)
                if first:
                    yield record
        self.steps.append(Step("no exact duplicate", kept, again))


def far(test: Sequence[Record], train: Sequence[Record], similarity: float) -> Sequence[Record]:
    """The records of ``test`` that are no near-duplicate of one of ``train`` or of an earlier one of ``test``.

    Args:
        test: held-out records.
        train: the private records to learn from.
        similarity: least Jaccard similarity of near-duplicates, in (0, 1].
    """
    near = with_near_duplicate(map(_text, test), map(_text, train), similarity)
    keep = first_of_each(map(_text, test), similarity) & ~near
    return Shelf(record for record, kept in zip(test, keep, strict=True) if kept)


def no_record_left(rule: str, steps: list[Step]) -> DoppelError:
    """The refusal of a corpus of which the last of these ``steps``, a ``rule``, keeps nothing."""
    return DoppelError(
        "data.no_record_left",
        f"no record is left after the rule {rule!r} ({_table(steps)})",
        name=rule,
        remedy="loosen this rule",
    )


def side_empty(side: str, test_fraction: float, steps: list[Step]) -> DoppelError:
    """The refusal of a corpus of which nothing is left, after these ``steps``, on a ``side``: ``train`` or ``test``."""
    return DoppelError(
        "data.side_empty",
        f"no record is left on the {side} side, test_fraction is {test_fraction} ({_table(steps)})",
        name="test_fraction",
        value=test_fraction,
        remedy="read more records, or change test_fraction or seed",
    )


def at_most(bound: int, keys: Iterable[str]) -> Iterator[bool]:
    """Whether each key has occurred at most ``bound`` times so far."""
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
        raise out_of_range(name, value, f"be at least {least}" + ("" if most is None else f" and at most {most}"))


def out_of_range(name: str, value: float, bounds: str) -> DoppelError:
    """The refusal of a ``value`` of the setting ``name``, which must be within ``bounds``, in words."""
    return DoppelError("data.out_of_range", f"{name} is {value}, it must {bounds}", name=name, value=value)
