"""Improved diffusion by the code that opens real checkpoints, on a tiny one; and files that are not opened."""

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from support import tiny_checkpoint
from support.errors import refused

from lib.generation.images.diffusion import Sampling
from lib.generation.images.improved_diffusion import SCHEDULE, ImprovedDiffusion, left, read

SAMPLING = Sampling(steps=4, side=16, batch_size=4)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ImprovedDiffusion:
    file, digest = tiny_checkpoint.build(tmp_path_factory.mktemp("checkpoint"))
    return ImprovedDiffusion(file, digest, SAMPLING, device="cpu")


def test_pictures_follow_from_classes_and_seeds_alone(model: ImprovedDiffusion) -> None:
    made = model.write([0, 1, 0, 2, 0], [1, 1, 1, 4, 5])
    assert [(one.shape, one.dtype) for one in made] == [((16, 16, 3), np.uint8)] * 5 and model.kinds == 5
    assert np.abs(made[0].astype(int) - made[2]).max() <= 1
    assert (made[0] != made[1]).any() and (made[0] != made[4]).any()  # another class; another seed


def test_a_variation_is_the_nearer_the_fewer_steps_are_done_anew(model: ImprovedDiffusion) -> None:
    first = model.write([0], [1])
    apart = [np.abs(model.vary(first, [0], [9], share)[0].astype(int) - first[0]).mean() for share in (0.25, 0.5, 1)]
    assert apart == sorted(apart) and apart[0] < apart[2]
    assert (model.vary(first, [0], [9], 0.01)[0] == model.vary(first, [0], [9], 0.25)[0]).all()  # one step at least


def test_one_step_is_the_formula(model: ImprovedDiffusion) -> None:
    """From noise to what the network takes for the clean picture, in one step."""
    one = ImprovedDiffusion.__new__(ImprovedDiffusion)
    vars(one).update(vars(model) | {"taken": [SCHEDULE // 2], "left": left(SCHEDULE)[[SCHEDULE // 2]]})
    noise = torch.randn((3, 16, 16), generator=torch.Generator("cpu").manual_seed(3))[None]
    share = one.left[0]
    with torch.inference_mode():
        told = model.network(noise, torch.tensor([SCHEDULE // 2]), torch.tensor([1]))
    clean = ((noise - math.sqrt(1 - share) * told) / math.sqrt(share)).clamp(-1, 1)
    expected = np.round((clean[0].permute(1, 2, 0).numpy() + 1) / 2 * 255)
    assert np.abs(one.write([1], [3])[0] - expected).max() <= 1


def test_the_schedule_is_that_of_the_paper() -> None:
    kept = left(SCHEDULE)
    assert len(kept) == SCHEDULE and (np.diff(kept) < 0).all() and kept[0] > 0.9999 and kept[-1] < 1e-6
    assert kept[SCHEDULE // 2 - 1] == pytest.approx(math.cos((0.5 + 0.008) / 1.008 * math.pi / 2) ** 2, rel=1e-3)


def test_safetensors_give_the_same(model: ImprovedDiffusion, tmp_path: Path) -> None:
    file, digest = tiny_checkpoint.build(tmp_path, "tiny.safetensors")
    other = ImprovedDiffusion(file, digest, SAMPLING, device="cpu")
    assert (other.write([2], [7])[0] == model.write([2], [7])[0]).all()


class Harm:
    """A pickle that writes a file where it is opened."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_that_is_not_the_declared_one_or_holds_code_is_not_opened(tmp_path: Path) -> None:
    harmed, file = tmp_path / "harmed", tmp_path / "evil.pt"
    torch.save({"a": Harm(harmed)}, file)
    with refused("generation.checkpoint_hash", name="model_sha256"):
        read(file, "0" * 64)
    with refused("generation.checkpoint_hash"):
        read(file, None)
    from lib.common.files import sha256

    with refused("generation.checkpoint_no_tensors", name="model"):
        read(file, sha256(file))
    assert not harmed.exists()
    torch.load(file, weights_only=False)  # the positive control: opened in the usual way, it does run
    assert harmed.exists()
    with refused("generation.no_checkpoint", name="model"):
        read(tmp_path / "absent.pt", "0" * 64)


@pytest.mark.parametrize(
    "content", [b"", b"no tensors", pickle.dumps({"a": 1})], ids=["empty", "no pickle", "plain pickle"]
)
def test_what_holds_no_tensors_is_refused(tmp_path: Path, content: bytes) -> None:
    from lib.common.files import sha256

    for name in ("a.pt", "a.safetensors"):
        (tmp_path / name).write_bytes(content)
        with refused("generation.checkpoint_no_tensors", name="model"):
            read(tmp_path / name, sha256(tmp_path / name))


@pytest.mark.parametrize("change", ["left out", "one more", "another shape", "a number"])
def test_tensors_of_another_network_are_refused(tmp_path: Path, change: str) -> None:
    from lib.common.files import sha256

    weights: dict = tiny_checkpoint.tensors()
    if change == "left out":
        del weights["middle_block.1.qkv.bias"]
    elif change == "one more":
        weights["ema.weight"] = torch.zeros(3)
    elif change == "another shape":
        weights["out.0.weight"] = torch.zeros(7)
    else:
        weights["steps"] = 3
    torch.save(weights, tmp_path / "other.pt")
    code = "generation.checkpoint_no_tensors" if change == "a number" else "generation.checkpoint_unknown"
    with refused(code, name="model"):
        ImprovedDiffusion(tmp_path / "other.pt", sha256(tmp_path / "other.pt"), SAMPLING, device="cpu")
