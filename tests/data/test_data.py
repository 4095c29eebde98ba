"""Stability: one record, or one user, more in a corpus changes the train set by itself at most, from the file on."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support.source_files import write_csv

from lib.common.errors import DoppelError
from lib.data import labels
from lib.data.near_duplicates import first_of_each
from lib.data.private_text import PrivateText
from lib.data.processing import normalise, process
from lib.data.records import Record
from lib.data.sources import load
from lib.data.sources.corpus import Corpus, SourceRequest, draw
from lib.data.tokenize import words

CORPORA = 500  # of each unit
DOMAIN = {"mood": ["bad", "good"]}
USERS = {"record": [["ann", "bob", "eve"], ["ann", "bob", None], [None]], "user": [["ann", "bob", "eve"]]}
OTHERS = [  # so that no side is empty
    Record("", PrivateText(f"other{i} thing{i} that{i} was{i} said{i}"), {"mood": "good"}, f"other{i}")
    for i in range(12)
]
Pair = tuple[list[Record], list[Record]]  # the train sets of a corpus, and of one with a unit more


def text(made: random.Random, earlier: list[Record]) -> str:
    """A text of few words, or one that was there before: repeated, spelled otherwise, or with a word changed."""
    if not earlier or made.random() < 0.3:
        return " ".join(made.choices("abcdef", k=made.randint(1, 9)))
    tokens = made.choice(earlier).text.reveal().split()
    tokens[made.randrange(len(tokens))] = made.choice("abcdef")
    again = made.choice(earlier).text.reveal()
    return made.choice([again, f"  {again}", again.upper(), f"{again}!", " ".join(tokens)])


def records(made: random.Random, count: int, users: list[str | None], earlier: Sequence[Record] = ()) -> list[Record]:
    """Records of ``users``, often like ``earlier`` ones."""
    rows: list[Record] = []
    for _ in range(count):
        said = PrivateText(text(made, [*earlier, *rows]))
        rows.append(Record("", said, {"mood": made.choice(DOMAIN["mood"])}, made.choice(users)))
    return rows


def numbered(rows: list[Record]) -> list[Record]:
    """As a file without ids is read: the number of the row is the id."""
    return [replace(row, id=str(number)) for number, row in enumerate(rows, 1)]


def train_of(rows: list[Record], unit: str, share: float, seed: int, rules: dict) -> list[Record]:
    drawn, _ = draw(numbered(rows), SourceRequest("csv", share=share, unit=unit, seed=seed))
    return process(Corpus(drawn, [], "made", ""), label_domain=DOMAIN, unit=unit, seed=seed, **rules).train


@cache
def neighbours(unit: str) -> list[tuple[Pair, list[Record]]]:
    """Train sets of neighbouring corpora, and the records that the second corpus has more."""
    pairs = []
    for number in range(CORPORA):
        made = random.Random(number)
        users = made.choice(USERS[unit])
        rows = records(made, made.randint(1, 30), users)
        more = records(made, 1, [*users, "new"], rows) if unit == "record" else records(made, 4, ["new"], rows)
        rows += OTHERS
        longer = list(rows)
        for row in more:
            longer.insert(made.randint(0, len(longer)), row)
        rules = {
            "min_words": made.randint(1, 3),
            "near_duplicate_similarity": made.choice([0.3, 0.6, 1.0]),
            "max_records_per_user": made.choice([None, 1, 2, 5]) if unit == "user" else None,
            "test_fraction": 0.3,
        }
        settings = unit, made.choice([1.0, 1.0, 0.6]), number, rules
        try:
            pairs.append(((train_of(rows, *settings), train_of(longer, *settings)), more))
        except DoppelError as error:
            assert error.code == "data.side_empty"
    assert len(pairs) > 0.95 * CORPORA
    return pairs


def changes(pair: Pair, more: list[Record]) -> int:
    """How many records differ between two train sets beside those that ``more`` explains. Ids are no part of one."""
    before, after = (Counter(record.content for record in train) for train in pair)
    added = {replace(row, text=PrivateText(normalise(row.text.reveal()))).content for row in more}
    assert set((after - before).values()) <= {1}
    return (before - after).total() + len((after - before).keys() - added)


@pytest.mark.parametrize("unit", ["record", "user"])
def test_a_unit_more_changes_no_record_of_anybody_else(unit: str) -> None:
    grown = 0
    for (before, after), more in neighbours(unit):
        assert changes((before, after), more) == 0
        kept = {record.content for record in before}
        assert [r.content for r in after if r.content in kept] == [r.content for r in before]  # nor their order
        counts = [np.array(labels.clean_counts(train, DOMAIN, unit=unit)) for train in (before, after)]
        assert np.abs(counts[1] - counts[0]).sum() <= 1
        grown += len(after) > len(before)
    assert 0.2 * CORPORA < grown < 0.9 * CORPORA


def groups(train: list[Record]) -> list[Record]:
    keep = first_of_each([record.text.reveal() for record in train], 0.6)
    return [record for record, kept in zip(train, keep, strict=True) if kept]


def spellings(train: list[Record]) -> list[Record]:
    return list({(r.user, *words(r.text.reveal()), *r.labels.values()): r for r in train}.values())


def bounded(train: list[Record]) -> list[Record]:
    return [record for i, record in enumerate(train) if sum(r.owner == record.owner for r in train[:i]) < 2]


def first(train: list[Record]) -> list[Record]:
    return train[:10]


@pytest.mark.parametrize("rule", [groups, spellings, bounded, first])
def test_a_rule_that_decides_by_the_records_of_others_is_caught(rule: Callable[[list[Record]], list[Record]]) -> None:
    """One of each group of near-duplicates, one of all spellings, two records a user, the first ten."""
    caught = [changes((rule(before), rule(after)), more) for (before, after), more in neighbours("record")]
    assert sum(count > 0 for count in caught) > 5


def test_a_line_more_in_a_file_without_ids_is_a_record_more(tmp_path: Path) -> None:
    """All later lines get another number; nothing but the ids may show it."""
    rows = [{"text": f"word{i} word{i // 2} is the word", "mood": "good", "user": f"u{i % 17}"} for i in range(80)]
    first = {"text": "one more line of somebody", "mood": "bad", "user": "new"}
    trains = []
    for number, lines in enumerate((rows, [first, *rows])):
        path = write_csv(tmp_path / f"{number}.csv", lines)
        corpus = load(f"csv:{path}", columns={"labels.mood": "mood"}, share=0.8, unit="user", seed=4)
        made = process(corpus, label_domain=DOMAIN, max_records_per_user=3, test_fraction=0.4, unit="user", seed=4)
        trains.append([record.content for record in made.train if record.user != "new"])
    assert trains[0] == trains[1] and len(trains[0]) > 20
