"""Turns a corpus into a train and a test set: cleaned, deduplicated, contributions bounded, split by user.

Processing looks at several records at once: one of two near-duplicates is dropped, so the text of one record decides
whether another stays. The guarantee of every later stage is therefore about one record, or one user, of the
*processed* train set, and the sizes of the train and test sets are treated as public. The counts in `Processed.steps`
are exact counts of private records: they are for whoever holds the data, and not for release.
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

CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff]")  # never text; without line ends

Rule = tuple[str, Callable[[list[Record]], Iterable[bool]]]  # its name, and which of the records it keeps


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
        train: the private records to learn from, in an order drawn by the seed.
        test: the private records held out, in such an order too.
        steps: the rules in the order in which they ran.
    """

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
    """Clean, deduplicate, bound and split a corpus; the order of its records does not matter.

    Which records stay is drawn by a hash of ``seed`` and the record's id. A user is held out by a hash of ``seed`` and
    the user, whoever else is there.

    Args:
        corpus: the private records.
        label_domain: the labels that all records have, and their values, as in `lib.data.labels.cells`.
        min_words: least number of words in a text, at least 1; words are separated by white space.
        max_words: greatest number of words in a text, at least ``min_words``.
        max_characters: greatest number of characters in a text, at least 1.
        near_duplicate_similarity: least Jaccard similarity of near-duplicates, in (0, 1]; a group that they link keeps
            one text (`lib.data.near_duplicates.first_of_each`).
        max_records_per_user: most records that a user keeps, at least 1; None does not bound them.
        max_records: most records in train and test together, at least 2; None does not bound them.
        test_fraction: the probability that a user is held out, in (0, 1).
        seed: fixes all draws; none of them is a privacy mechanism.

    Returns:
        train and test set, and how many records each rule kept.

    Raises:
        DoppelError: for a setting out of its range, labels other than those declared, and when no record is left, or
            none on one of the two sides.
    """
    _check_range("min_words", min_words, 1, max_words)
    _check_range("max_characters", max_characters, 1, None)
    _check_range("max_records_per_user", max_records_per_user, 1, None)
    _check_range("max_records", max_records, 2, None)
    if not 0 < near_duplicate_similarity <= 1:
        raise _out_of_range("near_duplicate_similarity", near_duplicate_similarity, "be above 0 and at most 1")
    if not 0 < test_fraction < 1:
        raise _out_of_range("test_fraction", test_fraction, "lie between 0 and 1")
    check_labels(corpus.records, label_domain)
    rules = _cleaning_rules(min_words, max_words, max_characters, near_duplicate_similarity)
    if max_records_per_user is not None:
        bound = f"at most {max_records_per_user} records a user"
        rules.append((bound, lambda records: _at_most(max_records_per_user, (r.owner for r in records))))
    if max_records is not None:
        bound = f"at most {max_records:,} records"
        rules.append((bound, lambda records: _at_most(max_records, ("" for _ in records))))

    records, steps = _apply(rules, corpus.records, seed)
    held_out = [rank(seed, "split", record.owner) < test_fraction * 2**64 for record in records]
    train = [record for record, is_test in zip(records, held_out, strict=True) if not is_test]
    test = [record for record, is_test in zip(records, held_out, strict=True) if is_test]
    if not train or not test:
        side = "test" if train else "train"
        raise DoppelError(
            "data.side_empty",
            f"no record fell on the {side} side: {len(records)} records are left, test_fraction is {test_fraction} "
            f"({_table(steps)})",
            name="test_fraction",
            value=test_fraction,
            remedy="read more records, or change test_fraction or seed",
        )
    return Processed(train, test, steps)


def normalise(text: str) -> str:
    """``text`` in Unicode NFC, without control characters, with single spaces within lines and without empty lines."""
    lines = unicodedata.normalize("NFC", CONTROLS.sub("", text)).splitlines()
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _cleaning_rules(min_words: int, max_words: int, max_characters: int, similarity: float) -> list[Rule]:
    """The rules about texts, whoever wrote them."""
    return [
        (f"at least {min_words} words", lambda records: (len(_text(r).split()) >= min_words for r in records)),
        (f"at most {max_words} words", lambda records: (len(_text(r).split()) <= max_words for r in records)),
        (f"at most {max_characters:,} characters", lambda records: (len(r.text) <= max_characters for r in records)),
        ("has letters", lambda records: (any(map(str.isalpha, _text(r))) for r in records)),
        ("no exact duplicate", lambda records: _at_most(1, (" ".join(words(_text(r))) for r in records))),
        (
            f"no near-duplicate (similarity {similarity:g})",
            lambda records: first_of_each([_text(r) for r in records], similarity),
        ),
    ]


def _apply(rules: list[Rule], records: list[Record], seed: int) -> tuple[list[Record], list[Step]]:
    """The records that every rule keeps, sorted by hash, so that keeping the first of several is a fair draw."""
    records = [replace(record, text=PrivateText(normalise(_text(record)))) for record in records]
    records.sort(key=lambda record: (rank(seed, "keep", record.id), record.id))
    steps = [Step("read, white space and Unicode normalised", len(records), 0)]
    for rule, keeps in rules:
        before = len(records)
        records = [record for record, kept in zip(records, keeps(records), strict=True) if kept]
        steps.append(Step(rule, len(records), before - len(records)))
        if not records:
            raise DoppelError(
                "data.no_record_left",
                f"no record is left after the rule {rule!r} ({_table(steps)})",
                name=rule,
                remedy="loosen this rule",
            )
    return records, steps


def _at_most(bound: int, keys: Iterable[str]) -> Iterator[bool]:
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
        raise _out_of_range(name, value, f"be at least {least}" + ("" if most is None else f" and at most {most}"))


def _out_of_range(name: str, value: float, bounds: str) -> DoppelError:
    return DoppelError("data.out_of_range", f"{name} is {value}, it must {bounds}", name=name, value=value)
