"""What pre-flight refuses about audits. No kernel is started here."""

import pytest
from support.errors import refused

from lib.pipeline import preflight

pytestmark = pytest.mark.usefixtures("unfingerprinted")

CORPUS, TRAIN = "00_process_data", "10_finetune_dp_lora.eps8"


@pytest.mark.parametrize(
    ("change", "code", "name", "value"),
    [
        ("control=eps9", "pipeline.no_control", "control", "eps9"),
        ("control=aug_pe", "pipeline.no_control", "control", "aug_pe"),
        ("control=null", "pipeline.no_control", "control", None),
        ("remade=[eps8]", "pipeline.no_control", "control", "nonprivate"),
        ("remade=[base]", "pipeline.remade_is_no_arm", "remade", "base"),
        ("remade=[nonprivat]", "pipeline.remade_is_no_arm", "remade", "nonprivat"),
        ("copies=[10]", "pipeline.copies_without_number", "repeated", [6, 4]),
        (f"inputs={{corpus: {CORPUS}}}", "pipeline.no_arm", "inputs", None),
        (f"inputs={{corpus: {CORPUS}, a: {TRAIN}}}", "stage.input_of_another_notebook", "a", TRAIN),
    ],
)
def test_an_audit_without_arms_or_controls_is_refused(change: str, code: str, name: str, value: object) -> None:
    with refused(code, name=name, value=value):
        preflight.preflight("test", "test", [f"20_canary_privacy.{change}"])


def test_a_control_is_needed_only_where_arms_that_have_none_are_made_again() -> None:
    def parameters(*changes: str) -> object:
        audit = [f"20_canary_privacy.{change}" for change in (*changes, "control=null")]
        return preflight.preflight("test", "test", audit).nodes["20_canary_privacy"].parameters["remade"]

    assert parameters("remade=[]") == [] and parameters("remade=[aug_pe]") == ["aug_pe"]


def test_a_steered_arm_brings_its_own_control_although_a_fine_tuned_one_is_written_in_the_same_notebook() -> None:
    changes = ["20_canary_privacy.remade=[steered]", "20_canary_privacy.control=null"]
    assert preflight.preflight("test", "test", changes)
    with refused("pipeline.no_control", name="control"):
        preflight.preflight("test", "test", [changes[1], "20_canary_privacy.remade=[steered, eps8]"])


def test_an_arm_with_a_control_of_its_own_is_no_control_of_others_and_a_floor_is_not_made_again() -> None:
    with refused("pipeline.needless_control", name="control", value="steered"):
        preflight.preflight("test", "test", ["20_canary_privacy.remade=[steered]", "20_canary_privacy.control=steered"])
    inputs = f"{{corpus: {CORPUS}, base: 11_generate.base}}"
    changes = [f"20_canary_privacy.{one}" for one in (f"inputs={inputs}", "remade=[base]", "control=null")]
    with refused("methods.nothing_to_audit"):
        preflight.preflight("test", "test", changes)
