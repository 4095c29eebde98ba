"""The language model on which tests of utility train adapters."""

import pytest

from lib.evaluation.utility import lora_adaptation


@pytest.fixture(scope="module")
def model() -> lora_adaptation.Adaptable:
    return lora_adaptation.Adaptable(
        "bundled:tiny-random", {"r": 2, "target_modules": ["q_proj", "v_proj"]}, device="cpu"
    )
