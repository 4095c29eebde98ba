"""Made-up pictures and rows among private ones."""

import pytest
from support.errors import refused
from support.image_toys import ARM, CELLS, CORPUS

from lib.audit.canary_set import coins
from lib.data.tables.domain import columns_of
from lib.methods.private_evolution.canary_records import plant
from lib.methods.private_evolution.modalities import open_modality
from lib.methods.private_evolution.table_api import table_modality


def test_each_picture_has_labels_a_coin_and_a_content_of_its_own() -> None:
    planted = plant(open_modality(ARM, CORPUS), 60, CELLS, seed=3)
    assert len({canary.record.content for canary in planted.single}) == 60 == len(planted.everyone)
    assert 15 < coins(planted.single).sum() < 45
    assert {canary.record.labels["digit"] for canary in planted.single} == {"1", "7"}
    assert [canary.record.id for canary in planted.single[:2]] == ["canary-00000", "canary-00001"]
    again = plant(open_modality(ARM, CORPUS), 60, CELLS, seed=3)
    assert [c.included for c in again.single] == [c.included for c in planted.single]
    assert [c.record for c in again.single] == [c.record for c in planted.single]


@pytest.mark.parametrize(("high", "fits"), [(10_000, True), (3, False)])
def test_rows_of_a_domain_with_few_values_are_refused(high: int, fits: bool) -> None:
    modality = table_modality(columns_of({"age": {"low": 0, "high": high}}), 0)
    if fits:
        assert (
            len(plant(modality, 20, [{}], seed=0).insert([])) == coins(plant(modality, 20, [{}], seed=0).single).sum()
        )
        return
    with refused("methods.canaries_equal", name="made_up"):
        plant(modality, 20, [{}], seed=0)
