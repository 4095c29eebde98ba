"""Settings of an evolution that do not fit together."""

import pytest
from support.errors import refused

from lib.methods.private_evolution.settings import Settings


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"schedule": [4, 8]}, "methods.schedule_does_not_fit"),
        ({"schedule": [4, 4, 4]}, "methods.schedule_does_not_fit"),
        ({"schedule": [0, 4, 8]}, "methods.schedule_does_not_fit"),
        ({"variants": 1}, "methods.nothing_varied"),
        ({"variants": [2, 1, 1]}, "methods.nothing_varied"),
        ({"degrees": [0.5, 0.2]}, "methods.not_one_for_each_vote"),
        ({"selection": ["rank"]}, "methods.not_one_for_each_vote"),
        ({"max_overlap": 0.2, "selection": ["rank", "sample", "rank"]}, "methods.overlap_needs_rank"),
        ({"k_nn": 25}, "methods.k_nn_too_large"),
        ({"max_overlap": 0.2, "selection": "sample"}, "methods.overlap_needs_rank"),
    ],
)
def test_settings_that_do_not_fit(change: dict, code: str) -> None:
    name, value = next(iter(change.items()))
    with refused(code, name=name, value=value):
        Settings(**{"iterations": 3, "samples": 8, "noise_multiplier": 1.0} | change)


def test_settings_that_just_fit() -> None:
    fitting = {"iterations": 3, "samples": 8, "noise_multiplier": 1.0}
    assert Settings(**fitting, variants=[3, 1, 1], keep_parents=[True, False, True]).growth == 3
    assert Settings(**fitting, schedule=[1, 4, 8]).size(1) == 4
    assert Settings(**fitting | {"iterations": 1}, variants=1).growth == 1
    assert Settings(**fitting, k_nn=24).size(0) * Settings(**fitting).growth == 24
    assert Settings(**fitting, seed_factor=2.5, k_nn=20).growth == 2.5
