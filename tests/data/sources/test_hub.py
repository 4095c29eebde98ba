"""Datasets of the hub, which is replaced by one dataset in memory."""

import datasets
import pytest
from support.source_files import SECRET, as_dicts, refusal

from lib.data.sources import load
from lib.data.sources.corpus import SourceRequest, draw


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict:
    """The hub, replaced: ``asked`` is what it was asked for, ``error`` what it raises."""
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["bad", "good"]),
            "n": datasets.Value("int32"),
        }
    )
    rows = {"text": ["one", "two", "three"], "label": [0, 1, -1], "n": [1, 2, 3]}
    held = {"data": datasets.Dataset.from_dict(rows, features=features)}

    def load_dataset(name, config, *, split, streaming):
        held["asked"] = (name, config, split, streaming)
        if "error" in held:
            raise held["error"]
        return held["data"].to_iterable_dataset() if streaming else held["data"]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return held


def test_a_hub_dataset(hub: dict) -> None:
    corpus = load("hub:some/reviews", columns={"labels.verdict": "label"})
    assert hub["asked"] == ("some/reviews", None, "train", False)
    assert as_dicts(corpus.records) == [
        {"id": "1", "text": "one", "labels": {"verdict": "bad"}},
        {"id": "2", "text": "two", "labels": {"verdict": "good"}},
        {"id": "3", "text": "three", "labels": {}},
    ]
    load("hub:some/reviews:small:dev")
    assert hub["asked"] == ("some/reviews", "small", "dev", False)
    load("hub:some/reviews::dev")
    assert hub["asked"] == ("some/reviews", None, "dev", False)


def test_a_share_of_a_hub_dataset_is_streamed(hub: dict) -> None:
    whole = load("hub:some/reviews").records
    drawn, _ = draw(whole, SourceRequest("hub", share=0.6))
    assert load("hub:some/reviews", share=0.6).records == drawn and 0 < len(drawn) < 3
    assert hub["asked"][-1] is True


def test_a_hub_dataset_that_cannot_be_read(hub: dict) -> None:
    assert refusal("data.column_missing", "hub:some/reviews", columns={"text": "Review"}).value == "Review"
    hub["error"] = ConnectionError(f"no https://index.example {SECRET}")
    error = refusal("data.hub_unreadable", "hub:some/reviews")
    assert error.value == "hub:some/reviews" and "ConnectionError" in error.sentence
    assert "network" in error.remedy and "csv:PATH" in error.remedy and "index.example" not in str(error)
