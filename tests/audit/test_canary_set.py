"""Canaries that really get in, scores beside the references of their kind, sets that are too small."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.audit_toys import corpus, plant
from support.errors import codes, refused

from lib.audit import canary_set
from lib.audit.canary_set import coins


def test_every_canary_that_is_in_is_in_the_corpus_as_often_as_it_should_and_no_other() -> None:
    planting, old = plant(), corpus()
    train = planting.insert(old)
    assert train[: len(old)] == old
    texts = [record.text for record in train]
    for copies, group in planting.groups.items():
        for canary in group:
            assert texts.count(canary.record.text) == copies * canary.included
    assert not any(canary.included or canary.record.text in texts for canary in planting.references)
    assert len({record.id for record in train}) == len(train)
    assert [c.record.id for c in planting.single][:2] == ["canary-00000", "canary-00001"]
    assert all(0 < coins(group).sum() < len(group) for group in planting.groups.values())


def test_the_coins_of_a_small_group_never_all_fall_the_same() -> None:
    for seed in range(12):
        assert 0 < coins(plant(6, {3: 2}, seed).groups[3]).sum() < 2


def test_scores_are_relative_to_the_references_of_the_same_kind() -> None:
    planting = plant()
    level = {"personal": 0.0, "rare tokens": 100.0, "suffixed": -7.0}
    everyone = planting.everyone
    rng = np.random.default_rng(0)
    values = np.array([level[c.kind] + 3 * c.included for c in everyone]) + rng.normal(0, 0.1, len(everyone))
    relative = planting.relative(values)
    assert {n: len(group) for n, group in relative.items()} == {1: 30, 8: 12}
    for copies, group in planting.groups.items():
        assert relative[copies][coins(group)].min() > 10 > 5 > abs(relative[copies][~coins(group)]).max()
        exposed = planting.exposed(values)[copies]
        assert exposed[coins(group)] == pytest.approx(np.log2(7))  # above all 6 references
    assert planting.relative(np.zeros(len(everyone)))[1] == pytest.approx(0)  # not divided by zero


@pytest.mark.parametrize(
    ("count", "repeated", "code", "name", "value"),
    [
        (5, {8: 12}, "audit.canaries_too_few", "canaries", 5),
        (30, {8: 1}, "audit.repeated_too_few", "repeated", 1),
        (30, {1: 12}, "audit.repeated_once", "copies", 1),
    ],
)
def test_sets_that_are_too_small_are_refused(
    count: int, repeated: dict[int, int], code: str, name: str, value: int
) -> None:
    with refused(code, name=name, value=value) as error:
        plant(count, repeated)
    assert codes(error.value) == [code]


def test_a_single_reference_is_refused() -> None:
    with refused("audit.references_too_few", name="references", value=1):
        plant(references=1)


def test_the_table_of_canaries_says_that_they_are_fake(tmp_path: Path) -> None:
    canary_set.save(tmp_path / "canaries.jsonl", plant().everyone)
    lines = [json.loads(line) for line in (tmp_path / "canaries.jsonl").read_text().splitlines()]
    assert len(lines) == 30 + 12 + 18 and all(line["fake"] is True for line in lines)


def test_scores_of_steps_are_compared_step_by_step_and_one_loud_step_tells() -> None:
    planting = plant(30, {5: 2})
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 1, (3, len(planting.everyone)))
    quiet[1] = 100 * quiet[1] + 7  # another unit at another step: it does not drown the others
    np.testing.assert_allclose(planting.relative(quiet[:1])[1], planting.relative(quiet[0])[1])
    loud = quiet.copy()
    loud[2, 4] += 50  # the fifth single canary joined the last step
    before, after = planting.relative(quiet)[1], planting.relative(loud)[1]
    assert np.argmax(after) == 4 and np.delete(after, 4) == pytest.approx(np.delete(before, 4))
    assert after[4] == pytest.approx(planting.relative(loud[2])[1][4] - np.log(3), abs=0.1)  # no mean over its steps
