"""Copies of pictures and rows: near-duplicates are found, what is like them is not, and one unit counts once."""

import io

import numpy as np
import pytest
from PIL import Image
from support.image_toys import private, record

from lib.audit.copied_records import DISTANCE, copied_pictures, copied_rows, distances
from lib.data.images.parquet import pixels
from lib.data.private_text import PrivateText
from lib.data.records import Record

TRAIN = private(40)


def jpeg(picture: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file))


def larger(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((64, 64), Image.Resampling.NEAREST))


def darker(picture: np.ndarray) -> np.ndarray:
    return np.maximum(picture.astype(int) - 3, 0).astype(np.uint8)


CHANGES = {"the same": (np.copy, 1), "as JPEG": (jpeg, 1), "larger": (larger, 1), "darker": (darker, 1)} | {
    "mirrored": (np.fliplr, 0), "turned": (np.rot90, 0), "inverted": (lambda p: 255 - p, 0)
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_counts_as_a_copy_of_a_picture(change: str) -> None:
    make, copies = CHANGES[change]
    seven = np.asarray(Image.fromarray(pixels(TRAIN[1:2])[0]).resize((32, 32)))
    made, private_one = record("made", make(seven), {}), record("private", seven, {})
    assert copied_pictures([made], [private_one], unit="record") == copies


def test_distances_are_those_of_a_loop_and_between_black_and_white_is_1() -> None:
    black, white = np.zeros((1, 20, 20), np.uint8), np.full((1, 20, 20), 255, np.uint8)
    assert distances(black, white) == pytest.approx([1.0])
    colours = np.repeat(white[..., None], 3, axis=3)
    assert distances(colours, white) == pytest.approx([0.0])
    small = [np.asarray(Image.fromarray(p).resize((16, 16), Image.Resampling.BOX), float) for p in pixels(TRAIN)]
    loop = [min(np.sqrt(np.mean((one - other) ** 2)) / 255 for other in small[:30]) for one in small[30:]]
    assert distances(pixels(TRAIN[30:]), pixels(TRAIN[:30])) == pytest.approx(loop, abs=1e-6)


def test_one_unit_more_changes_the_count_by_one_at_most() -> None:
    made = [record(f"made{i}", picture, {}) for i, picture in enumerate(pixels(TRAIN[:10]))]
    whole = copied_pictures(made, TRAIN, unit="record")
    without = [copied_pictures(made, TRAIN[:i] + TRAIN[i + 1 :], unit="record") for i in range(12)]
    assert whole >= 10 and {whole - one for one in without} <= {0, 1}
    of_two = [record(str(i), picture, {}, user=f"u{i % 2}") for i, picture in enumerate(pixels(TRAIN))]
    assert copied_pictures(made, of_two, unit="user") == 2  # whoever has ten copies counts once
    assert copied_pictures(made, of_two[:1], unit="user") == 1


def test_a_row_is_copied_where_it_is_equal_in_every_column() -> None:
    def row(id: str, age: int, user: str | None = None) -> Record:
        return Record(id, PrivateText(f'{{"age": {age}}}'), {}, user)

    train = [row("a", 40, "ann"), row("b", 41, "ann"), row("c", 40, "bob"), row("d", 50, "dan")]
    made = [row("m", 40), row("n", 41), row("o", 60)]
    assert copied_rows(made, train, unit="record") == 3 and copied_rows(made, train, unit="user") == 2
    assert DISTANCE == 0.02  # as the card says
