"""Checks of what large models need: two processes pass here, and sums that got lost between them fail."""

import pytest
import torch

from lib.machine import sharing
from lib.machine.check import Differs

CPU = torch.device("cpu")


def test_two_processes_end_where_one_does() -> None:
    assert sharing.one_card(CPU) is None
    assert max(sharing.two_processes(CPU).values()) < 1e-5


def test_processes_that_end_elsewhere_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: None)  # weights can be split here
    monkeypatch.setattr(sharing, "_weights", lambda given, folder: torch.ones(9) / given["processes"])
    with pytest.raises(Differs, match="two processes end 5"):
        sharing.two_processes(CPU)
    monkeypatch.setattr(sharing, "_weights", lambda given, folder: torch.ones(9) / (1 + given["split_weights"]))
    with pytest.raises(Differs, match="with split weights"):
        sharing.two_processes(CPU)


def test_without_a_card_four_bits_are_absent() -> None:
    assert "graphics card" in sharing.no_four_bits(CPU)
