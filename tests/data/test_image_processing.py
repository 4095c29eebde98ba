"""Images become a train and a test set, and one unit more changes the train set by that unit alone."""

import numpy as np
import pytest
from support.errors import refused

from lib.data import image_processing as processing
from lib.data.images.decoding import Shape, encode
from lib.data.images.parquet import pixels
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.data.sources.corpus import Corpus

DOMAIN = {"kind": ["a", "b"]}
SHAPE = Shape(8, 8, "L")
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (40, 8, 8), dtype=np.uint8)


def corpus(pictures: np.ndarray = PICTURES, users: bool = False) -> Corpus:
    rows = [
        ImageRecord(f"{i}", PrivateImage(encode(p)), {"kind": "ab"[i % 2]}, f"u{i // 4}" if users else None)
        for i, p in enumerate(pictures)
    ]
    return Corpus(rows, [], "toy", "made up")


def processed(made: Corpus, **changes: object) -> processing.Processed:
    return processing.process(made, label_domain=DOMAIN, shape=SHAPE, **changes)


def contents(rows: list[ImageRecord]) -> set[str]:
    return {row.content for row in rows}


@pytest.mark.parametrize("unit", ["record", "user"])
def test_one_unit_more_adds_itself_to_train_and_changes_nothing_else(unit: str) -> None:
    """Equal pictures, near-duplicates and a bound for users among them."""
    pictures = PICTURES.copy()
    pictures[5], pictures[9] = pictures[1], np.clip(pictures[2].astype(int) + 1, 0, 255)
    users = unit == "user"
    whole = corpus(pictures, users)
    rules = {"unit": unit, "max_records_per_user": 2 if users else None, "test_fraction": 0.3}
    train = contents(processed(whole, **rules).train)
    for owner in {row.owner for row in whole.records}:
        left = [row for row in whole.records if row.owner != owner]
        without = contents(processed(Corpus(left, [], "toy", ""), **rules).train)
        own = {row.content for row in processed(whole, **rules).train if row.owner == owner}
        assert without - train == set() and train - without <= own


def test_rules_in_their_order() -> None:
    pictures = PICTURES.copy()
    pictures[2] = pictures[0]  # the same label too
    pictures[4] = 7  # of one colour
    made = processed(corpus(pictures))
    assert [(step.rule, step.dropped) for step in made.steps[:3]] == [
        ("read, of one shape", 0), ("not of one colour", 1), ("no exact duplicate", 1),
    ]  # fmt: skip
    assert len(made.train) + len(made.test) == 38 and made.done == {}
    assert made.train[0].image.size == (8, 8)


def test_a_user_keeps_so_many_and_is_on_one_side() -> None:
    made = processed(corpus(users=True), unit="user", max_records_per_user=2, test_fraction=0.4)
    sides = [{row.user for row in side} for side in (made.train, made.test)]
    assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == 10
    assert len(made.train) + len(made.test) == 20


def test_held_out_pictures_near_to_train_or_to_one_another_are_dropped() -> None:
    train = PICTURES[:10]
    near = np.clip(train[:3].astype(int) + 2, 0, 255).astype(np.uint8)
    held_out = np.concatenate([near, PICTURES[20:23], PICTURES[20:21]])
    found = processing.near_duplicates(held_out, train, 0.02)
    assert found.tolist() == [True, True, True, False, False, False, True]
    assert processing.near_duplicates(held_out, train, 0.0).tolist() == [False] * 6 + [True]
    small = np.abs(pixels(corpus().records).astype(float) - PICTURES).max()
    assert small == 0


def test_the_order_of_the_source_has_no_effect() -> None:
    whole = corpus()
    turned = processed(Corpus(whole.records[::-1], [], "toy", ""))
    assert [row.content for row in turned.train] == [row.content for row in processed(whole).train]


def test_what_cannot_be_processed() -> None:
    damaged = Corpus([*corpus().records, ImageRecord("x", PrivateImage(b"no"), {"kind": "a"})], [], "toy", "")
    with refused("data.no_image") as error:
        processed(damaged)
    assert error.value.where == "toy, picture 41"
    with refused("data.label_outside_domain"):
        processing.process(corpus(), label_domain={"kind": ["a"]}, shape=SHAPE)
    with refused("data.bound_by_record"):
        processed(corpus(), max_records_per_user=2)
    with refused("data.user_missing"):
        processed(corpus(), unit="user")
    with refused("data.no_record_left", name="not of one colour"):
        processed(corpus(np.zeros((3, 8, 8), np.uint8)))
    with refused("data.side_empty"):
        processed(corpus(), test_fraction=1e-9)
    for change in ({"test_fraction": 1.0}, {"near_duplicate_distance": -0.1}):
        with refused("data.out_of_range"):
            processed(corpus(), **change)


def test_pictures_of_mixed_sizes_are_refused_by_number_or_brought_to_one_shape() -> None:
    sizes = [(8, 8), (8, 8), (9, 8), (20, 30)] * 5
    mixed = [np.random.default_rng(i).integers(0, 256, size, np.uint8) for i, size in enumerate(sizes)]
    rows = [ImageRecord(f"{i}", PrivateImage(encode(p)), {"kind": "ab"[i % 2]}) for i, p in enumerate(mixed)]
    with refused("data.image_size") as error:
        processed(Corpus(rows, [], "toy", ""))
    assert error.value.where == "toy, picture 3"
    made = processing.process(Corpus(rows, [], "toy", ""), label_domain=DOMAIN, shape=Shape(8, 8, "L", "crop"))
    assert pixels([*made.train, *made.test]).shape == (20, 8, 8) and made.done == {"scaled": 10}


def test_one_class_is_a_corpus_and_a_class_that_is_not_declared_is_none() -> None:
    one = [ImageRecord(row.id, row.image, {"kind": "a"}) for row in corpus().records]
    made = processing.process(Corpus(one, [], "toy", ""), label_domain={"kind": ["a"]}, shape=SHAPE)
    assert {row.labels["kind"] for row in (*made.train, *made.test)} == {"a"}
    with refused("data.label_outside_domain") as error:
        processing.process(Corpus(one, [], "toy", ""), label_domain={"kind": ["b", "c"]}, shape=SHAPE)
    assert "'a'" not in str(error.value)  # the value may be private
