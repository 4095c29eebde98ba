"""Views survive the way to the disk and back."""

from pathlib import Path

import numpy as np

from lib.evaluation import views
from lib.evaluation.estimate import Estimate, Undefined


def test_views_come_back_as_they_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    some = [
        views.View("embeddings", "mauve", "higher", "encoder", "independent", {
            "eps8": Estimate(0.5, rng.normal(size=30)), "aug_pe": Undefined("one record"),
            views.CEILING: Estimate(0.9, rng.normal(size=30)),
        }),
        views.View("sentiment by TF-IDF", "accuracy", "higher", "seed", "seed 0", {"eps8": Estimate(1.0, np.ones(9))}),
    ]  # fmt: skip
    views.save(tmp_path, some)
    again = views.load(tmp_path)
    assert [vars(view) | {"estimates": 0} for view in again] == [vars(view) | {"estimates": 0} for view in some]
    for view, other in zip(again, some, strict=True):
        assert list(view.estimates) == list(other.estimates)
    assert again[0].estimates["aug_pe"] == Undefined("one record")
    assert again[0].estimates["eps8"].value == 0.5 and again[1].estimates["eps8"].draws.tolist() == [1.0] * 9
    np.testing.assert_allclose(again[0].estimates["eps8"].draws, some[0].estimates["eps8"].draws, rtol=1e-6)


def test_no_view_is_no_fault(tmp_path: Path) -> None:
    views.save(tmp_path, [])
    assert views.load(tmp_path) == []
