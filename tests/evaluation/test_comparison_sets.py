"""Which sets are compared, what their rows and views hold, what is missing, and the words that may be shown."""

import json
from pathlib import Path

import numpy as np
import pytest

from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import comparison_sets, metric_rows, views
from lib.evaluation.comparison_sets import REFERENCE
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.fidelity import coverage_gaps, measure, precision_recall, public_vocabulary, suite, tsne_map
from lib.evaluation.views import CEILING


def made(texts: list[str], name: str = "r", labels: dict[str, str] | None = None) -> list[Record]:
    return [Record(f"{name}-{i}", PrivateText(text), labels or {"mood": "good"}) for i, text in enumerate(texts)]


def sentences(n: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(["camera", "lens", "sound", "is", "great", "bad"], 6)) + "." for _ in range(n)]


def compared(most: int = 100, **arms: list[Record]) -> comparison_sets.Sides:
    train, test = made(sentences(60, 1), "train"), made(sentences(30, 2), "test")
    given = arms or {"floor": made(sentences(20, 3)), "arm": made(sentences(40, 4))}
    return comparison_sets.matched_sides(given, train, test, most=most, seed=0)


def test_every_set_has_as_many_records_as_the_smallest_and_the_real_ones_do_not_overlap():
    found = compared()
    used = found.rows(seed=0)
    assert found.n == 20 and {len(some) for some in used.values()} == {20}
    assert list(used) == ["floor", "arm", REFERENCE, CEILING] and found.sizes == {"floor": 20, "arm": 40}
    assert all(record.id.startswith("test") for record in found.records[REFERENCE])
    assert all(record.id.startswith("train") for record in found.records[CEILING])
    assert compared(most=12).n == 12


def test_an_arm_of_one_record_is_kept_and_makes_no_other_set_smaller():
    found = compared(floor=made(sentences(20, 3)), arm=made(["one text"]))
    used = found.rows(seed=0)
    assert found.n == 20 and {name: len(some) for name, some in used.items() if len(some) != 20} == {"arm": 1}


def test_another_seed_and_half_the_size_draw_other_records():
    found = compared()
    first, other, half = (found.rows(**how) for how in ({"seed": 0}, {"seed": 1}, {"seed": 0, "share": 0.5}))
    assert not np.array_equal(first["arm"], other["arm"]) and set(half["arm"]) < set(first["arm"])
    assert {len(some) for some in half.values()} == {10}


def test_names_that_stand_for_real_records_and_sets_without_records_are_refused():
    for name in (REFERENCE, CEILING):
        with pytest.raises(DoppelError, match="rename it in inputs"):
            compared(**{name: made(sentences(20, 3))})
    with pytest.raises(DoppelError, match="there is no arm"):
        comparison_sets.matched_sides({}, made(sentences(20, 1)), made(sentences(20, 2)), most=9, seed=0)
    with pytest.raises(DoppelError, match=r"test\.jsonl of the corpus has 3 records"):
        comparison_sets.matched_sides(
            {"a": made(sentences(20, 1))}, made(sentences(20, 1)), made(sentences(3, 2)), most=9, seed=0
        )


def test_an_encoder_that_selected_an_arm_may_not_judge_it(tmp_path: Path):
    for name, text in (("votes", "encoder: bundled:all-minilm-l6-v2\n"), ("writes", "samples: 3\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "params.yaml").write_text(text)
    arms = {name: tmp_path / name for name in ("votes", "writes")}
    assert comparison_sets.check_independent("hidden:bundled:tiny-random", arms) == "hidden:bundled:tiny-random"
    with pytest.raises(DoppelError, match=r"arm 'votes' was selected in its space"):
        comparison_sets.check_independent("bundled:all-minilm-l6-v2", arms)


def test_a_record_without_a_label_counts_as_a_value_of_its_own():
    half = [*made(sentences(10, 3)), *(Record(f"x{i}", PrivateText("a b"), {}) for i in range(10))]
    found = compared(arm=half)
    used = found.rows(seed=0)
    by = measure.labels(found, "mood", used, seed=0, draws=9)
    assert by["arm"]["tv"].value == pytest.approx(0.5) and by[CEILING]["tv"].value == 0
    assert found.label_shares("mood", used, ["good", "bad"])["arm"].tolist() == [0.5, 0]


def estimate(value: float, seed: int) -> Estimate:
    return Estimate(value, value + 0.01 * np.random.default_rng(seed).normal(size=50))


def a_table() -> list[metric_rows.Row]:
    kinds = {"near": ("lower", True), "like": ("match", False), "level": ("lower", True)}
    found = {
        name: {"near": estimate(value, i), "like": estimate(value, i + 9), "level": estimate(0.5, i)}
        for i, (name, value) in enumerate({"floor": 0.9, "arm": 0.5, CEILING: 0.1}.items())
    } | {"gone": dict.fromkeys(kinds, Undefined("it has 1 record; add some"))}
    sizes = {"floor": 20, "arm": 40, "gone": 1}
    used = {"floor": 20, "arm": 20, "gone": 1}
    return metric_rows.placed("toy", kinds, found, floor="floor", used=used, of=sizes, headline=("near",))


def test_rows_place_every_arm_and_say_which_stand_on_the_first_page():
    table = a_table()
    assert [(row["arm"], row["metric"]) for row in table[:3]] == [("floor", "near"), ("arm", "near"), ("gone", "near")]
    assert {row["metric"] for row in table if row["headline"]} == {"near"}
    assert table[1]["position"] == pytest.approx(0.5) and (table[1]["n"], table[1]["of"]) == (20, 40)
    assert json.loads(json.dumps(table, allow_nan=False)) == table
    assert metric_rows.reasons(table) == {"it has 1 record; add some": 3}  # not those that have a value and no place
    assert not any("gone" in name for name in metric_rows.flat(table) if not name.endswith(("floor", "ceiling")))


def test_tables_to_read_show_arms_side_by_side_and_no_minus_zero():
    wide = metric_rows.wide(a_table())
    assert list(wide.columns) == ["better", "floor", "arm", "gone", "ceiling"]
    assert wide.loc[("toy", "like"), "better"] == "as ceiling" and wide.loc[("toy", "near"), "gone"] == "not defined"
    assert wide.loc[("toy", "near"), "arm"].startswith("0.5 ± 0.0")
    assert not metric_rows.table(a_table())["position"].str.contains("-0 ").any()


def test_views_of_one_metric_stand_together_whatever_their_order():
    def view(metric, kind, name, value):
        return views.View("t", metric, "higher", kind, name, {"a": value, CEILING: Estimate(0.5, np.zeros(3))})

    seen = [
        view("mauve", "size", "9 records", Estimate(0.25, np.zeros(3))),
        view("frechet", "seed", "seed 1", Undefined("too few")),
        view("mauve", "encoder", "bundled:small", Estimate(0.75, np.zeros(3))),
    ]
    table = metric_rows.by_view(seen)
    assert list(table.index) == [
        ("t", "Fréchet distance", "seed", "seed 1"),
        ("t", "MAUVE", "encoder", "small"),
        ("t", "MAUVE", "size", "9 records"),
    ]
    assert list(table["a"]) == ["not defined", "0.75", "0.25"] and list(table[CEILING]) == ["0.5"] * 3


GROUPS = np.array([[0, 0], [20, 0], [0, 20]])


def around(groups: list[int], each: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.concatenate([GROUPS[g] + draw.normal(size=(each, 2)) for g in groups]) + 30  # k-means looks at angles


def test_a_group_of_real_records_that_an_arm_never_wrote_is_missing():
    real = around([0, 1, 2], 20, 1)
    found = coverage_gaps.find_gaps(
        real, {"arm": around([0, 1], 30, 2), "ceiling": around([0, 1, 2], 20, 3)}, seed=0, clusters=3
    )
    assert sorted(found.sizes) == [20, 20, 20]
    lost = found.cluster[-1]
    assert found.counts("arm")[lost] == 0 and found.counts("ceiling").min() > 10
    assert found.order(["arm"])[0] == lost


def test_clusters_of_a_few_records_are_left_out_but_never_all_of_them(monkeypatch: pytest.MonkeyPatch):
    real = around([0, 1], 8, 1)
    monkeypatch.setattr(coverage_gaps, "cluster", lambda *_, **__: np.repeat([0, 1, 2], [6, 3, 7]))
    found = coverage_gaps.find_gaps(real, {"arm": real}, seed=0, clusters=3)
    assert found.sizes.tolist() == [6, 7] and np.flatnonzero(found.cluster < 0).tolist() == [6, 7, 8]
    assert found.counts("arm").tolist() == [6, 7]
    monkeypatch.setattr(coverage_gaps, "cluster", lambda *_, **__: np.repeat([0, 1, 2, 3], 4))
    assert coverage_gaps.find_gaps(real, {"arm": real}, seed=0, clusters=4).sizes.tolist() == [4, 4, 4, 4]


def test_records_that_are_covered_are_those_that_coverage_counts():
    real, synthetic = around([0, 1], 30, 1), around([0, 2], 30, 2)
    covered = precision_recall.covered(real, synthetic)
    assert covered.mean() == precision_recall.manifold(real, synthetic).coverage and 0 < covered.mean() < 1
    assert precision_recall.covered(real, real[:1]).sum() >= 1  # one synthetic record is enough
    with pytest.raises(DoppelError, match="have no 3-th neighbour"):
        precision_recall.covered(real[:3], synthetic)


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "privacy.json").write_text(json.dumps({"not_for_release": []}))
    return tmp_path


def test_words_of_a_floor_that_may_not_be_released_are_not_public(floor: Path):
    texts = ["The woofer didn't rattle, and 12 more."]
    known = public_vocabulary.vocabulary(floor, texts, locale="en_US")
    assert {"woofer", "rattle", "camera"} <= set(known) and not {"didn", "the", "12", "t"} & set(known)
    (floor / "privacy.json").write_text(json.dumps({"not_for_release": ["it is not private"]}))
    known = public_vocabulary.vocabulary(floor, texts, locale="en_US")
    assert "camera" in known and "woofer" not in known


def test_clusters_are_named_by_their_public_words_alone():
    texts = ["zqjxv camera lens"] * 5 + ["zqjxv sound"] * 5 + ["kwyx"] * 5
    held = public_vocabulary.presence(texts, ["camera", "lens", "sound", "unsaid"])
    found = public_vocabulary.names(held, ["camera", "lens", "sound", "unsaid"], np.repeat([0, 1, 2], 5))
    assert found == ["camera, lens", "sound", "(no public word stands out)"]


def test_shares_of_words_are_of_all_words_and_named_where_public():
    shares, named = public_vocabulary.said(
        {"real": ["zqjxv camera camera"], "arm": ["sound"], "mute": [""]}, ["camera"]
    )
    assert list(named.values()) == ["camera"]
    (place,) = named
    assert shares["real"][place] == pytest.approx(2 / 3) and shares["arm"][place] == 0
    assert shares["mute"].sum() == 0 and shares["real"].sum() == pytest.approx(1)


def test_a_joint_map_has_a_place_for_every_record():
    draw = np.random.default_rng(0)
    places = tsne_map.joint_map({"a": draw.normal(size=(9, 5)), "b": draw.normal(size=(4, 5))}, seed=0)
    assert {name: place.shape for name, place in places.items()} == {"a": (9, 2), "b": (4, 2)}
    assert all(np.isfinite(place).all() for place in places.values())


def test_views_vary_encoder_size_and_seed_and_pair_their_draws(tmp_path: Path):
    found = compared(floor=made(sentences(24, 3)), arm=made(sentences(40, 4)), one=made(["one text"]))
    used, draw = found.rows(seed=0), np.random.default_rng(0)
    spaces = {
        encoder: {name: draw.normal(size=(len(some), 4)) for name, some in found.records.items()} for encoder in "ab"
    }
    same = {"seed": 0, "draws": 9}
    known = {encoder: measure.embeddings(found, vectors, used, **same) for encoder, vectors in spaces.items()}
    known_texts = measure.texts(found, used, **same)
    views.save(tmp_path, measure.headline_views(found, spaces, known, known_texts, seeds=3, **same))
    seen = views.load(tmp_path)
    ways = {(view.kind, view.name) for view in seen if view.metric == "frechet"}
    seeds = {("seed", f"seed {seed}") for seed in range(3)}
    assert ways == {("encoder", "a"), ("encoder", "b"), ("size", "24 records"), ("size", "12 records")} | seeds
    said = {(view.kind, view.name) for view in seen if view.metric == "word_jsd"}
    assert said == {way for way in ways if way[0] != "encoder"} and len(seen) == 2 * len(ways) + len(said)
    for view in seen:
        assert list(view.estimates) == ["floor", "arm", "one", CEILING]
        assert isinstance(view.estimates["one"], Undefined)
        assert len({len(one.draws) for one in view.estimates.values() if isinstance(one, Estimate)}) == 1
    sized = {view.name: view.estimates["arm"].value for view in seen if (view.metric, view.kind) == ("frechet", "size")}
    assert sized["24 records"] == known["a"]["arm"]["frechet"].value != sized["12 records"]


def test_only_the_metrics_that_are_asked_for_are_computed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(suite, "sinkhorn_divergence", lambda *_, **__: pytest.fail("nobody asked for it"))
    monkeypatch.setattr(suite, "weighted_mmd", lambda *_, **__: pytest.fail("nobody asked for it"))
    real, other = np.random.default_rng(0).normal(size=(2, 30, 4))
    assert list(suite.embedding_estimates(real, other, seed=0, draws=5, metrics=("mauve", "frechet"))) == [
        "frechet",
        "mauve",
    ]
    assert list(suite.text_estimates(sentences(12, 1), sentences(12, 2), seed=0, draws=5, metrics=("word_jsd",))) == [
        "word_jsd"
    ]
