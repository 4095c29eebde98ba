"""Pre-flight of budgets: what a run would charge is refused before anything starts. No kernel is started here."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.budgets import (
    CORPUS,
    CSV,
    EVOLVE,
    TRAIN,
    begin,
    corpus,
    draws,
    entries,
    finish,
    graph_of,
    pay,
    planned,
    set_terms,
)
from support.errors import refused
from support.project import Project

from lib.cli import __main__, run
from lib.pipeline import budget_check, planned_draws
from lib.pipeline.budget_check import check_budget

WRITE = "11_generate.eps8"  # counts copies, with noise


def test_a_run_that_would_pass_the_limit_is_refused_before_anything_starts(house: Project) -> None:
    corpus()
    set_terms(epsilon=10.5)
    with refused("pipeline.budget_exceeded", name="amazon-snippets") as error:
        planned()
    assert 11 < error.value.value < 12 and error.value.where == "params/quick"
    for fact in ("epsilon 10.5; 0.3010 is spent", f"{TRAIN} (7.8", f"{EVOLVE} (7.9", f"{WRITE} (1.1"):
        assert fact in error.value.sentence
    assert "data/budgets/amazon-snippets.yaml" in error.value.remedy
    assert CORPUS not in str(error.value)  # it is up to date, and how many units it has is known
    set_terms(epsilon=12.0)
    planned()


def test_what_pre_flight_plans_is_what_an_arm_charges(house: Project) -> None:
    corpus()
    assert draws() == {id: finish(id).mechanism for id in (TRAIN, EVOLVE)}


def test_what_is_up_to_date_costs_nothing_and_what_is_forced_costs_again(house: Project) -> None:
    corpus()
    finish(TRAIN)
    set_terms(epsilon=11.9)
    planned()  # the other arm still fits
    finish(EVOLVE)
    planned()
    written = rf", {WRITE} \(1\.1\d+\)"  # the texts of the first arm are still to come
    for forced, costs in ((TRAIN, rf"{TRAIN} \(7\.8\d+\){written}"), (EVOLVE, rf"{EVOLVE} \(7\.9\d+\){written}")):
        with refused("pipeline.budget_exceeded") as error:
            planned(force=(forced,))
        assert re.search(rf"one record: {costs}$", error.value.sentence)
    with refused("pipeline.budget_exceeded") as error:
        planned(force=(CORPUS,))  # what reads it runs again as well
    assert re.search(rf"{CORPUS} \(0\.3\d+\), {TRAIN} .*, {EVOLVE}", error.value.sentence)


def test_interrupted_work_is_not_planned_again(house: Project) -> None:
    corpus()
    finish(EVOLVE)
    set_terms(epsilon=11.9)
    finished = finish(TRAIN)
    stage = begin(TRAIN)  # it was retrained beyond what pre-flight knew
    set_terms(epsilon=20.0)
    pay(stage, finished.mechanism)
    set_terms(epsilon=13.0)  # it fits, and a third training does not
    planned()
    for again in ({"force": (TRAIN,)}, {"changes": f"{TRAIN}.steps=8"}):
        with refused("pipeline.budget_exceeded") as error:
            planned(*filter(None, [again.get("changes")]), force=again.get("force", ()))
        assert error.value.value > 13


def test_a_new_corpus_is_planned_before_its_size_is_known(house: Project) -> None:
    set_terms("csv:reviews.csv", epsilon=9.0)
    with refused("pipeline.budget_exceeded") as error:
        planned(*CSV)
    assert re.search(rf": {CORPUS} .*{TRAIN}.*{EVOLVE}.*before {CORPUS} has run", error.value.sentence)
    set_terms("csv:reviews.csv", epsilon=8.0)
    check_budget(graph_of(*CSV), [CORPUS, TRAIN])  # one arm is what its target says


def test_the_arms_of_a_sweep_compose(house: Project) -> None:
    corpus()
    set_terms(epsilon=20.0)
    graph = graph_of()
    arms = {f"12_aug_pe.seed{seed}": replace(graph.nodes[EVOLVE], id=f"12_aug_pe.seed{seed}") for seed in range(9)}
    grid = replace(graph, nodes=graph.nodes | arms)
    check_budget(grid, list(arms)[:3])
    with refused("pipeline.budget_exceeded") as error:
        check_budget(grid, list(arms))
    assert re.search(r"seed0 \(7\.9\d+\), .*12_aug_pe\.seed5 \(7\.9\d+\) and 3 more", error.value.sentence)


def test_a_corpus_without_a_limit_costs_pre_flight_nothing(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planned_draws, "calibrate", lambda *args, **kwargs: pytest.fail("calibrated for nothing"))
    planned()
    assert entries() == []


LIGHT = """
import os, sys
from lib.pipeline import budget_check, preflight

os.environ["OPENAI_API_KEY"] = "none"
preflight.preflight("yelp-gpt35", "check")
graph = preflight.preflight("quick", "quick")
budget_check.check_budget(graph, list(graph.nodes))
print(sorted({"torch", "transformers", "sentence_transformers", "peft", "sklearn"} & set(sys.modules)))
"""


def test_pre_flight_waits_for_no_model_library(house: Project) -> None:
    set_terms(epsilon=100.0)  # so that budgets are composed as well
    ended = subprocess.run([sys.executable, "-c", LIGHT], cwd=house.root, env=house.env, capture_output=True, text=True)
    assert ended.stdout == "[]\n", ended.stderr


def test_the_command_line_refuses_and_starts_and_takes_away_nothing(
    house: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus()
    before = {path: path.read_bytes() for path in house.stage(CORPUS, "quick").rglob("*") if path.is_file()}
    set_terms(epsilon=1.0)
    command = ["quick", "--force", CORPUS]
    with refused("pipeline.budget_exceeded", name="amazon-snippets") as error:
        run.run_preset(__main__._parser().parse_args(command))
    assert re.search(r"epsilon 1; 0\.30\d+ is spent", error.value.sentence)
    capsys.readouterr()
    assert __main__.main(command) == 2
    assert capsys.readouterr().err == f"{error.value}\nnothing was started\n"
    assert {path: path.read_bytes() for path in before} == before
    assert len(entries()) == 1 and not house.stage(TRAIN, "quick").exists()


def test_what_a_stage_that_failed_has_charged_is_said(house: Project) -> None:
    corpus()
    before, graph = datetime.now(UTC), graph_of()
    assert budget_check.charged_since(graph, TRAIN, before) is None
    pay(begin(TRAIN))
    said = budget_check.charged_since(graph, TRAIN, before)
    assert "amazon-snippets: epsilon 1.8" in said and "going on costs nothing more" in said
    assert budget_check.charged_since(graph, EVOLVE, before) is None
    assert budget_check.charged_since(graph, TRAIN, before + timedelta(minutes=1)) is None
    shutil.rmtree(house.stage(TRAIN, "quick") / "checkpoints")
    assert "another attempt costs again" in budget_check.charged_since(graph, TRAIN, before)
