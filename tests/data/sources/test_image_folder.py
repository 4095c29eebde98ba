"""Pictures of a folder or a Parquet file: what is read, and what is refused without the name of a file."""

from pathlib import Path

import numpy as np
import pytest
from support.errors import refused

from lib.data import image_processing, sources
from lib.data.images import parquet
from lib.data.images.decoding import Shape, encode
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.data.sources import image_folder

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 5, 5), dtype=np.uint8)


def folder(path: Path, names: list[str]) -> Path:
    for name, picture in zip(names, PICTURES, strict=False):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(encode(picture))
    return path


def test_a_folder_for_each_label(tmp_path: Path) -> None:
    made = sources.load(f"images:{folder(tmp_path, ['cat/1.png', 'dog/1.PNG', 'dog/2.png'])}")
    assert [dict(r.labels) for r in made.records] == [{"label": "cat"}, {"label": "dog"}, {"label": "dog"}]
    assert [r.image.reveal() for r in made.records] == [encode(p) for p in PICTURES[:3]] and len(made.files) == 3
    (tmp_path / "cat" / "notes.txt").write_text("left alone")
    assert len(sources.load(f"images:{tmp_path}").records) == 3


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    assert [dict(r.labels) for r in sources.load(f"images:{folder(tmp_path, ['1.png', '2.png'])}").records] == [{}, {}]


def test_metadata_names_files_users_and_labels(tmp_path: Path) -> None:
    folder(tmp_path, ["x/1.png", "2.png"])
    (tmp_path / "metadata.csv").write_text("file_name,kind,user\n2.png,b,Ann\nx/1.png,a,\n")
    made = sources.load(f"images:{tmp_path}")
    assert [(dict(r.labels), r.user) for r in made.records] == [({"kind": "b"}, "Ann"), ({"kind": "a"}, None)]
    assert made.records[0].image.reveal() == encode(PICTURES[1])


def test_a_parquet_file_of_pictures(tmp_path: Path) -> None:
    rows = [ImageRecord(f"{i}", PrivateImage(encode(p)), {"n": str(i)}, f"u{i}") for i, p in enumerate(PICTURES)]
    parquet.write(tmp_path / "x.parquet", rows)
    made = sources.load(f"images:{tmp_path / 'x.parquet'}")
    assert [(r.image, dict(r.labels), r.user) for r in made.records] == [(r.image, r.labels, r.user) for r in rows]


def test_what_is_refused_does_not_name_files(tmp_path: Path) -> None:
    outside = folder(tmp_path / "outside", ["secret.png"])
    inside = folder(tmp_path / "inside", ["a/secret name.png"])
    (inside / "a" / "secret link.png").symlink_to(outside / "secret.png")
    (tmp_path / "flat.parquet").write_bytes(b"PAR1 no")
    deep = folder(tmp_path / "deep", ["a/b/secret.png"])
    listed = folder(tmp_path / "listed", ["1.png"])
    cases = [
        (inside, None, "data.link_out"),
        (deep, None, "data.folder_too_deep"),
        (listed, "file_name,kind\nsecret.png,a\n", "data.no_file"),
        (listed, "name,kind\n1.png,a\n", "data.column_missing"),
        (listed, "file_name,kind\n1.png\n", "data.row_length"),
        (listed, f"file_name,kind\n{outside / 'secret.png'},a\n", "data.link_out"),
        (listed, "file_name,kind\n../outside/secret.png,a\n", "data.link_out"),
        (tmp_path / "flat.parquet", None, "data.no_images"),
        (folder(tmp_path / "none", []), None, "data.no_images"),
    ]
    for place, metadata, code in cases:
        if metadata is not None:
            (place / "metadata.csv").write_text(metadata)
        with refused(code) as error:
            sources.load(f"images:{place}")
        assert "secret" not in str(error.value) + repr(vars(error.value)) and error.value.remedy


def test_a_file_that_is_no_image_or_too_large_is_refused_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(tmp_path / "pictures", ["a/1.png", "a/2.png"])
    (place / "a" / "secret.png").write_text("name,diagnosis\nann,flu\n")
    made = sources.load(f"images:{place}")  # what a file holds is looked at when it is decoded
    with refused("data.no_image", name="image") as error:
        image_processing.process(made, label_domain={"label": ["a"]}, shape=Shape(5, 5, "L"))
    assert error.value.where == "images, picture 3" and "flu" not in str(error.value) + repr(vars(error.value))
    monkeypatch.setattr(image_folder, "MAX_BYTES", 10)
    with refused("data.image_too_large", name="image") as error:
        sources.load(f"images:{place}")
    assert "secret" not in str(error.value) and error.value.where == "pictures, file 1"


def test_the_pictures_of_a_study_are_looked_for_in_their_usual_place(tmp_path: Path) -> None:
    assert sources.glance("cat-cookie-doudou") is None  # they may come yet
    with refused("data.no_images", name="source"):
        sources.load("cat-cookie-doudou", root=tmp_path)
    with refused("data.no_images", name="source"):
        sources.glance(f"cat-cookie-doudou:{tmp_path / 'none'}")
    folder(tmp_path / "raw" / "cat-cookie-doudou", ["cookie/1.png", "doudou/1.png"])
    made = sources.load("cat-cookie-doudou", root=tmp_path)
    assert [r.labels["label"] for r in made.records] == ["cookie", "doudou"]


def test_a_glance_refuses_what_is_not_there(tmp_path: Path) -> None:
    with refused("data.no_images", name="source"):
        sources.glance(f"images:{tmp_path / 'none'}")
    assert sources.glance(f"images:{tmp_path}") is None


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(Exception) as error:
        sources.load(f"images:{tmp_path}")
    assert error.value.code == "data.no_record"
