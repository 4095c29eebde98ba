"""Checks of DP-SGD on the device: this machine passes them, and what would break privacy fails them."""

from collections.abc import Callable

import pytest
import torch

from lib.machine import training
from lib.machine.check import Differs
from lib.methods.dp_lora import gradients, optimizer

CPU = torch.device("cpu")


def test_a_right_sum_right_noise_and_right_masks_pass() -> None:
    assert training.clipped_sum(CPU)["relative error"] < 1e-5
    assert training.noise(CPU)["standard deviation over stated"] == pytest.approx(1, abs=0.1)
    assert training.masks(CPU)["share kept"] == pytest.approx(0.7, abs=0.01)


def test_a_sum_that_is_not_clipped_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizer, "MARGIN", -3.0)  # clips to four times the norm
    with pytest.raises(Differs, match="clipped sum differs"):
        training.clipped_sum(CPU)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda count, words: torch.zeros(count, dtype=torch.float64), "0.000 times"),
        (lambda count, words: 0.5 * torch.randn(count, dtype=torch.float64), r"0\.(4|5)\d\d times"),
        (lambda count, words: 0.8 + 0.6 * torch.randn(count, dtype=torch.float64), "mean"),
    ],
)
def test_wrong_noise_is_seen(
    monkeypatch: pytest.MonkeyPatch, draw: Callable[[int, object], torch.Tensor], said: str
) -> None:
    monkeypatch.setattr(optimizer, "standard_normal", draw)
    with pytest.raises(Differs, match=said):
        training.noise(CPU)


def test_masks_of_another_generator_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = torch.Generator().manual_seed(1)
    monkeypatch.setattr(gradients, "mask_generator", lambda *seed, device: fixed)
    with pytest.raises(Differs, match="two seeds gave one mask"):
        training.masks(CPU)
    monkeypatch.setattr(gradients, "mask_generator", lambda *seed, device: torch.Generator().manual_seed(torch.seed()))
    with pytest.raises(Differs, match="one seed gave two masks"):
        training.masks(CPU)
