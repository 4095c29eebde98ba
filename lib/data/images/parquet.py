"""Records of images as a Parquet file that Hugging Face's datasets and pandas read: id, image, user, and the labels.

The image is a struct of ``bytes`` (a PNG file) and ``path`` (empty), which the metadata of the file declares as the
type ``Image``. Every label is a column of its name.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.data.images.decoding import read_pixels
from lib.data.images.private_image import ImageRecord, PrivateImage

OWN = ("id", "image", "user")  # columns that are no label
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(path: Path, records: Sequence[ImageRecord]) -> None:
    """Write records, private pictures included, whole or not at all.

    Args:
        path: of the Parquet file.
        records: at least one, all with the same labels and pictures that `lib.data.images.decoding.encode` made.

    Raises:
        DoppelError: there is no record, or a label has the name of another column.
    """
    if not records:
        raise DoppelError("data.no_record", "there is no record to write", name=path.name, value=0)
    names = list(records[0].labels)
    if taken := set(names) & set(OWN):
        name = min(taken)
        sentence = f"a label is called {name}, as a column of every file of images"
        raise DoppelError("data.label_name_taken", sentence, name=name, remedy="give the label another name")
    columns = {
        "id": pa.array([r.id for r in records], pa.string()),
        "image": pa.array([{"bytes": r.image.reveal(), "path": None} for r in records], IMAGE),
        **{name: pa.array([r.labels[name] for r in records], pa.string()) for name in names},
    }
    if any(r.user is not None for r in records):
        columns["user"] = pa.array([r.user for r in records], pa.string())
    string = {"dtype": "string", "_type": "Value"}
    features = {name: {"_type": "Image"} if name == "image" else string for name in columns}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    file = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), file)
    write_atomic(path, file.getvalue())


def read(path: Path) -> list[ImageRecord]:
    """The records of a file that `write` made.

    Args:
        path: of the Parquet file.

    Raises:
        DoppelError: there is no such file.
    """
    if not path.is_file():
        remedy = "run the stage that writes it"
        raise DoppelError("data.no_file", "no such file", name=path.name, remedy=remedy, where=str(path))
    rows = pq.read_table(path).to_pylist()
    return [
        ImageRecord(
            row["id"],
            _sized(row["image"]["bytes"]),
            {name: value for name, value in row.items() if name not in OWN},
            row.get("user"),
        )
        for row in rows
    ]


def pixels(records: Sequence[ImageRecord]) -> np.ndarray:
    """The pictures of n records of one size, uint8, shape (n, height, width) or (n, height, width, 3)."""
    return np.stack([read_pixels(record.image.reveal()) for record in records])


def _sized(data: bytes) -> PrivateImage:
    height, width = read_pixels(data).shape[:2]
    return PrivateImage(data, (width, height))
