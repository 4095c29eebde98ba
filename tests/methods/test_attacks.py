"""Which accesses of an arm are attacked: those by Gaussian noise of a method that has canaries."""

import json
from pathlib import Path

import yaml

from lib.common import paths
from lib.methods import attacks
from lib.methods.dp_lora import canaries
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.ledger import Event
from lib.stage import fingerprint

TRAINED = Gaussian(0.5, 0.1, 6)


def write(run: Path, stage: str, *events: Event) -> Path:
    (run / stage).mkdir()
    (run / stage / "params.yaml").write_text(yaml.safe_dump({"max_grad_norm": 1.0, "stage": stage}))
    statement = {"unit": "record", "delta": 1e-5, "events": [event.as_json() for event in events]}
    (run / stage / "privacy.json").write_text(json.dumps(statement))
    return run / stage


def test_counts_are_not_attacked_and_training_is_with_the_parameters_of_its_own_stage(tmp_path: Path) -> None:
    counted = Event("00_process_data", "label histogram", DiscreteGaussian(10.0))
    trained = Event("10_finetune_dp_lora.a", "DP-SGD on LoRA", TRAINED)
    for stage in ("00_process_data", "10_finetune_dp_lora.a"):
        write(tmp_path, stage)
    (found,) = attacks.of_arm(write(tmp_path, "11_generate.a", counted, trained))
    assert found.send is canaries.send and found.title == "DP-SGD on LoRA (10_finetune_dp_lora.a)"
    assert found.access.mechanism == TRAINED and found.access.parameters["stage"] == "10_finetune_dp_lora.a"
    assert (found.access.unit, found.access.delta) == ("record", 1e-5)


def test_an_arm_without_privacy_is_not_attacked(tmp_path: Path) -> None:
    write(tmp_path, "10_finetune_dp_lora.n")
    trained = Event("10_finetune_dp_lora.n", "training without noise", NonPrivate())
    assert attacks.of_arm(write(tmp_path, "11_generate.n", trained)) == []


def test_an_arm_of_another_version_of_the_mechanism_is_told_apart(tmp_path: Path) -> None:
    """What the canaries go through counts: not what the arm alone ran, nor how an error is spelled."""
    trained = Event("10_finetune_dp_lora.a", "DP-SGD on LoRA", TRAINED)
    made_by = write(tmp_path, "10_finetune_dp_lora.a")
    (found,) = attacks.of_arm(write(tmp_path, "11_generate.a", trained))
    assert attacks.changed_code(found, tmp_path) == ["lib.methods.dp_lora.canaries"]  # it never was done

    made = fingerprint.made_from(paths.ROOT, "10_finetune_dp_lora", {})
    others = {"lib.common.errors": "older", "lib.data.fitting": "older", "lib.methods.gone": "older"}

    def done_with(**modules: str) -> None:
        older = made | {"modules": made["modules"] | others | modules}
        (made_by / fingerprint.DONE).write_text(json.dumps({"digest": "d", "made_from": older}))

    done_with()
    assert attacks.changed_code(found, tmp_path) == []
    done_with(**{"lib.methods.dp_lora.trainer": "older", "lib.privacy.mechanisms": "older"})
    assert attacks.changed_code(found, tmp_path) == ["lib.methods.dp_lora.trainer", "lib.privacy.mechanisms"]
