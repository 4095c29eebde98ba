"""The entry of DP-LoRA: its mechanism and what pre-flight refuses."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.stage.notebook_roles import Parameters, _check_inputs


def sampling_probability(units: int, expected_batch: float) -> float:
    """q = expected_batch / units. Raises DoppelError outside (0, 1]."""
    if not 0 < expected_batch <= units:
        raise DoppelError(
            f"expected_batch = {expected_batch:g} is outside (0, {units}], the number of units; lower expected_batch"
        )
    return expected_batch / units


def finetune_dp_lora(parameters: Parameters) -> None:
    """It has a corpus, its warm-up ends, and PEFT knows every key of ``lora``."""
    _check_inputs(parameters, "corpus")
    if parameters["warmup_steps"] >= parameters["steps"]:
        raise DoppelError(f"warmup_steps = {parameters['warmup_steps']} must be below steps = {parameters['steps']}")
    for key in set(parameters["lora"]) - _lora_keys():
        raise DoppelError(f"lora: {key}: no setting of PEFT's LoraConfig; {nearest(key, _lora_keys())}")


@cache
def _lora_keys() -> frozenset[str]:
    """Fields of PEFT's LoraConfig, read from its source: importing it would import torch."""
    spec = find_spec("peft")
    if spec is None or spec.origin is None:
        raise DoppelError("peft is not installed; run ./run_all.sh setup")
    tuners = Path(spec.origin).parent
    classes = {}
    for file in (tuners / "config.py", tuners / "tuners" / "lora" / "config.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                fields = (line.target.id for line in node.body if isinstance(line, ast.AnnAssign))
                classes[node.name] = set(fields)
    return frozenset(classes["LoraConfig"] | classes["PeftConfig"] | classes["PeftConfigMixin"])
