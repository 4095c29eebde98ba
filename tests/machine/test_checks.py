"""Checks by name, what is lacking for some, and that a check that breaks does not end the others."""

import torch
from support.errors import refused

from lib.common.errors import DoppelError
from lib.machine import adaptation, checks
from lib.machine.check import Check, Differs, timed

CPU = torch.device("cpu")


def breaks(error: Exception) -> Check:
    def run(device: torch.device) -> dict:
        raise error

    return Check("breaks", "breaks", run)


def test_names_are_unique_and_unknown_ones_are_refused() -> None:
    names = [check.name for check in checks.CHECKS]
    assert len(names) == len(set(names)) and {"clipped-sum", "noise", "masks", "votes", "engine-vllm"} <= {*names}
    assert [check.name for check in checks.chosen(["noise"])] == ["noise"] and checks.chosen([]) == list(checks.CHECKS)
    with refused("machine.unknown_check", name="--only", value="nose") as error:
        checks.chosen(["nose"])
    assert "noise" in error.value.remedy


def test_every_check_has_an_outcome_whatever_happens_in_it() -> None:
    fine = Check("fine", "fine", lambda device: {"rate": 2.0})
    away = Check("away", "away", lambda device: {}, lambda device: f"no card on {device}")
    broken = [breaks(Differs("off by one")), breaks(DoppelError("a.code", "no model")), breaks(MemoryError("full"))]
    found = list(checks.outcomes([*broken, away, fine], CPU))
    assert [one.outcome for one in found] == ["fail", "fail", "fail", "absent", "pass"]
    assert [one.because for one in found] == ["off by one", "no model", "MemoryError: full", "no card on cpu", None]
    assert found[-1].figures == {"rate": 2.0} and found[-1].seconds >= 0


def test_without_a_gpu_unsloth_is_absent() -> None:
    assert "unsloth" in adaptation.no_unsloth(CPU)


def test_the_first_turn_is_not_timed() -> None:
    calls = []
    assert timed(lambda: calls.append(0), CPU, turns=2) >= 0 and len(calls) == 3
