"""Texts as vectors: sentence encoders, hidden states of language models, and a cache of private embeddings."""

import fcntl
import hashlib
import io
import os
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from lib.common.errors import DoppelError, nearest
from lib.common.paths import DATA
from lib.data.assets import fetch
from lib.data.private_text import PrivateText
from lib.models import loading, pretrained
from lib.models.loading import Device, Dtype
from lib.models.pretrained import BUNDLED_ENCODERS

CACHE = DATA / "cache" / "embeddings"
BATCH = {"cpu": 16, "cuda": 256}  # texts per batch: what fits a CPU's cache; what keeps a GPU busy
CHUNK = 8192  # private texts between two writes to the disk: what a killed run has to embed again at most
ABANDONED = 30 * 86_400  # seconds after which an incomplete file is removed
MAX_TOKENS = 512  # that a language model reads of a text; the rest is cut off

Progress = Callable[[int], object]


class Encoder(ABC):
    """Turns texts into vectors.

    Args:
        fingerprint: tells encoders apart by their content.
        width: numbers per vector.
        batch_size: texts that are encoded at once, at least 1.

    Raises:
        DoppelError: ``batch_size`` is below 1.
    """

    def __init__(self, fingerprint: str, width: int, batch_size: int):
        if batch_size < 1:
            raise DoppelError(
                "models.batch_size_too_small",
                f"batch_size is {batch_size}, it must be at least 1",
                name="batch_size",
                value=batch_size,
            )
        self.fingerprint, self.width, self.batch_size = fingerprint, width, batch_size

    def encode(self, texts: Sequence[str | PrivateText], progress: Progress = lambda texts_done: None) -> np.ndarray:
        """Encode texts in batches of similar length, the longest first.

        Equal texts are encoded once, so their vectors are equal to the last bit; and the order of the texts has no
        effect on a vector.

        Args:
            texts: any number of texts; vectors of private texts are private.
            progress: called with the number of texts newly done.

        Returns:
            Vectors in the order of ``texts``, float32, shape (n, width).
        """
        plain = [_plain(text) for text in texts]
        copies = Counter(plain)
        distinct = sorted(copies)
        if not distinct:
            return np.empty((0, self.width), np.float32)
        longest_first = np.argsort([-length for length in self._lengths(distinct)], kind="stable")
        distinct = [distinct[i] for i in longest_first]
        vectors = np.empty((len(distinct), self.width), np.float32)
        for start in range(0, len(distinct), self.batch_size):
            batch = distinct[start : start + self.batch_size]
            vectors[start : start + len(batch)] = self._encode_batch(batch)
            progress(sum(copies[text] for text in batch))
        row = {text: number for number, text in enumerate(distinct)}
        return vectors[[row[text] for text in plain]]

    def _lengths(self, texts: list[str]) -> list[int]:
        """Lengths of the texts, by which they are ordered."""
        return list(map(len, texts))

    @abstractmethod
    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        """Vectors of at most ``batch_size`` texts, shape (b, width)."""


class SentenceEncoder(Encoder):
    """A model of the sentence-transformers package, with its own pooling (Reimers & Gurevych 2019, arXiv:1908.10084).

    Args:
        source: a folder that sentence-transformers saved, or an id on the hub.
        fingerprint: as `Encoder` takes it.
        device: as `lib.models.loading.resolve_device` takes it.
        batch_size: as `Encoder` takes it.

    Raises:
        DoppelError: the model cannot be loaded.
    """

    def __init__(self, source: Path | str, fingerprint: str, device: Device, batch_size: int):
        from sentence_transformers import SentenceTransformer  # takes seconds to import

        try:
            self.model = SentenceTransformer(
                str(source), device=str(loading.resolve_device(device)), local_files_only=isinstance(source, Path)
            )
        except pretrained.ERRORS as error:
            raise DoppelError(
                "models.encoder_unloadable",
                f"encoder {str(source)!r} cannot be loaded ({pretrained.cause(error)})",
                name="encoder",
                value=str(source),
                remedy="check its name and the network, or give a folder that sentence-transformers saved",
            ) from None
        super().__init__(fingerprint, self.model.get_embedding_dimension(), batch_size)

    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        return self.model.encode(texts, batch_size=len(texts), show_progress_bar=False)


class HiddenStateEncoder(Encoder):
    """Mean of a language model's last hidden states over a text's tokens, at most `MAX_TOKENS` of them.

    Aug-PE selects texts that are close to the private records in the space of its own encoder, so distances in that
    space flatter it. This encoder was trained for another purpose, and gives an independent comparison.

    Args:
        name: a language model as `lib.models.loading.locate` takes it.
        device: as `lib.models.loading.resolve_device` takes it.
        batch_size: as `Encoder` takes it.
        dtype: as `lib.models.loading.resolve_dtype` takes it.
    """

    def __init__(self, name: str, device: Device, batch_size: int, dtype: Dtype):
        self.tokenizer = loading.load_tokenizer(name)
        self.model = loading.load(name, dtype=dtype, device=device).base_model
        config = self.model.config
        self.max_tokens = min(MAX_TOKENS, getattr(config, "max_position_embeddings", MAX_TOKENS))
        content = f"hidden states {self.model.dtype} {self.max_tokens} {loading.fingerprint(name)}"
        super().__init__(hashlib.sha256(content.encode()).hexdigest(), config.hidden_size, batch_size)

    def _lengths(self, texts: list[str]) -> list[int]:
        return [len(ids) for ids in self._token_ids(texts)]

    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        """Special tokens that are spelled out in a text stay plain characters; a text without tokens becomes EOS."""
        encoded = self.tokenizer(texts, split_special_tokens=True, truncation=True, max_length=self.max_tokens)
        return [ids or [self.tokenizer.eos_token_id] for ids in encoded.input_ids]

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        unpadded = {"input_ids": self._token_ids(texts)}
        inputs = self.tokenizer.pad(unpadded, padding_side="right", return_tensors="pt").to(self.model.device)
        hidden = self.model(**inputs, use_cache=False).last_hidden_state.float()  # (b, t, width)
        mask = inputs["attention_mask"][:, :, None].float()
        return ((hidden * mask).sum(1) / mask.sum(1)).cpu().numpy()


def open_encoder(
    name: str, *, device: Device = "auto", batch_size: int | None = None, dtype: Dtype = "auto"
) -> Encoder:
    """Open an encoder by name. Only a ``hub:`` name, and the first use of a bundled encoder, touch the network.

    Args:
        name: ``bundled:all-minilm-l6-v2``, ``hub:OWNER/NAME`` or a folder for a sentence encoder; ``hidden:MODEL`` for
            the mean hidden state of a language model that `lib.models.loading.locate` knows.
        device: as `lib.models.loading.resolve_device` takes it.
        batch_size: texts at once, at least 1; None: the device's entry of `BATCH`. It only changes the speed.
        dtype: of a ``hidden:`` model. Take float32 for an encoder by which private records vote: in bfloat16 the other
            texts of a batch may visibly change a vector (`lib.methods.private_evolution.voting.vote`).

    Raises:
        DoppelError: ``name`` is unknown, the encoder cannot be loaded, or ``batch_size`` is below 1.
    """
    kind, _, rest = name.partition(":")
    batch_size = BATCH[loading.resolve_device(device).type] if batch_size is None else batch_size
    if kind == "hidden" and rest:
        return HiddenStateEncoder(rest, device, batch_size, dtype)
    if kind == "hub" and rest:
        return SentenceEncoder(rest, loading.fingerprint(name), device, batch_size)
    if kind == "bundled" and rest in BUNDLED_ENCODERS:
        folder = fetch(BUNDLED_ENCODERS[rest])
    elif (Path(name) / "modules.json").is_file():
        folder = Path(name)
    else:
        bundled = (f"bundled:{encoder}" for encoder in BUNDLED_ENCODERS)
        known = [*bundled, "hub:OWNER/NAME", "hidden:MODEL", "a folder with modules.json"]
        raise DoppelError(
            "models.encoder_unknown",
            f"unknown encoder {name!r}",
            name="encoder",
            value=name,
            remedy=nearest(name, known),
        )
    return SentenceEncoder(folder, loading.folder_hash(folder, recursive=True), device, batch_size)


def embed_private(
    encoder: Encoder,
    texts: Sequence[str | PrivateText],
    cache: Path = CACHE,
    progress: Progress = lambda texts_done: None,
) -> np.ndarray:
    """Vectors of a private corpus, computed once for each corpus and encoder and kept on the disk.

    Vectors reveal much about their texts, so they are as private: only the owner can open the cache. Texts are embedded
    in shards of `CHUNK`, each of which is on the disk before the next begins. A killed run is gone on with at its first
    shard that is not whole, and comes to the same bytes; a file gets its final name when it is complete. A second
    process that wants the same vectors waits for the first.

    Args:
        encoder: the encoder; its fingerprint is part of the file's name.
        texts: the corpus, at least one text; its order matters. A shard of it is looked at at a time.
        cache: the folder that the vectors are kept in.
        progress: called with the number of texts newly done; with all at once where the vectors were in the cache.

    Returns:
        Vectors in the order of ``texts``, float32, shape (n, width), memory-mapped read-only.

    Raises:
        DoppelError: there are no texts.
    """
    if not len(texts):
        raise DoppelError(
            "models.texts_missing", "there are no private texts to embed; at least 1 is needed", name="texts", value=0
        )
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    cached = cache / f"{_content_hash(encoder, texts)}.npy"
    if not cached.is_file():
        _remove_abandoned(cache)
        incomplete = cache / f".{cached.stem}.part"
        with incomplete.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if cached.is_file():  # made by another process in the meantime
                progress(len(texts))
                incomplete.unlink(missing_ok=True)
            else:
                _write_vectors(file, encoder, texts, progress)
                incomplete.replace(cached)
    else:
        progress(len(texts))
    return np.load(cached, mmap_mode="r")


def _write_vectors(file: BinaryIO, encoder: Encoder, texts: Sequence[str | PrivateText], progress: Progress) -> None:
    """Write the shards that ``file``, opened to append, does not have yet: its size says which it has."""
    form = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)), "fortran_order": False}
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, form | {"shape": (len(texts), encoder.width)})
    start, shard = header.tell(), CHUNK * encoder.width * 4  # bytes
    shards = max(0, file.seek(0, os.SEEK_END) - start) // shard
    if not shards:
        file.truncate(0)
        file.write(header.getvalue())
    file.truncate(start + shards * shard)
    if done := shards * CHUNK:
        progress(done)
    for first in range(done, len(texts), CHUNK):
        file.write(encoder.encode(texts[first : first + CHUNK], progress).tobytes())
        file.flush()
        os.fsync(file.fileno())


def _content_hash(encoder: Encoder, texts: Sequence[str | PrivateText]) -> str:
    """SHA-256 of the encoder's fingerprint and the texts in their order, each with its length; hex digits."""
    digest = hashlib.sha256(encoder.fingerprint.encode())
    for text in texts:
        data = _plain(text).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _remove_abandoned(cache: Path) -> None:
    """Remove incomplete files that nobody has gone on with for `ABANDONED` seconds."""
    for incomplete in cache.glob(".*.part"):
        with suppress(FileNotFoundError):
            if time.time() - incomplete.stat().st_mtime > ABANDONED:
                incomplete.unlink()


def _plain(text: str | PrivateText) -> str:
    """The text itself, with lone surrogates, which no encoder can read, replaced by question marks."""
    plain = text.reveal() if isinstance(text, PrivateText) else text
    return plain.encode("utf-8", "replace").decode()
