"""A private picture shows its size at most."""

from lib.data.images.private_image import ImageRecord, PrivateImage


def test_nothing_of_a_picture_is_shown() -> None:
    record = ImageRecord("patient 7", PrivateImage(b"pixels", (28, 28)), {"kind": "secret"}, "Ann")
    for shown in (
        repr(record),
        str(record),
        f"{record}",
        repr(record.image),
        f"{record.image!s}",
        repr([record.image]),
    ):
        assert not any(word in shown for word in ("pixels", "secret", "Ann", "patient"))
    assert repr(record) == "ImageRecord(<private image, 28 x 28>, 1 labels)"
    assert repr(PrivateImage(b"x")) == "<private image>"


def test_pictures_are_equal_in_their_bytes_alone() -> None:
    one, same, other = PrivateImage(b"a", (1, 1)), PrivateImage(b"a"), PrivateImage(b"b", (1, 1))
    assert one == same and hash(one) == hash(same) and one.digest == same.digest
    assert one != other and one.digest != other.digest and one != b"a"


def test_the_content_of_a_record_is_all_but_its_id() -> None:
    record = ImageRecord("1", PrivateImage(b"a"), {"x": "y", "b": "c"}, "u")
    assert record.content == ImageRecord("2", PrivateImage(b"a"), {"b": "c", "x": "y"}, "u").content
    changed = [
        ImageRecord("1", PrivateImage(b"b"), {"x": "y", "b": "c"}, "u"),
        ImageRecord("1", PrivateImage(b"a"), {"x": "z", "b": "c"}, "u"),
        ImageRecord("1", PrivateImage(b"a"), {"x": "y", "b": "c"}),
    ]
    assert all(other.content != record.content for other in changed)
    assert changed[2].owner == "record 1" and record.owner == "u"
    assert "image" in record.as_json() and b"a" not in record.as_json().values()
