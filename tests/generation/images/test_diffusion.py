"""Diffusion by the real code of diffusers, on a tiny network of random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.errors import refused

pytest.importorskip("diffusers")

from support.tiny_diffusion import build

from lib.generation.images import diffusion
from lib.generation.images.diffusion import Diffusion, Sampling

SAMPLING = Sampling(steps=3, guidance=2.0, side=16, batch_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("diffusion") / "tiny")


@pytest.fixture
def model(folder: Path) -> Diffusion:
    return Diffusion(str(folder), SAMPLING, device="cpu")


def test_pictures_follow_from_prompts_and_seeds_alone(model: Diffusion) -> None:
    made = model.write(["a cat", "a dog", "a cat"], [1, 2, 1])
    assert [one.shape for one in made] == [(16, 16, 3)] * 3 and made[0].dtype == np.uint8
    assert np.abs(made[0].astype(int) - made[2]).max() <= 1 and (made[0] != made[1]).any()
    near, far = (model.vary(made[:1], ["a cat"], [5], strength)[0].astype(float) for strength in (0.34, 1.0))
    assert near.shape == (16, 16, 3)
    assert np.abs(near - made[0]).mean() < np.abs(far - made[0]).mean()


def test_a_batch_that_does_not_fit_is_halved(model: Diffusion, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, sizes, draw = model.write(["a cat"] * 5, range(5)), [], model._write

    def small(prompt: list[str], **options: object):
        sizes.append(len(prompt))
        if len(prompt) > 2:
            raise torch.OutOfMemoryError
        return draw(prompt=prompt, **options)

    monkeypatch.setattr(model, "_write", small)
    halved = model.write(["a cat"] * 5, range(5))
    assert sizes == [4, 2, 2, 1] and model.batches.size == 2
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(whole, halved, strict=True))

    def none(prompt: list[str], **options: object):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(model, "_write", none)
    with refused("generation.out_of_memory", name="side", value=16):
        model.write(["a cat"], [0])


def test_what_cannot_be_opened(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with refused("models.gpu_missing"):
        Diffusion(str(folder), SAMPLING, device="cuda")
    with refused("generation.diffusion_model_unknown", name="model", value=str(tmp_path)):
        Diffusion(str(tmp_path), SAMPLING, device="cpu")
    (tmp_path / "model_index.json").write_text("{}")
    with refused("models.model_unloadable", name="model"):
        Diffusion(str(tmp_path), SAMPLING, device="cpu")
    with monkeypatch.context() as patch:

        def out_of_reach(*arguments: object, **options: object):
            raise OSError("https://a.private.mirror does not answer")

        patch.setattr("diffusers.StableDiffusionPipeline.from_pretrained", out_of_reach)
        with refused("models.model_unloadable", name="model", value="owner/name"):
            Diffusion("hub:owner/name", SAMPLING, device="cpu")
    assert diffusion.Diffusion(str(folder), SAMPLING, device="cpu", dtype="bfloat16")._write.unet.dtype == torch.float32
