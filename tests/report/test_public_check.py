"""No figure of real text outside the budget passes to the public page, and of arms without privacy nothing does."""

import pytest
from support import report_scorecards
from support.errors import refused

from lib.report.public_check import checked


def leaks() -> list[str]:
    ends = ["floor", "ceiling", "position", "at_ceiling"]
    return [
        "by_size",
        "comparisons",
        "pairs",
        "audit",
        "copies",
        "real_text",
        "unmarked",
        "seconds",
        "peak_memory_mb",
        "by_stage",
        *ends,
    ]


@pytest.mark.parametrize("leak", leaks())
def test_a_public_scorecard_with_figures_of_real_text_is_refused_by_name(leak: str) -> None:
    public, whole = report_scorecards.public(), report_scorecards.whole()
    arm = public["arms"][1]
    match leak:
        case "by_size" | "comparisons" | "pairs":
            public[leak] = whole[leak]
        case "audit" | "copies":
            arm["privacy"][leak] = whole["arms"][1]["privacy"][leak]
        case "real_text":
            arm["metrics"].append(whole["arms"][1]["metrics"][0])
        case "seconds" | "peak_memory_mb":
            arm["cost"][leak] = 431.2
        case "by_stage":
            arm["cost"]["by_stage"]["11_generate.eps8"] = 431.2
        case "unmarked":
            del arm["metrics"][0]["real_text"]
        case _:
            arm["metrics"][0][leak] = 0.5
    with refused("report.private_figures") as error:
        checked(public)
    named = {"real_text": "frechet", "unmarked": "distinct_2", "by_stage": "11_generate.eps8"}.get(leak, leak)
    assert error.value.name.startswith(named)


def test_what_may_be_shown_passes_and_an_arm_without_privacy_only_exists() -> None:
    public = report_scorecards.public()
    arms = checked(public)["arms"]
    assert [arm["stage"] for arm in arms] == [arm["stage"] for arm in public["arms"]]
    for arm, given in zip(arms, public["arms"], strict=True):
        private = given["privacy"]["epsilon"] is not None
        assert ("metrics" in arm and "cost" in arm) is private
        if not private:
            assert arm["privacy"].keys() == {"epsilon", "not_for_release"}
        for row in arm.get("metrics", ()):  # a reason beside a value speaks of floor and ceiling
            assert row["value"] is None or row["because"] is None
