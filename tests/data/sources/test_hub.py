"""Datasets of the hub, which is replaced by one dataset in memory."""

from pathlib import Path
from types import SimpleNamespace

import datasets
import pyarrow as pa
import pytest
from support.source_files import SECRET, as_dicts, refusal, write_csv

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


@pytest.mark.parametrize("share", [1.0, 0.999999])  # read whole, and streamed
def test_columns_that_are_not_mapped_are_not_decoded(hub: dict, share: float) -> None:
    """Sound needs a package that Doppel does without, and one broken picture would end the reading."""
    bytes_of = pa.array(
        [{"bytes": SECRET.encode(), "path": None}], pa.struct({"bytes": pa.binary(), "path": pa.string()})
    )
    table = pa.table({"text": ["one"], "sound": bytes_of, "picture": bytes_of})
    features = datasets.Features(
        {"text": datasets.Value("string"), "sound": datasets.Audio(), "picture": datasets.Image()}
    )
    hub["data"] = datasets.Dataset(table.cast(features.arrow_schema), info=datasets.DatasetInfo(features=features))
    assert as_dicts(load("hub:some/reviews", share=share).records) == [{"id": "1", "text": "one", "labels": {}}]
    error = refusal("data.cell_type", "hub:some/reviews", columns={"labels.sound": "sound"}, share=share)
    assert (error.value, error.where) == ("dict", "hub:some/reviews, row 1")


@pytest.mark.parametrize("share", [1.0, 0.999999])
def test_numbers_of_single_precision_are_spelled_as_in_a_file(hub: dict, share: float) -> None:
    stars = pa.array([1.1, 2.0, None], pa.float32())
    hub["data"] = datasets.Dataset(pa.table({"text": ["one", "two", "three"], "stars": stars}))
    corpus = load("hub:some/reviews", columns={"labels.stars": "stars"}, share=share)
    assert [record.labels for record in corpus.records] == [{"stars": "1.1"}, {"stars": "2"}, {}]


@pytest.mark.parametrize("field", ["text", "labels.topics"])
def test_a_sequence_is_no_text_and_no_label(hub: dict, field: str) -> None:
    topics = datasets.Sequence(datasets.ClassLabel(names=["a", "b"]))
    features = datasets.Features({"words": datasets.Value("string"), "topics": topics})
    hub["data"] = datasets.Dataset.from_dict({"words": ["one"], "topics": [[0, 1]]}, features=features)
    code = "data.field_type" if field == "text" else "data.cell_type"
    assert refusal(code, "hub:some/reviews", columns={"text": "words", field: "topics"}).value == "list"


@pytest.mark.parametrize("fault", [datasets.exceptions.DatasetNotFoundError, RuntimeError])
def test_a_gated_dataset_and_one_of_a_script_are_told_what_to_do(hub: dict, fault: type[Exception]) -> None:
    hub["error"] = fault(SECRET)
    remedy = refusal("data.hub_unreadable", "hub:some/reviews").remedy
    assert "login" in remedy and "script" in remedy and "parquet:PATH" in remedy


def test_a_stream_whose_files_differ_in_naming_users_is_refused(hub: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.data.sources.hub.BATCH", 2)
    rows = [{"text": "one"}, {"text": "two"}, {"text": "three", "user": "ann"}]
    stream = datasets.IterableDataset.from_generator(lambda: iter(rows))
    hub["data"] = SimpleNamespace(to_iterable_dataset=lambda: stream)
    assert refusal("data.key_missing", "hub:some/reviews", share=0.5).name == "user"


def test_a_folder_is_not_taken_for_a_dataset_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "reviews", [{"text": SECRET}])
    assert refusal("common.hub_name_taken", "hub:reviews").value == "hub:reviews"
