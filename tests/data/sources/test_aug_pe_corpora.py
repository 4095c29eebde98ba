"""The corpora of Aug-PE, in the layout of its repository."""

from pathlib import Path

import pytest
from support.source_files import SECRET, as_dicts, refusal, write_csv

from lib.common.paths import ROOT
from lib.data.sources import load

YELP = ROOT / "../shared/data/yelp/dev.csv"
LAYOUTS = {
    "yelp": ("Business Category: Hotels & Travel", "Review Stars: 5.0", {"category": "Hotels & Travel", "stars": "5"}),
    "openreview": (
        "Area: Theory (eg, control theory, learning theory)",
        "Recommendation: 8: accept, good paper",
        {"area": "Theory (eg, control theory, learning theory)", "recommendation": "8: accept, good paper"},
    ),
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_labels_lose_their_prefix(kind: str, tmp_path: Path) -> None:
    first, second, labels = LAYOUTS[kind]
    (tmp_path / "raw" / kind).mkdir(parents=True)
    rows = [{"text": 'I said "yes",\nthen no', "label1": first, "label2": second}]
    path = write_csv(tmp_path / "raw" / kind / "train.csv", rows)
    expected = [{"id": "1", "text": rows[0]["text"], "labels": labels}]
    assert as_dicts(load(kind, root=tmp_path).records) == expected
    assert as_dicts(load(f"{kind}:{path}").records) == expected
    write_csv(path, [*rows, {"text": SECRET, "label1": "other", "label2": second}])
    error = refusal("data.other_layout", kind, root=tmp_path)
    assert error.where == f"{path}, line 4" and error.name == "label1"


def test_pubmed_has_text_alone(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [{"text": "An abstract.", "other": 1}])
    assert as_dicts(load(f"pubmed:{path}").records) == [{"id": "1", "text": "An abstract.", "labels": {}}]


def test_a_missing_file_is_refused_with_the_place_to_put_it(tmp_path: Path) -> None:
    error = refusal("data.no_file", "yelp", root=tmp_path)
    assert error.value == "yelp" and f"{tmp_path}/raw/yelp/train.csv" in error.sentence


@pytest.mark.skipif(not YELP.is_file(), reason="the real Yelp sample is not at hand")
def test_the_real_yelp_sample() -> None:
    corpus = load("yelp:../shared/data/yelp/dev.csv")
    assert len(corpus.records) == 5000
    assert {record.labels["stars"] for record in corpus.records} == set("12345")
    assert len({record.labels["category"] for record in corpus.records}) == 10
    assert corpus.records[0].text.reveal().startswith("I am very bias when it comes to this Iron Hill location.")
