"""What pre-flight refuses of 40_pii_text, and the plan that its parameters make."""

import pytest
from support.errors import refused
from support.pii_writing import real
from support.project import ROOT

from lib.pii.writing import settings
from lib.stage.parameters import read_spec

DEFAULTS = {name: given.default for name, given in read_spec(ROOT / "notebooks/40_pii_text.ipynb").items()}


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # as pre-flight and stages do
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_the_defaults_pass() -> None:
    settings.check(DEFAULTS)
    plan = settings.plan(DEFAULTS, real())
    assert (plan.samples, len(plan.pairs), plan.mode) == (5000, 99, "iterate")


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        ({"samples": 98}, "pii.too_few_samples", "samples"),
        (
            {"samples": 3, "fields": ["bank"], "styles": ["chat", "form", "note", "post"]},
            "pii.too_few_samples",
            "samples",
        ),
        ({"fields": ["banks"]}, "pii.unknown_in_grammar", "fields"),
        ({"styles": ["chats"]}, "pii.unknown_in_grammar", "styles"),
        ({"locales": {"en_XX": 1.0}}, "pii.unknown_locale", "locale"),
        ({"locales": {}}, "pii.locale_shares", "locales"),
        ({"locales": {"en_US": 0.0}}, "pii.locale_shares", "locales"),
        ({"reference": "31.01.2026"}, "pii.no_day", "reference"),
        ({"exports": ["spaci"]}, "pii.unknown_format", "exports"),
        ({"writer": "model", "model": "bundled:tiny-random", "engine": "fast"}, "generation.engine_unknown", "engine"),
        ({"writer": "model", "model": "openai:x"}, "generation.key_missing", "OPENAI_API_KEY"),
        ({"writer": "batch", "model": "openai:x"}, "pii.batch_model", "model"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        settings.check(DEFAULTS | changes)


def test_what_can_work_passes() -> None:
    settings.check(DEFAULTS | {"samples": 98, "mode": "random"})
    settings.check(DEFAULTS | {"samples": 2, "fields": ["bank"], "styles": ["chat", "form"]})
    settings.check(DEFAULTS | {"writer": "arm", "samples": 5, "inputs": {"arm": "11_generate.eps8"}})
    settings.check(DEFAULTS | {"writer": "batch", "model": "bedrock:anthropic.claude-x"})
    settings.check(DEFAULTS | {"exports": ["spacy", "tab"], "values": "reserved"})


def test_a_name_that_is_given_twice_counts_once() -> None:
    plan = settings.plan(DEFAULTS | {"fields": ["bank", "bank"], "styles": ["chat"]}, real())
    assert plan.pairs == [("bank", "chat")]


def test_an_arm_has_a_plan_of_its_own_size() -> None:
    plan = settings.plan(DEFAULTS | {"samples": 5}, real(), samples=3)
    assert plan.samples == 3 and [plan.task(number).number for number in range(3)] == [0, 1, 2]
