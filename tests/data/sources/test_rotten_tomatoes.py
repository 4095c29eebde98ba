"""Texts about films: reviews with a verdict, and summaries of plots."""

from collections import Counter

import pytest
from support.errors import refused

from lib.data.sources import glance, load
from lib.privacy.budget_account import Account


def test_all_texts_with_kind_and_film():
    records = load("rotten-tomatoes").records
    kinds = Counter(record.labels["kind"] for record in records)
    assert kinds == {"positive review": 7403, "negative review": 5405, "plot summary": 1083}
    assert len({record.id for record in records}) == len(records) and len({r.user for r in records}) == 1435
    by_id = {record.id: record.as_json() for record in records}
    assert by_id["13905"] == {
        "id": "13905",
        "text": "The character of ZigZag is not sufficiently developed to support a film constructed around him.",
        "labels": {"kind": "negative review"},
        "user": "zig_zag",
    }


def test_the_reviews_alone():
    kinds = {record.labels["kind"] for record in load("rotten-tomatoes:reviews").records}
    assert kinds == {"positive review", "negative review"}


@pytest.mark.parametrize("read", [load, glance])
def test_a_part_that_is_not_there(read):
    with refused("data.unknown_part", name="source", value="rotten-tomatoes:plots"):
        read("rotten-tomatoes:plots")


@pytest.mark.parametrize("argument", ["", ":", ":reviews"])
def test_parts_of_the_corpus_share_an_account(argument):
    assert Account.of("rotten-tomatoes" + argument) == Account("rotten-tomatoes", "rotten-tomatoes")
