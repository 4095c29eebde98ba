"""Pre-flight says what models of other machines will be asked, and what that costs."""

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
