"""Cards: which there are, and that stages side by side share none."""

import os
from pathlib import Path

import pytest
from support.errors import refused

from lib.pipeline import cards, snakemake


@pytest.fixture(autouse=True)
def _three(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(cards.VISIBLE, "0,2,GPU-7")
    monkeypatch.setattr(cards.tempfile, "gettempdir", lambda: str(tmp_path))


def test_a_stage_sees_the_cards_that_it_took_and_no_other_has_them() -> None:
    first = cards.take(2)
    assert os.environ[cards.VISIBLE] == "0,2"
    os.environ[cards.VISIBLE] = "0,2,GPU-7"  # as another stage finds it
    second = cards.take(1)
    assert os.environ[cards.VISIBLE] == "GPU-7" and len(second) == 1
    os.environ[cards.VISIBLE] = "0,2,GPU-7"
    with refused("pipeline.no_card_free", value=1):
        cards.take(1, patience=0)
    first[1].close()
    assert cards.take(1) and os.environ[cards.VISIBLE] == "2"


def test_too_few_cards_are_refused_and_none_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with refused("pipeline.too_few_cards", name="processes", value=4):
        cards.take(4)
    assert cards.take(0) == [] and cards.count() == 3
    monkeypatch.setenv(cards.VISIBLE, "")
    assert cards.take(4) == [] and os.environ[cards.VISIBLE] == "" and cards.present() == []


def test_a_stage_asks_for_a_card_for_each_of_its_processes() -> None:
    asked = [{}, {"device": "cpu", "processes": 2}, {"device": "auto"}, {"device": "cuda", "processes": 4}]
    assert [snakemake.cards_of(one) for one in asked] == [0, 0, 1, 4]
