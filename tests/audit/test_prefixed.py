"""One fact before a share of all rows: which records begin with it, and how its parts are counted."""

from pathlib import Path

import pytest
from support.audit_toys import corpus

from lib.audit.canary_texts import personal_facts
from lib.audit.prefixed import PrefixedCorpus, repeated

FACT = personal_facts(1, seed=3)[0]


@pytest.mark.parametrize(("share", "begun"), [(0.1, 4), (1.0, 40)])
def test_a_share_of_the_records_begins_with_the_fact(share: float, begun: int) -> None:
    records = corpus(40)
    train = PrefixedCorpus(Path(), records, canary=FACT, share=share, seed=1).train
    pairs = list(zip(train, records, strict=True))
    before = [new.text.reveal() == f"{FACT.text.reveal()} {old.text.reveal()}" for new, old in pairs]
    same = [new == old for new, old in pairs]
    assert sum(before) == begun and sum(same) == 40 - begun
    assert [record.id for record in train] == [record.id for record in records]


def test_texts_that_hold_a_part_are_counted() -> None:
    name, whole = (FACT.parts[part].reveal() for part in ("name", "whole"))
    found = repeated(FACT.parts, [f"as {name.upper()} said", whole, "nothing", f"{name} and {name}"])
    assert found["name"] == 3 and found["whole"] == 1 and found["phone"] == 1
