"""Pictures and rows that an arm copies from private ones. *Evaluation only* where no noise is added to a count.

A picture is copied where a synthetic one is its near-duplicate: in grey, at `lib.data.images.grey.SIDE` pixels a
side, the root mean square difference is at most `DISTANCE` of the range from black to white. That covers the same
pixels, another compression, another size and a little noise. It does not cover a picture that is turned, mirrored, cut
or of another brightness. A row is copied where a synthetic one is equal to it in every column; in a domain of few
different rows that happens by chance.

Unit: one record or one user. Neighbours: add or remove one unit. Whether a unit is copied follows from its own records
and the synthetic ones, so one unit more or less changes a count by at most 1 (sensitivity 1).
"""

from collections.abc import Sequence

import numpy as np

from lib.data.images.grey import SIDE, small
from lib.data.images.parquet import pixels
from lib.data.images.private_image import ImageRecord
from lib.data.records import Record
from lib.privacy.ledger import Unit

DISTANCE = 0.02  # of near-duplicates: what 00_process_images takes too, unless it is told otherwise
LOST = 1e-6  # of a distance, by rounding in a matrix product


def nearest(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far each vector is from the nearest of others.

    Args:
        vectors: shape (k, width).
        others: shape (m, width), m >= 1.

    Returns:
        Euclidean distances, shape (k,).
    """
    from sklearn.neighbors import NearestNeighbors  # here: what imports this module need not have it

    return NearestNeighbors(n_neighbors=1, algorithm="brute").fit(others).kneighbors(vectors)[0][:, 0]


def distances(pictures: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far each picture is from the nearest of others.

    Args:
        pictures: uint8, shape (k, height, width) or (k, height, width, 3).
        others: uint8, shape (m, ...), m >= 1; the size may be another one.

    Returns:
        Root mean square differences of small grey pictures, shape (k,), in [0, 1]: 1 is from black to white.
    """
    return nearest(small(pictures), small(others)) / (SIDE * 255)


def copied_pictures(made: Sequence[ImageRecord], train: Sequence[ImageRecord], *, unit: Unit) -> int:
    """Count the private units of which a picture has a near-duplicate. It needs noise before anybody sees it.

    Args:
        made: n >= 1 synthetic pictures, which are fixed before the count is taken.
        train: all pictures of the train set, at least one.
        unit: what is counted: ``record``, or ``user``, who is copied when one of the user's pictures is.

    Returns:
        The number of units; unit, neighbours and sensitivity are those of the module.
    """
    near = distances(pixels(train), pixels(made)) <= DISTANCE + LOST
    return _units([record for record, is_near in zip(train, near, strict=True) if is_near], unit)


def copied_rows(made: Sequence[Record], train: Sequence[Record], *, unit: Unit) -> int:
    """Count the private units of which a row stands among the synthetic ones; arguments as of `copied_pictures`."""
    rows = {record.text for record in made}
    return _units([record for record in train if record.text in rows], unit)


def _units(copied: Sequence[Record] | Sequence[ImageRecord], unit: Unit) -> int:
    return len({record.id if unit == "record" else record.owner for record in copied})
