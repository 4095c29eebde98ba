"""Image files of a folder or of a Parquet file, in the layouts of Hugging Face's datasets.

A folder holds pictures, or a folder of pictures for each value of the label ``label``. With a ``metadata.csv`` in it
the pictures are those of its column ``file_name``; its column ``user``, where it has one, says whose a picture is, and
every other column is a label. A Parquet file has a column ``image`` of structs with ``bytes``; ``user`` and labels are
as in ``metadata.csv``.

Names of files can be private, so refusals number them.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common import paths, system
from lib.common.errors import DoppelError
from lib.common.files import read_bounded
from lib.data.images.decoding import FORMATS
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.data.sources.corpus import Corpus, SourceRequest, draw

METADATA = "metadata.csv"
LABEL = "label"  # of pictures whose folder names it
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
MAX_BYTES = 256 * 2**20  # of one file


def load_images(request: SourceRequest) -> Corpus:
    """Load the pictures of a folder, or of a Parquet file.

    Args:
        request: its ``argument`` is the path of the folder or the file; where it is empty, that is ``default_path``.

    Raises:
        DoppelError: there is no such folder or file, it holds no picture, a link leads out of it, or ``metadata.csv``
            names a file that is not there.
    """
    place = _place(request)
    _check(place)
    files: list[Path] = []
    kept, counts = draw(_parquet(place, files) if place.is_file() else _folder(place, files), request, list)
    return Corpus(kept, [], "images", f"{counts}: pictures of {place.name}", tuple(files))


def check_images(request: SourceRequest) -> None:
    """Refuse a folder or a file that is named and not there, before a kernel starts.

    Args:
        request: as `load_images` takes it.
    """
    if request.argument:
        _check(_place(request))


def _place(request: SourceRequest) -> Path:
    if not request.argument:
        return request.default_path
    return paths.ROOT / Path(request.argument).expanduser()


def _check(place: Path) -> None:
    if not place.is_dir() and not place.is_file():
        remedy = "name a folder of pictures, or a Parquet file; paths are from the project's folder"
        raise DoppelError("data.no_images", f"{place}: no such folder or file", name="source", remedy=remedy)


def _folder(folder: Path, files: list[Path]) -> Iterator[ImageRecord]:
    """A record for each picture; what is read is added to ``files``."""
    if (folder / METADATA).is_file():
        files.append(folder / METADATA)
    rows = _listed(folder) if (folder / METADATA).is_file() else _found(folder)
    for number, (file, labels, user) in enumerate(rows, 1):
        where = f"{folder.name}, file {number}"
        if not file.resolve().is_relative_to(folder.resolve()):
            remedy = "copy what it leads to into the folder"
            raise DoppelError("data.link_out", "is a link that leads out of the folder", remedy=remedy, where=where)
        if not file.is_file():
            remedy = f"correct {METADATA}"
            raise DoppelError("data.no_file", "is not there", name="file_name", remedy=remedy, where=where)
        files.append(file)
        yield ImageRecord(f"{number:06d}", PrivateImage(_content(file, where)), labels, user)


def _content(file: Path, where: str) -> bytes:
    """The bytes of a file, which a refusal does not name."""
    try:
        return read_bounded(file, MAX_BYTES)
    except DoppelError:
        sentence = f"has more than {MAX_BYTES:,} bytes"
        raise DoppelError("data.image_too_large", sentence, name="image", remedy="remove it", where=where) from None
    except OSError as error:
        error.filename = None
        raise system.refusal(error, Path(where)) from None


def _found(folder: Path) -> Iterator[tuple[Path, dict[str, str], None]]:
    """All pictures, by name; files of other kinds are left alone."""
    with system.refusals(folder):
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
    for file in files:
        depth = len(file.relative_to(folder).parts)
        if depth > 2:
            remedy = f"keep pictures in the folder or one below it, or list them in {METADATA}"
            raise DoppelError("data.folder_too_deep", "a picture lies two folders down", remedy=remedy, name="source")
        yield file, ({LABEL: file.parent.name} if depth == 2 else {}), None


def _listed(folder: Path) -> Iterator[tuple[Path, dict[str, str], str | None]]:
    """The pictures that ``metadata.csv`` names, in its order."""
    with system.refusals(folder), (folder / METADATA).open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        if "file_name" not in (table.fieldnames or ()):
            remedy = "name it file_name, as Hugging Face does"
            raise DoppelError(
                "data.column_missing", "no column names the files", name="file_name", remedy=remedy, where=METADATA
            )
        for line, row in enumerate(table, 2):
            if None in row or None in row.values():
                sentence, where = "has more or fewer cells than the first line", f"{METADATA}, line {line}"
                raise DoppelError("data.row_length", sentence, remedy="write as many cells in each line", where=where)
            yield folder / row.pop("file_name"), row, row.pop("user", None) or None


def _parquet(file: Path, files: list[Path]) -> Iterator[ImageRecord]:
    """The rows of a Parquet file with the image type of Hugging Face; it is added to ``files``."""
    files.append(file)
    try:
        table = pq.ParquetFile(file)
        kind = table.schema_arrow.field("image").type
        if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
            raise KeyError
    except (pa.ArrowException, OSError, KeyError):
        remedy = f"write it with datasets.Image, or put the pictures ({', '.join(FORMATS)}) into a folder"
        sentence = f"{file.name}: no Parquet file with a column image of pictures"
        raise DoppelError("data.no_images", sentence, name="source", remedy=remedy) from None
    number = 0
    for batch in table.iter_batches(1000):
        for row in batch.to_pylist():
            number += 1
            data, user = (row.pop("image") or {}).get("bytes"), row.pop("user", None)
            row.pop("id", None)
            labels = {name: str(value) for name, value in row.items()}
            user = None if user is None else str(user)
            yield ImageRecord(f"{number:06d}", PrivateImage(data or b""), labels, user)
