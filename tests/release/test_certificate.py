"""A certificate is read in its own form alone, and tells of every file that is not the one it lists."""

from pathlib import Path

import pytest
from support.release_world import codes, loads, rehash

from lib.release import certificate, verify
from lib.release.kinds import TEXTS


def sentences(folder: Path) -> list[str]:
    """What is wrong with a pack, as people read it."""
    return [str(reason) for reason in verify.check(folder)[1]]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"more": 1}, "release.certificate_keys"), ({"format": "doppel release 9"}, "release.other_format")],
)
def test_a_certificate_of_another_version_is_not_read(packed, change, code):
    rehash(packed, loads(packed / certificate.NAME) | change)
    assert codes(packed) == [code]


@pytest.mark.parametrize("name", [*TEXTS.files, certificate.NAME])
def test_a_file_that_is_changed_missing_or_empty_is_seen(packed, name):
    path = packed / name
    content = path.read_bytes()
    for place in (0, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        said = sentences(packed)  # of a certificate with a value that makes no sense, the value is named
        assert said and (name == certificate.NAME or any(name in sentence for sentence in said)), place
    path.write_bytes(b"")
    assert any(name in sentence for sentence in sentences(packed))
    path.unlink()
    assert any(name in sentence for sentence in sentences(packed))
    expected = "release.no_certificate" if name == certificate.NAME else "release.file_missing"
    assert expected in codes(packed)


@pytest.mark.parametrize("name", ["train.jsonl", ".hidden", "more/deep.txt", "privacy.json"])
def test_a_file_that_does_not_belong_there_is_seen(packed, name):
    path = packed / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert codes(packed) == ["release.file_too_many"]
    assert name in sentences(packed)[0]


def test_a_link_to_a_folder_does_not_belong_there_either(packed, tmp_path):
    (tmp_path / "private").mkdir()
    (packed / "extra").symlink_to(tmp_path / "private")
    assert codes(packed) == ["release.file_too_many"]


def test_a_figure_is_rounded_up_never_down():
    assert certificate.rounded_up(7.9999911, 6) == "8"
    assert certificate.rounded_up(7.99991, 3) == "8"
    assert certificate.rounded_up(1.23401, 4) == "1.235"
    assert certificate.rounded_up(4.3001e-05, 2) == "4.4e-05"
    assert certificate.rounded_up(0.25, 2) == "0.25"
