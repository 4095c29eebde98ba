"""Every set measured against the same reference: labels, p values, and views whose draws are paired."""

from pathlib import Path

import numpy as np
import pytest
from support.fidelity_toys import compared, records, sentences

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import views
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.fidelity import measure
from lib.evaluation.views import CEILING


def test_a_record_without_a_label_counts_as_a_value_of_its_own():
    half = [*records(sentences(10, 3)), *(Record(f"x{i}", PrivateText("a b"), {}) for i in range(10))]
    sides = compared(arm=half)
    used = sides.rows(seed=0)
    by_set = measure.labels(sides, "mood", used, seed=0, draws=9)
    assert by_set["arm"]["tv"].value == pytest.approx(0.5) and by_set[CEILING]["tv"].value == 0
    assert sides.label_shares("mood", used, ["good", "bad"])["arm"].tolist() == [0.5, 0]


def test_every_set_has_a_p_value_or_a_reason():
    sides = compared(arm=records(sentences(24, 3)), far=records(sentences(24, 4)), one=records(["one text"]))
    rng = np.random.default_rng(0)
    vectors = {name: rng.normal(size=(len(own), 3)) for name, own in sides.records.items()}
    vectors["far"] += 9
    tested = measure.same_distribution(sides, vectors, sides.rows(seed=0), permutations=39, seed=0)
    assert list(tested) == ["arm", "far", "one", CEILING]
    assert tested["far"] == {"p": 1 / 40} and tested["arm"]["p"] > 1 / 40
    assert tested["one"].keys() == {"because"}


def test_views_vary_encoder_size_and_seed_and_pair_their_draws(tmp_path: Path):
    sides = compared(floor=records(sentences(24, 3)), arm=records(sentences(40, 4)), one=records(["one text"]))
    used, rng = sides.rows(seed=0), np.random.default_rng(0)
    spaces = {
        encoder: {name: rng.normal(size=(len(own), 4)) for name, own in sides.records.items()} for encoder in "ab"
    }
    same = {"seed": 0, "draws": 9}
    known = {encoder: measure.embeddings(sides, vectors, used, **same) for encoder, vectors in spaces.items()}
    known_texts = measure.texts(sides, used, **same)
    views.save(tmp_path, measure.headline_views(sides, spaces, known, known_texts, seeds=3, **same))
    loaded = views.load(tmp_path)
    ways = {(view.kind, view.name) for view in loaded if view.metric == "frechet"}
    seeds = {("seed", f"seed {seed}") for seed in range(3)}
    assert ways == {("encoder", "a"), ("encoder", "b"), ("size", "24 records"), ("size", "12 records")} | seeds
    of_words = {(view.kind, view.name) for view in loaded if view.metric == "word_jsd"}
    assert of_words == {way for way in ways if way[0] != "encoder"}
    assert len(loaded) == 2 * len(ways) + len(of_words)  # two headline metrics of embeddings, one of texts
    for view in loaded:
        assert list(view.estimates) == ["floor", "arm", "one", CEILING]
        assert isinstance(view.estimates["one"], Undefined)
        assert len({len(value.draws) for value in view.estimates.values() if isinstance(value, Estimate)}) == 1
    sized = {
        view.name: view.estimates["arm"].value for view in loaded if (view.metric, view.kind) == ("frechet", "size")
    }
    assert sized["24 records"] == known["a"]["arm"]["frechet"].value != sized["12 records"]
