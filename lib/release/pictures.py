"""The records of a pack of pictures: records.parquet, with the image type of Hugging Face.

Whoever verifies a pack has no library of images, so a picture is checked as the PNG file that it is: its size and
colours are those that the settings declare, and the file holds its pixels and nothing beside them.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from lib.common.errors import Reason
from lib.data.images.private_image import ImageRecord

BATCH = 64  # pictures that are in memory at once
FILE = "records.parquet"
STRING = {"dtype": "string", "_type": "Value"}  # as Hugging Face declares a column
GREY, COLOURS = 0, 2  # types of a PNG file, of 1 and 3 bytes a pixel


@dataclass(frozen=True, slots=True)
class Picture:
    """What a card tells of a picture.

    Attributes:
        id: of the record.
        digest: sha256 of its file.
        labels: label name -> value.
    """

    id: str
    digest: str
    labels: Mapping[str, str]


def write(folder: Path, records: Sequence[ImageRecord]) -> None:
    """Write the file into a ``folder`` that exists; there are n >= 1 records, without users."""
    from lib.data.images import parquet  # here: it needs Pillow, and `verify` has none

    parquet.write(folder / FILE, records)


def of(records: Sequence[ImageRecord]) -> list[Picture]:
    """What the card tells of the records of an arm."""
    return [Picture(record.id, record.image.digest, dict(record.labels)) for record in records]


def read(folder: Path, certificate: Mapping) -> tuple[list[Picture], list[Reason]]:
    """The pictures of a pack, and what is wrong with them.

    Args:
        folder: of the pack; its files are regular ones of a bounded size.
        certificate: of the pack, whose values make sense.

    Returns:
        The pictures, none where there is a reason: other columns than labels of the declared domain, not as many as
        stated, an id that comes twice, or what is no PNG file of the declared shape, or holds more than its pixels.
    """
    shape = declared(certificate)
    if shape is None:
        return [], [Reason("release.no_shape", "no stage declares the shape of the pictures")]
    names = list(shape["label_domain"])
    with pq.ParquetFile(folder / FILE) as file:
        if wrong := _wrong_table(file, names, certificate["records"]):
            return [], [wrong]
        pictures = []
        for batch in file.iter_batches(batch_size=BATCH):
            for row in batch.to_pylist():
                if not _fits(row, names, shape):
                    sentence = f"{FILE}: picture {len(pictures) + 1} is not as the settings declare it"
                    return [], [Reason("release.picture_wrong", sentence)]
                digest = hashlib.sha256(row["image"]["bytes"]).hexdigest()
                pictures.append(Picture(row["id"], digest, {name: row[name] for name in names}))
    if len({picture.id for picture in pictures}) < len(pictures):
        return [], [Reason("release.id_twice", f"{FILE}: two pictures have one id")]
    return pictures, []


def declared(certificate: Mapping) -> Mapping | None:
    """The settings of the stage that declares the shape of a ``certificate``'s pictures; None where there is none."""
    return next((code["settings"] for code in certificate["code"].values() if "width" in code["settings"]), None)


def _wrong_table(file: pq.ParquetFile, names: Sequence[str], count: int) -> Reason | None:
    """What is wrong with columns, what is written beside them, and the number of rows."""
    columns = ["id", "image", *names]
    features = {name: {"_type": "Image"} if name == "image" else STRING for name in columns}
    beside = {**(file.schema_arrow.metadata or {})}
    told = json.loads(beside.pop(b"huggingface", b"{}"))
    if file.schema_arrow.names != columns or beside or told != {"info": {"features": features}}:
        return Reason("release.columns_wrong", f"{FILE} has other columns than id, image and the declared labels")
    if file.metadata.num_rows != count:
        return Reason("release.number_of_records", f"records: {count} are stated, {FILE} does not hold as many")
    return None


def _fits(row: Mapping, names: Sequence[str], shape: Mapping) -> bool:
    image, domain = row["image"], shape["label_domain"]
    if not isinstance(row["id"], str) or not isinstance(image, dict) or image.get("path") is not None:
        return False
    if set(image) != {"bytes", "path"} or not isinstance(image["bytes"], bytes):
        return False
    if any(not isinstance(row[name], str) or row[name] not in domain[name] for name in names):
        return False
    colour = COLOURS if shape["colours"] else GREY
    return is_png(image["bytes"], shape["width"], shape["height"], colour)


def is_png(data: bytes, width: int, height: int, colour: int) -> bool:
    """Whether bytes are a PNG file of pixels alone.

    Args:
        data: of the file.
        width: pixels, as declared.
        height: pixels, as declared.
        colour: `GREY` or `COLOURS`, 8 bits a channel.

    Returns:
        False for another size, depth or colour, an interlaced picture, a damaged or incomplete one, and for whatever
        stands in the file beside its pixels: text, a time, a profile, bytes behind the end.
    """
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = _chunks(data)
    if chunks is None or len(chunks) < 3 or chunks[0] != (b"IHDR", header) or chunks[-1] != (b"IEND", b""):
        return False
    if {name for name, _ in chunks[1:-1]} != {b"IDAT"}:
        return False
    size = height * (1 + width * (3 if colour == COLOURS else 1))  # each row begins with the number of its filter
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(b"".join(part for _, part in chunks[1:-1]), size + 1)
    except zlib.error:
        return False
    return len(pixels) == size and unpacker.eof and not unpacker.unused_data


def _chunks(data: bytes) -> list[tuple[bytes, bytes]] | None:
    """The parts of a PNG file, each with its name; None where the bytes are no such file."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    chunks, place = [], 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4])
        name, part = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        check = data[place + 8 + length : place + 12 + length]
        if len(check) < 4 or zlib.crc32(name + part) != int.from_bytes(check):
            return None
        chunks.append((name, part))
        place += 12 + length
    return chunks
