"""Which records are compared, and which sets are refused."""

from pathlib import Path

import numpy as np
import pytest
from support import utility_toys
from support.errors import refused
from support.fidelity_toys import compared, records, sentences

from lib.data.private_text import PrivateText
from lib.evaluation import comparison_sets
from lib.evaluation.comparison_sets import HELD_OUT, REAL, REAL_AGAIN, REFERENCE
from lib.evaluation.views import CEILING


def test_every_set_has_as_many_records_as_the_smallest_and_the_real_sets_do_not_overlap():
    sides = compared()
    used = sides.rows(seed=0)
    assert sides.n == 20 and {len(rows) for rows in used.values()} == {20}
    assert list(used) == ["floor", "arm", REFERENCE, CEILING] and sides.sizes == {"floor": 20, "arm": 40}
    assert all(record.id.startswith("test") for record in sides.records[REFERENCE])
    assert all(record.id.startswith("train") for record in sides.records[CEILING])
    assert compared(most=12).n == 12


def test_an_arm_of_one_record_is_kept_and_makes_no_other_set_smaller():
    sides = compared(floor=records(sentences(20, 3)), arm=records(["one text"]))
    used = sides.rows(seed=0)
    assert sides.n == 20 and {name: len(rows) for name, rows in used.items() if len(rows) != 20} == {"arm": 1}


def test_another_seed_and_half_the_size_draw_other_records():
    sides = compared()
    first, other, half = (sides.rows(**options) for options in ({"seed": 0}, {"seed": 1}, {"seed": 0, "share": 0.5}))
    assert not np.array_equal(first["arm"], other["arm"]) and set(half["arm"]) < set(first["arm"])
    assert {len(rows) for rows in half.values()} == {10}


@pytest.mark.parametrize("name", [REFERENCE, CEILING])
def test_an_arm_may_not_have_the_name_of_a_real_set_of_fidelity(name):
    with refused("evaluation.arm_name_taken", name="inputs", value=name):
        compared(**{name: records(sentences(20, 3))})


def matched_sets(arms: dict, *, train: int = 40, held_out: int = 20) -> comparison_sets.Sets:
    real = records(sentences(train, 1)), records(sentences(held_out, 2))
    return comparison_sets.matched_sets(arms, *real, most=30, evaluate=15, seed=0)


@pytest.mark.parametrize("name", [REAL, REAL_AGAIN, HELD_OUT])
def test_an_arm_may_not_have_the_name_of_a_real_set_of_utility(name):
    with refused("evaluation.arm_name_taken", name="inputs", value=name):
        matched_sets({name: records(sentences(20, 3))})


def test_sets_without_an_arm_or_with_too_few_records_are_refused():
    with refused("evaluation.no_arm", name="inputs"):
        comparison_sets.matched_sides({}, records(sentences(20, 1)), records(sentences(20, 2)), most=9, seed=0)
    arm = {"a": records(sentences(20, 1))}
    for file, sizes in (("train.jsonl", (3, 20)), ("test.jsonl", (20, 3))):
        with refused("evaluation.too_few_real_records", name=file, value=3):
            comparison_sets.matched_sides(arm, *(records(sentences(size, 2)) for size in sizes), most=9, seed=0)
    with refused("evaluation.no_arm", name="inputs"):
        matched_sets({})
    with refused("evaluation.too_few_records", name="a", value=8):
        matched_sets({"a": records(sentences(8, 1))})
    with refused("evaluation.too_few_records", name="half of train", value=8):
        matched_sets(arm, train=17)
    with refused("evaluation.too_few_records", name=HELD_OUT, value=8):
        matched_sets(arm, held_out=8)


def test_the_two_real_sets_of_utility_do_not_overlap_and_every_set_has_one_size():
    sets = matched_sets({"a": records(sentences(18, 3))}, train=40)
    assert sets.n == 18 and len(sets.rows[HELD_OUT]) == 15
    assert len({*sets.rows[REAL], *sets.rows[REAL_AGAIN], *sets.rows["a"], *sets.rows[HELD_OUT]}) == 3 * 18 + 15
    assert {len(rows) for name, rows in sets.halved().rows.items() if name != HELD_OUT} == {9}
    assert len(sets.judged_by(9).rows[HELD_OUT]) == 9
    with refused("evaluation.too_few_judges", name=HELD_OUT, value=8):
        sets.judged_by(8)


def test_held_out_records_without_the_label_are_refused():
    sets = matched_sets({"a": records(sentences(18, 3))})
    with refused("evaluation.label_missing", name="tone", value=15):
        sets.codes("tone")
    codes, values = sets.codes("mood")
    assert values == ["good"] and set(codes) == {0}


def test_an_encoder_that_selected_an_arm_may_not_judge_it(tmp_path: Path):
    for name, text in (("votes", "encoder: bundled:all-minilm-l6-v2\n"), ("writes", "samples: 3\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "params.yaml").write_text(text)
    arms = {name: tmp_path / name for name in ("votes", "writes")}
    assert comparison_sets.check_independent("hidden:bundled:tiny-random", arms) == "hidden:bundled:tiny-random"
    with refused("evaluation.encoder_not_independent", name="encoder", value="bundled:all-minilm-l6-v2") as refusal:
        comparison_sets.check_independent("bundled:all-minilm-l6-v2", arms)
    assert "'votes'" in str(refusal.value)


def test_sets_of_utility_are_as_large_as_the_smallest_arm_and_the_pool_holds_each_text_once():
    sets = utility_toys.matched(one=utility_toys.records(50, 3), other=utility_toys.records(30, 4))
    assert {len(rows) for name, rows in sets.rows.items() if name != HELD_OUT} == {30}
    assert len(sets.rows[HELD_OUT]) == 60 and sets.sizes == {"one": 50, "other": 30}
    pool = np.concatenate(list(sets.rows.values()))
    assert len(set(pool.tolist())) == len(pool)
    assert len(sets.texts) == 50 + 30 + 200 + 80  # of the training and held-out records too, those that are not used


def test_all_records_of_a_set_begin_with_those_that_are_compared():
    sets = utility_toys.matched(one=utility_toys.records(50, 3), other=utility_toys.records(30, 4))
    assert {name: len(rows) for name, rows in sets.whole.items()} == {"one": 50, "other": 30, REAL: 200}
    for name, rows in sets.whole.items():
        assert rows[:30].tolist() == sets.rows[name].tolist() and len(set(rows.tolist())) == len(rows)
    assert sets.whole[REAL][30:60].tolist() == sets.rows[REAL_AGAIN].tolist()


def test_all_held_out_records_judge_where_no_number_is_given():
    real = records(sentences(40, 1)), records(sentences(20, 2))
    sets = comparison_sets.matched_sets({"a": records(sentences(18, 3))}, *real, most=30, evaluate=None, seed=0)
    assert len(sets.rows[HELD_OUT]) == 20


def test_half_of_the_sets_is_the_first_half_of_each_with_the_same_held_out_records():
    sets = utility_toys.matched(one=utility_toys.records(50, 3), other=utility_toys.records(30, 4))
    half = sets.halved()
    assert half.n == 15 and half.sizes == sets.sizes
    for name, rows in half.rows.items():
        assert rows.tolist() == sets.rows[name][: 60 if name == HELD_OUT else 15].tolist()


def test_fewer_held_out_records_are_the_first_ones():
    sets = utility_toys.matched(one=utility_toys.records(30, 3))
    assert sets.judged_by(20).rows[HELD_OUT].tolist() == sets.rows[HELD_OUT][:20].tolist()
    assert len(sets.judged_by(1000).rows[HELD_OUT]) == 60


def test_texts_are_encoded_once_but_for_those_that_no_metric_needs():
    sets, encoded = utility_toys.matched(one=utility_toys.records(30, 3)), []

    def encode(texts: list[str]) -> np.ndarray:
        encoded.extend(texts)
        return np.array([[len(text), 1.0] for text in texts])

    vectors = sets.encoded(encode)
    needed = np.concatenate([rows for name, rows in sets.rows.items() if name != REAL_AGAIN])
    assert len(encoded) == len(needed) and not vectors[sets.rows[REAL_AGAIN]].any()
    for row in range(len(sets.texts)):
        assert vectors[row].tolist() == ([len(sets.texts[row]), 1.0] if row in needed else [0.0, 0.0])


def test_the_whole_pool_is_embedded_and_real_texts_in_the_order_in_which_votes_embed_them(monkeypatch):
    train, stored = utility_toys.records(200, 1), []

    class Lengths:
        def encode(self, texts: list[str]) -> np.ndarray:
            return np.array([[len(text)] for text in texts])

    def embed_private(encoder: Lengths, texts: list[PrivateText]) -> np.ndarray:
        stored.append(plain := [text.reveal() for text in texts])
        return encoder.encode(plain)

    monkeypatch.setattr(comparison_sets, "embed_private", embed_private)
    sets = utility_toys.matched(one=utility_toys.records(30, 3), other=utility_toys.records(40, 4))
    assert sets.embedded(Lengths())[:, 0].tolist() == [len(text) for text in sets.texts]
    assert stored[0] == [record.text.reveal() for record in train] and len(stored[1]) == 80
