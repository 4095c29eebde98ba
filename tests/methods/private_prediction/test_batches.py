"""Batches: one unit more changes one batch, users stay together, and texts have batches of their own."""

import numpy as np
import pytest
from support.errors import refused

from lib.data import labels
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.private_prediction import batches
from lib.methods.private_prediction.batches import Batch, Plan

CELLS = [{"mood": "good"}, {"mood": "bad"}]
DOMAIN = {"mood": ["good", "bad"]}
PLAN = Plan(np.array([2, 1]), np.array([4, 3]))
KEY = batches.draw_key(5)


def corpus(count: int = 60, users: int = 0) -> list[Record]:
    return [
        Record(f"r{n}", PrivateText(f"text {n}"), CELLS[n % 3 % 2], f"u{n % users}" if users else None)
        for n in range(count)
    ]


def parted(records: list[Record], unit: str = "record", key: str = KEY) -> dict[Batch, list[list[str]]]:
    """Ids of the records of each unit of each batch."""
    assigned = batches.assign(records, CELLS, PLAN, unit=unit, key=key)
    return {batch: [[record.id for record in members] for members in units] for batch, units in assigned.items()}


def test_every_record_is_in_one_batch_of_its_label():
    found = parted(corpus())
    assert sorted(id for units in found.values() for (id,) in units) == sorted(record.id for record in corpus())
    good = {record.id for record in corpus() if record.labels["mood"] == "good"}
    for batch, units in found.items():
        assert batch.number < PLAN.batches[batch.cell]
        assert all((id in good) == (batch.cell == 0) for (id,) in units)


@pytest.mark.parametrize(("unit", "users"), [("record", 0), ("user", 9)])
def test_one_unit_more_changes_its_own_batch_alone(unit, users):
    records = corpus(users=users)
    whole = parted(records, unit)
    for gone in {record.owner if unit == "user" else record.id for record in records}:
        rest = [record for record in records if gone not in (record.owner, record.id)]
        without = parted(rest, unit)
        changed = [batch for batch in {*whole, *without} if whole.get(batch) != without.get(batch)]
        assert len(changed) == 1
        assert [units for units in whole[changed[0]] if units not in without.get(changed[0], [])]


def test_the_order_of_the_file_and_the_ids_say_nothing():
    renamed = [Record(f"x{n}", record.text, record.labels) for n, record in enumerate(reversed(corpus()))]
    sizes = {batch: len(units) for batch, units in parted(corpus()).items()}
    assert {batch: len(units) for batch, units in parted(renamed).items()} == sizes
    assert parted(corpus(), key=batches.draw_key(6)) != parted(corpus())


def test_a_user_stands_in_one_batch_of_the_label_that_the_histogram_counts():
    records = corpus(users=9)
    found = parted(records, "user")
    placed = [(batch, units) for batch, all_units in found.items() for units in all_units]
    assert len(placed) == 9
    by_id = {record.id: record for record in records}
    for batch, ids in placed:
        assert len({by_id[id].user for id in ids}) == 1
        user = [record for record in records if record.user == by_id[ids[0]].user]
        own = [record.id for record in user if record.labels == CELLS[batch.cell]]
        assert sorted(ids) == sorted(own)
        counted = labels.clean_counts(user, DOMAIN, unit="user")
        assert counted[batch.cell] == 1


def test_equal_records_are_units_of_one_batch():
    twice = [Record("a", PrivateText("same"), CELLS[0]), Record("b", PrivateText("same"), CELLS[0])]
    ((units),) = parted(twice).values()
    assert sorted(units) == [["a"], ["b"]]


def test_a_plan_has_a_batch_for_each_text_and_about_the_expected_units_in_each():
    plan = batches.plan(np.array([0.75, 0.25]), np.array([6, 2]), units=400, expected_batch=10)
    assert plan.batches.tolist() == [30, 10]
    assert plan.written == [*(Batch(0, n) for n in range(6)), Batch(1, 0), Batch(1, 1)]
    tight = batches.plan(np.array([0.9, 0.1]), np.array([35, 5]), units=400, expected_batch=10)
    assert tight.batches.tolist() == [36, 5]  # one more than a tenth of the units fills
    assert batches.plan(np.array([1.0, 0.0]), np.array([1, 0]), units=400, expected_batch=400).batches.tolist() == [
        1,
        1,
    ]
    with refused("methods.too_few_units", name="samples", value=41):
        batches.plan(np.array([0.75, 0.25]), np.array([31, 10]), units=400, expected_batch=10)


def test_a_key_is_new_unless_it_is_seeded():
    assert batches.draw_key(5) == KEY != batches.draw_key(6)
    assert len(bytes.fromhex(batches.draw_key(None))) == 32 and batches.draw_key(None) != batches.draw_key(None)


def test_sizes_are_those_of_a_fair_hash():
    many = [Record(f"r{n}", PrivateText(f"text {n}"), CELLS[0]) for n in range(4000)]
    plan = Plan(np.array([0, 0]), np.array([40, 1]))
    sizes = [len(units) for units in batches.assign(many, CELLS, plan, unit="record", key=KEY).values()]
    assert sum(sizes) == 4000 and np.square(np.array(sizes) - 100).sum() / 100 < 80  # chi-square, 39 degrees: 1e-4
