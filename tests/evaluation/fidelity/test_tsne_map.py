"""The joint map."""

import numpy as np

from lib.evaluation.fidelity import tsne_map


def test_a_joint_map_has_a_place_for_every_record():
    rng = np.random.default_rng(0)
    places = tsne_map.joint_map({"a": rng.normal(size=(9, 5)), "b": rng.normal(size=(4, 5))}, seed=0)
    assert {name: place.shape for name, place in places.items()} == {"a": (9, 2), "b": (4, 2)}
    assert all(np.isfinite(place).all() for place in places.values())
