"""Texts about films: reviews with a verdict, and sentences of plot summaries."""

from collections import Counter

import pytest
from support.errors import refused

from lib.data.sources import glance, load
from lib.data.sources.rotten_tomatoes import SENTENCE_END
from lib.privacy.budget_account import Account


def test_all_texts_with_kind_and_film():
    records = load("rotten-tomatoes").records
    kinds = Counter(record.labels["kind"] for record in records)
    assert kinds == {"positive review": 7403, "negative review": 5405, "plot summary": 5768}
    assert len({record.id for record in records}) == len(records) and len({r.user for r in records}) == 1435
    by_id = {record.id: record.as_json() for record in records}
    assert by_id["13905_1"] == {
        "id": "13905_1",
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


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He leaves. She stays!  Why? Nobody knows.", ["He leaves.", "She stays!", "Why?", "Nobody knows."]),
        (
            'Mr. Fox meets Dr. No and J. K. Low. "Go," he says. "Now."',
            ["Mr. Fox meets Dr. No and J. K. Low.", '"Go," he says.', '"Now."'],
        ),
        (
            "Bear (Jim M.) waits... and waits. (He is late.) Then",
            ["Bear (Jim M.) waits... and waits.", "(He is late.)", "Then"],
        ),
    ],
)
def test_a_summary_is_taken_apart_into_sentences(text, sentences):
    assert SENTENCE_END.split(text) == sentences
