"""Turns a corpus of images into a train and a test set: of one shape, without copies, bounded, split by user.

Unit: one record, or one user. Neighbours: corpora *as they are read* that differ by one record, or by all records of
one user. Stability: the train sets made from neighbours are neighbours, as `lib.data.processing` says of texts, and for
the same reasons. Every rule looks at one picture alone, at a set of equal records, or at the records of one user:

- Shape, colours and rotation are declared or stand in the picture's own file.
- Exact duplicates are equal in user, pixels and labels. What is left is a set, to which one record more adds one
  element or none.
- The bound for a user looks at the records of that user alone, so it takes ``unit: user``.
- Near-duplicates are dropped from the test set only. In train, one more picture could take many others out with it.

A refusal may depend on any record; it comes before anything is released. The test set is for evaluation only. Its size
and the number of units are treated as public. The counts of `Processed` are exact counts of private records: not for
release.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lib.data.hash_order import rank
from lib.data.images.decoding import Shape, decode, encode
from lib.data.images.grey import SIDE, small
from lib.data.images.parquet import pixels
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.data.processing import Step, at_most, no_record_left, out_of_range, side_empty
from lib.data.records import check_bound, check_labels, check_users
from lib.data.sources.corpus import Corpus

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Processed:
    """The processed corpus. Train and test share no user, no picture and no near-duplicate.

    Attributes:
        train: the private records to learn from, all different in user, pixels or labels; ordered by a hash of each.
        test: the private records held out, no two of them near-duplicates.
        steps: the rules in the order in which they ran.
        done: what had to be done to pictures, in words -> how many pictures.
    """

    train: list[ImageRecord] = field(repr=False)
    test: list[ImageRecord] = field(repr=False)
    steps: list[Step]
    done: Mapping[str, int]


def process(
    corpus: Corpus,
    *,
    label_domain: Mapping[str, Sequence[str] | str],
    shape: Shape,
    near_duplicate_distance: float = 0.02,
    max_records_per_user: int | None = None,
    test_fraction: float = 0.2,
    unit: str = "record",
    seed: int = 0,
    progress: Progress = lambda pictures_done: None,
) -> Processed:
    """Bring a corpus of images to one shape, drop copies, bound and split it; the order of its records does not matter.

    One unit more in the corpus adds at most itself to the train set and changes nothing else of it: see the module.

    Args:
        corpus: the private records.
        label_domain: the labels that all records have, and their values, as in `lib.data.labels.cells`.
        shape: what every picture is made to be.
        near_duplicate_distance: greatest root mean square difference of near-duplicates, in [0, 1], where 1 is from
            black to white; of grey pictures of `SIDE` x `SIDE` pixels. A held-out picture that has one in train, or
            among the held-out ones before it, is dropped. 0 drops those that are equal at that size.
        max_records_per_user: most records that a user keeps, at least 1, drawn by a hash; None does not bound them.
        test_fraction: the probability that a user, or the picture of a record without one, is held out, in (0, 1).
        unit: ``record`` or ``user``, the unit of the guarantee.
        seed: fixes all draws; none of them is a privacy mechanism.
        progress: called with the number of pictures newly decoded.

    Returns:
        train and test set, how many records each rule kept, and what was done to pictures.

    Raises:
        DoppelError: for a setting out of its range, a picture that cannot be read or does not fit, a bound for users
            with ``unit`` record, a record without a user with ``unit`` user, labels other than those declared, and when
            no record is left, or none on one side.
    """
    if not 0 <= near_duplicate_distance <= 1:
        raise out_of_range("near_duplicate_distance", near_duplicate_distance, "lie between 0 and 1")
    if not 0 < test_fraction < 1:
        raise out_of_range("test_fraction", test_fraction, "lie between 0 and 1")
    check_bound(max_records_per_user, unit)
    check_users(corpus.records, unit)
    check_labels(corpus.records, label_domain)
    records, done = _shaped(corpus, shape, progress)
    records.sort(key=lambda record: (rank(seed, "keep", record.content), record.id))
    steps = [Step("read, of one shape", len(records), 0)]
    rules = [
        ("not of one colour", lambda rows: [bool(np.ptp(picture)) for picture in pixels(rows)]),
        ("no exact duplicate", lambda rows: at_most(1, (r.content for r in rows))),
    ]
    if max_records_per_user is not None:
        bound = f"at most {max_records_per_user} records a user"
        rules.append((bound, lambda rows: at_most(max_records_per_user, (r.owner for r in rows))))
    for rule, keeps in rules:
        before = len(records)
        records = [record for record, kept in zip(records, keeps(records), strict=True) if kept]
        steps.append(Step(rule, len(records), before - len(records)))
        if not records:
            raise no_record_left(rule, steps)
    sides: tuple[list[ImageRecord], list[ImageRecord]] = [], []
    for record in records:
        name = record.image.digest if record.user is None else record.user
        sides[rank(seed, "split", name) < test_fraction * 2**64].append(record)
    train, test = sides
    if train and test:
        near = near_duplicates(pixels(test), pixels(train), near_duplicate_distance)
        test = [record for record, is_near in zip(test, near, strict=True) if not is_near]
        left = len(train) + len(test)
        rule = f"held out: no near-duplicate (distance {near_duplicate_distance:g})"
        steps.append(Step(rule, left, len(records) - left))
    if not train or not test:
        raise side_empty("test" if train else "train", test_fraction, steps)
    return Processed(train, test, steps, done)


def near_duplicates(test: np.ndarray, train: np.ndarray, distance: float) -> np.ndarray:
    """Which held-out pictures are like one in train, or like a held-out one before them.

    Args:
        test: uint8, shape (k, height, width) or (k, height, width, 3).
        train: uint8, shape (n, ...), of the same size.
        distance: as `process` takes it.

    Returns:
        bool, shape (k,).
    """
    from sklearn.neighbors import NearestNeighbors  # here: pre-flight imports what reads sources

    limit = distance * SIDE * 255 + 1e-3  # of the Euclidean distance; what float32 may lose of one of 0
    held, known = small(test), small(train)
    near = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known).kneighbors(held)[0][:, 0] <= limit
    alike = NearestNeighbors(radius=limit, algorithm="brute").fit(held).radius_neighbors(held, return_distance=False)
    return near | np.array([bool((others < place).any()) for place, others in enumerate(alike)], bool)


def _shaped(corpus: Corpus, shape: Shape, progress: Progress) -> tuple[list[ImageRecord], dict[str, int]]:
    """The records with pictures of one shape, and how often what was done to them."""
    records, done = [], Counter()
    for number, record in enumerate(corpus.records, 1):
        picture, changes = decode(record.image.reveal(), shape, f"{corpus.name}, picture {number}")
        image = PrivateImage(encode(picture), (shape.width, shape.height))
        records.append(replace(record, image=image))
        done.update(changes)
        progress(1)
    return records, dict(done)
