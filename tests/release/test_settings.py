"""The settings that a certificate spells out: a fixed set, with values that do what an older stage did."""

from lib.methods.private_evolution.settings import Settings
from lib.methods.registry import METHODS
from lib.release import settings


def test_each_stage_that_draws_noise_or_reads_records_has_settings_and_others_have_none() -> None:
    for method in METHODS:
        assert settings.of_stage(f"{method.spends or method.arm}.a") == ("inputs", *method.settings)
    assert settings.of_stage("21_fidelity") is None
    assert settings.of_stage("01_finetune_dp_lora.x") == settings.of_stage("10_finetune_dp_lora")  # its former name


def test_what_a_stage_has_is_never_replaced() -> None:
    before = settings.AS_BEFORE["10_finetune_dp_lora"]
    assert settings.completed("10_finetune_dp_lora.a", {"steps": 99}) == {**before, "steps": 99}
    assert settings.completed("01_finetune_dp_lora.a", {"frozen_a": True})["frozen_a"] is True
    assert settings.completed("21_fidelity", {"seed": 0}) == {"seed": 0}


def test_values_from_before_are_those_that_an_arm_is_audited_with() -> None:
    for method in METHODS:
        assert set(method.as_before) <= set(method.settings)
    votes = settings.AS_BEFORE["12_aug_pe"]
    defaults = Settings(iterations=1, samples=1, noise_multiplier=None)
    assert {n: getattr(defaults, n) for n in votes if hasattr(defaults, n)} == {
        n: v for n, v in votes.items() if hasattr(defaults, n)
    }
