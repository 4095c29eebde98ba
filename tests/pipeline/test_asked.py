"""Pre-flight says what models will be asked and what that costs, how many pictures are made, and what is missing."""

import pytest

from lib.pipeline import asked
from lib.pipeline.preflight import preflight

pytestmark = pytest.mark.usefixtures("unfingerprinted")


def told(preset: str, *changes: str) -> list[str]:
    graph = preflight(preset, "check", changes)
    return asked.lines(graph, graph.nodes)


def test_a_model_behind_an_endpoint_is_told_with_calls_tokens_and_money(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    (write, *_) = told("private-records-llm", "50_private_records.samples=100")
    assert write.startswith("50_private_records asks openai:") and "1,300 times" in write and "about $" in write


def test_what_asks_nobody_else_is_not_told() -> None:
    assert told("private-records") == []
    assert (
        told("private-records", "50_private_records.author=model", "50_private_records.model=bundled:tiny-random") == []
    )


def test_the_number_of_pictures_is_told_and_where_example_and_paper_differ() -> None:
    lines = told("cifar10-pe1")
    assert "15_image_evolution.example will make 9,050,000 pictures, 88% of them to look ahead" in lines
    assert "15_image_evolution.paper will make 3,200,000 pictures, 88% of them to look ahead" in lines
    assert "11_random_images will make 4,000 pictures" in lines
    assert sum("is not there: download it from https://" in line for line in lines) == 1
    assert sum(line.startswith("model_sha256 is not declared") for line in lines) == 1
    assert [line for line in lines if line.startswith("cifar10-pe1: ")] == lines[-1:] and "2.59" in lines[-1]
    hashed = [f"{notebook}.model_sha256={'ab' * 32}" for notebook in ("11_random_images", "15_image_evolution")]
    assert not any("model_sha256" in line for line in told("cifar10-pe1", *hashed))


def test_of_a_study_of_our_own_only_the_number_is_told() -> None:
    assert told("images") == [
        "11_random_images will make 500 pictures",
        "15_image_evolution.eps1 will make 3,800 pictures",
        "15_image_evolution.eps8 will make 9,500 pictures",
    ]
