"""Which part adds to diversity: a planted difference is found, and none where there is none."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
from support.errors import refused

from lib.private_records.ablation import FULL, compare, variants
from lib.private_records.novelty import unit
from lib.private_records.pipeline import Recipe
from lib.private_records.writing import RecordSet


def made(spread: float, seed: int, missing: int = 0, count: int = 60) -> RecordSet:
    noise = np.random.default_rng(seed).normal(size=(count, 20))
    rows = np.array([unit(np.eye(20)[0] + spread * row) for row in noise])[missing:]
    return RecordSet([SimpleNamespace(id=str(i)) for i in range(missing, count)], [], 0, Counter(), rows)


def test_more_varied_texts_score_higher_with_an_interval_above_nothing() -> None:
    found = compare({FULL: made(1.0, 0), "same": made(1.0, 0), "plain": made(0.3, 1, missing=7)})
    assert found.records == 53 and 1 < found.vendi["plain"].value < found.vendi[FULL].value < 53
    low, _ = found.gain["plain"].interval
    assert low > 0 and found.gain["same"].interval == (0.0, 0.0)


def test_too_few_people_in_all_sets_are_refused() -> None:
    with refused("private_records.too_few_to_compare", value=8):
        compare({FULL: made(1.0, 0), "other": made(1.0, 1, missing=52)})


def test_each_variant_lacks_one_part() -> None:
    made = variants(Recipe(revisions=3))
    assert [one.acceptance.diversity for one in made.values()] == [True, False, True, True]
    assert [one.revisions for one in made.values()] == [3, 3, 0, 3]
    assert [one.type_and_format for one in made.values()] == [True, True, True, False]
