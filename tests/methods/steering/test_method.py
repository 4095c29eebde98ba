"""The entry of steering: its mechanism, its checks, and what a card says."""

import pytest
from methods.steering.conftest import PARAMETERS
from support.errors import refused

from lib.methods.steering.method import METHOD, check_steer, making
from lib.privacy.accounting import Gaussian, epsilon


@pytest.mark.parametrize("target", [1.0, 8.0])
def test_noise_spends_the_target_with_the_count_of_copies(target: float) -> None:
    from lib.privacy import copy_count

    given = PARAMETERS | {"target_epsilon": target}
    mechanism = METHOD.mechanism(given, units=9000, delta=1e-5)
    assert mechanism == Gaussian(mechanism.noise_multiplier) and mechanism.count == 1
    count = copy_count.mechanism(given, 1e-5)
    assert 0.98 * target <= epsilon([mechanism, count], delta=1e-5) <= target
    assert METHOD.mechanism(given | {"target_epsilon": None}, units=9000, delta=1e-5).unbounded


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        ({"inputs": {}}, "stage.no_corpus_input", "inputs"),
        ({"inputs": {"corpus": "00_process_data", "model": "10_finetune_dp_lora.x"}}, "stage.unknown_input", "model"),
        ({"model": "openai:gpt-4o-mini"}, "generation.records_to_endpoint", "model"),
        ({"model": "bedrock:a.b"}, "generation.records_to_endpoint", "model"),
    ],
)
def test_what_cannot_steer_is_refused(changes: dict, code: str, name: str) -> None:
    check_steer(PARAMETERS)
    with refused(code, name=name):
        check_steer(PARAMETERS | changes)


def test_a_card_says_how_the_texts_were_made() -> None:
    arm = {"temperature": 0.9}
    first, second = making(arm, PARAMETERS | {"model": "bundled:tiny-random"}, "user")
    assert "user by user" in first and "`bundled:tiny-random`" in first
    assert PARAMETERS["prompt"] in second
