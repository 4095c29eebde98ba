"""Which words may be shown, and how clusters are named by them."""

import json
from pathlib import Path

import numpy as np
import pytest

from lib.evaluation.fidelity import public_vocabulary


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "privacy.json").write_text(json.dumps({"not_for_release": []}))
    return tmp_path


def test_words_of_a_floor_that_may_not_be_released_are_not_public(floor: Path):
    texts = ["The woofer didn't rattle, and 12 more. 音箱"]
    known = public_vocabulary.vocabulary(floor, texts, locale="en_US")
    assert {"woofer", "rattle", "camera", "音", "箱"} <= set(known) and not {"didn", "the", "12", "t"} & set(known)
    (floor / "privacy.json").write_text(json.dumps({"not_for_release": ["it is not private"]}))
    known = public_vocabulary.vocabulary(floor, texts, locale="en_US")
    assert "camera" in known and "woofer" not in known


def test_clusters_are_named_by_their_public_words_alone():
    texts = ["zqjxv camera lens"] * 5 + ["zqjxv sound"] * 5 + ["kwyx"] * 5
    held = public_vocabulary.presence(texts, ["camera", "lens", "sound", "unsaid"])
    named = public_vocabulary.names(held, ["camera", "lens", "sound", "unsaid"], np.repeat([0, 1, 2], 5))
    assert named == ["camera, lens", "sound", "(no public word stands out)"]


def test_shares_of_words_are_of_all_words_and_named_where_public():
    groups = {"real": ["zqjxv camera camera"], "arm": ["sound"], "mute": [""]}
    shares, named = public_vocabulary.word_shares(groups, ["camera"])
    assert list(named.values()) == ["camera"]
    (place,) = named
    assert shares["real"][place] == pytest.approx(2 / 3) and shares["arm"][place] == 0
    assert shares["mute"].sum() == 0 and shares["real"].sum() == pytest.approx(1)
