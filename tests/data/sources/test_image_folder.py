"""Pictures of a folder or a Parquet file: what is read, and what is refused without the name of a file."""

from pathlib import Path

import numpy as np
import pytest
from support.errors import refused

from lib.data import sources
from lib.data.images import parquet
from lib.data.images.decoding import encode
from lib.data.images.private_image import ImageRecord, PrivateImage

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


def test_a_glance_refuses_what_is_not_there(tmp_path: Path) -> None:
    with refused("data.no_images", name="source"):
        sources.glance(f"images:{tmp_path / 'none'}")
    assert sources.glance(f"images:{tmp_path}") is None


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(Exception) as error:
        sources.load(f"images:{tmp_path}")
    assert error.value.code == "data.no_record"
