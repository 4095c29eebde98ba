"""The budget of a corpus: every draw is charged once, before it is drawn, and never beyond the limit."""

import json
import math
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from scipy.optimize import brentq
from scipy.stats import norm
from support.budgets import (
    ARM,
    ARM_JSON,
    CORPUS,
    CSV,
    EVOLVE,
    TRAIN,
    UNITS,
    begin,
    corpus,
    entries,
    graph_of,
    pay,
    set_terms,
)
from support.errors import refused
from support.project import Project

from lib.common.files import write_json
from lib.methods import registry
from lib.pipeline.budget_check import check_budget
from lib.privacy import accounting, budget, composition
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.budget_account import Account
from lib.privacy.ledger import Event, Ledger

# The sum.


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The closed form for mu-GDP (Balle & Wang 2018; Dong, Roth & Su 2022)."""

    def missing(epsilon: float) -> float:
        return norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu) - delta

    return brentq(missing, 0, 500)


def test_gaussian_charges_add_up_as_the_closed_form_says(house: Project) -> None:
    ledger = corpus()
    for number, (sigma, count) in enumerate([(2.0, 1), (0.9, 3), (5.0, 4)]):
        stage = begin(TRAIN, changes=(f"{TRAIN}.seed={number}",))
        pay(stage, Gaussian(sigma, count=count))
    mu = math.sqrt(1 / 2.0**2 + 3 / 0.9**2 + 4 / 5.0**2 + 1 / 10.0**2)  # a count of scale 10 is nearly Gaussian
    assert budget.status("amazon-snippets").spent == pytest.approx(gaussian_epsilon(mu, ledger.delta), rel=1e-3)


def test_a_sum_of_few_kinds_is_that_of_all_one_by_one() -> None:
    spent = [
        Gaussian(0.8, 0.05, 7),
        DiscreteGaussian(10.0),
        Gaussian(3.0),
        Gaussian(0.8, 0.05, 5),
        Gaussian(4.0, count=2),
    ]
    spent += [DiscreteGaussian(10.0), Gaussian(0.9, 0.05, 7)]
    one_by_one = accounting.epsilon(spent, delta=1e-5, discretization=accounting.SEARCH_DISCRETIZATION)
    assert composition.composed(spent, 1e-5) == pytest.approx(one_by_one, rel=1e-4)
    assert len(composition.merged(spent * 50)) == 4
    assert composition.composed([], None) == 0


def test_an_arm_that_is_calibrated_to_the_limit_fits_and_nothing_more(house: Project) -> None:
    set_terms(epsilon=8.0)
    ledger = corpus()
    make = registry.spending("10_finetune_dp_lora").recipe
    given = {"expected_batch": 192.0, "steps": 7}
    noise = accounting.calibrate(
        lambda noise: make(given, UNITS, noise), target_epsilon=8.0, delta=ledger.delta, others=ledger.mechanisms
    )
    pay(begin(TRAIN), make(given, UNITS, noise))
    now = budget.status("amazon-snippets")
    assert 7.99 < now.spent <= 8.0 and not now.over and now.delta == ledger.delta
    with refused("privacy.budget_exceeded", value=8.0):
        pay(begin(EVOLVE), Gaussian(100.0))


# One charge for one draw.


def test_work_that_is_taken_up_is_charged_once(house: Project) -> None:
    corpus()
    event = pay(begin(TRAIN))
    assert pay(begin(TRAIN)) == pay(begin(TRAIN)) == event  # killed twice, and taken up
    assert [(charge.run, charge.event) for charge in entries()[1:]] == [("quick", event)]
    assert (entries()[1].unit, entries()[1].units) == ("record", UNITS)


def test_finished_forced_changed_or_copied_work_costs_again(house: Project) -> None:
    corpus()
    stage = begin(TRAIN)
    pay(stage)
    stage.finish({}, {})
    pay(begin(TRAIN))
    assert len(entries()) == 3
    shutil.rmtree(house.stage(TRAIN, "quick") / "checkpoints")  # as --force does
    pay(begin(TRAIN))
    assert len(entries()) == 4
    pay(begin(TRAIN, changes=(f"{TRAIN}.steps=8",)))
    assert len(entries()) == 5
    pay(begin(TRAIN, changes=(f"{TRAIN}.steps=8",)), Gaussian(1.9))  # the token is for another mechanism
    assert len(entries()) == 6
    shutil.copytree(house.root / "results/quick", house.root / "results/copy")
    pay(begin(TRAIN, run="copy", changes=(f"{TRAIN}.steps=8",)), Gaussian(1.9))
    assert len(entries()) == 7


def test_a_token_that_the_account_does_not_know_pays_for_nothing(house: Project) -> None:
    corpus()
    stage = begin(TRAIN)
    write_json(stage.checkpoints / budget.TOKEN, {"charge": "0123456789abcdef"})  # killed before the line was written
    pay(stage)
    assert len(entries()) == 2
    (stage.checkpoints / budget.TOKEN).write_text("{")
    pay(begin(TRAIN))
    assert len(entries()) == 3


def test_noise_that_is_kept_nowhere_costs_every_time(house: Project) -> None:
    stage, ledger = begin(CORPUS), Ledger("record", UNITS)
    event = Event(stage.id, "label histogram", DiscreteGaussian(10.0))
    budget.charge(stage, event, ledger)
    budget.charge(stage, event, ledger)  # the cell was run again
    budget.charge(begin(CORPUS), event, ledger)
    assert len(entries()) == 3


def test_a_seeded_draw_is_charged_and_one_without_privacy_is_not(house: Project) -> None:
    corpus()
    pay(begin(TRAIN), privacy_seed=7)
    pay(begin("10_finetune_dp_lora.nonprivate"), NonPrivate())
    assert [charge.event.privacy_seed for charge in entries()] == [None, 7]


def test_the_charge_is_on_the_disk_when_the_draw_begins(house: Project) -> None:
    corpus()
    stage = begin(TRAIN)
    (path,) = (house.root / "data/budgets").glob("*.jsonl")
    before = path.read_text()
    pay(stage)
    lines = path.read_text().removeprefix(before).splitlines()
    line = json.loads(*lines)
    assert ARM_JSON in lines[0] and line["mechanism"] == json.loads(ARM_JSON)
    assert {"time", "run", "stage", "unit", "units", "delta", "token"} <= set(line)
    assert "amazon-snippets" not in (house.stage(CORPUS, "quick") / "privacy.json").read_text()


# Never beyond the limit.


def test_the_draw_that_would_pass_the_limit_is_refused_and_not_charged(house: Project) -> None:
    set_terms(epsilon=2.0, unit="record")
    corpus()
    pay(begin(TRAIN))
    with refused("privacy.budget_exceeded", name="epsilon", value=2.0) as error:
        pay(begin(EVOLVE))
    assert error.value.where == EVOLVE and "data/budgets/amazon-snippets.yaml" in error.value.remedy
    assert re.search(r"epsilon 2; 1\.85\d+ is spent.* 2\.72\d+ at delta .* record", error.value.sentence)
    assert len(entries()) == 2 and not list(house.stage(EVOLVE, "quick").rglob(budget.TOKEN))
    pay(begin(TRAIN))  # what was paid for goes on
    set_terms(epsilon=3.0)  # whoever answers for the data thinks again
    pay(begin(EVOLVE))
    assert len(entries()) == 3 and not budget.status("amazon-snippets").over
    set_terms(epsilon=1.0)
    assert budget.status("amazon-snippets").over


RACE = """
import json, sys, time
from pathlib import Path
from lib.common.errors import DoppelError
from lib.privacy import budget
from lib.privacy.accounting import Gaussian
from lib.privacy.ledger import Event, inherit
from lib.stage.stage import Stage

notebook, parameters = sys.argv[1], json.loads(sys.argv[2])
stage = Stage.begin(notebook, parameters)
ledger, event = inherit([stage.inputs["corpus"]]), Event(stage.id, "x", Gaussian(2.0))
Path(f"ready-{notebook}").touch()
while len(list(Path().glob("ready-*"))) < 2:
    time.sleep(0.001)
try:
    budget.charge(stage, event, ledger, resumable=True)
except DoppelError as error:
    sys.exit(error.code)
"""


def test_two_that_charge_at_once_never_pass_the_limit_together(house: Project) -> None:
    set_terms(epsilon=2.0)
    corpus()
    racers = []
    for node in (graph_of().nodes[id] for id in (TRAIN, EVOLVE)):
        command = [sys.executable, "-c", RACE, node.notebook, json.dumps(node.parameters)]
        racers.append(subprocess.Popen(command, cwd=house.root, env=house.env, stderr=subprocess.PIPE, text=True))
    errors = [racer.communicate(timeout=120)[1] for racer in racers]
    assert sorted(bool(racer.returncode) for racer in racers) == [False, True]
    assert sorted("privacy.budget_exceeded" in error for error in errors) == [False, True], errors
    assert len(entries()) == 2


# Units and delta.


def test_a_limit_for_records_refuses_charges_by_user(house: Project) -> None:
    corpus(changes=CSV)
    assert yaml.safe_load(Account.of("csv:reviews.csv").path.read_text())["unit"] == "record"
    with refused("privacy.other_unit", name="unit", value="user") as error:
        corpus(unit="user", units=300, run="users", changes=CSV)
    assert "unit: record in 00_process_data" in error.value.remedy
    with refused("privacy.other_unit", name="unit", value="user") as error:
        check_budget(graph_of(*CSV, "00_process_data.unit=user", run="users"), [CORPUS])
    assert error.value.where == "params/quick"
    assert {charge.unit for charge in entries("csv:reviews.csv")} == {"record"}


def test_an_account_of_both_units_adds_up_what_a_user_with_one_record_spent(house: Project) -> None:
    corpus()
    pay(begin(TRAIN))
    records = budget.status("amazon-snippets")
    users = corpus(unit="user", units=300, run="users")
    both = budget.status("amazon-snippets")
    assert (records.unit, both.unit) == ("record", "user with one record")
    assert both.delta == min(records.delta, users.delta)
    histograms = [DiscreteGaussian(10.0)] * 2
    assert both.spent == pytest.approx(accounting.epsilon([*histograms, ARM], delta=both.delta), rel=1e-3)
    set_terms(unit=None, epsilon=both.spent)  # within the limit by either unit alone, and not by both
    with refused("privacy.budget_exceeded"):
        pay(begin(EVOLVE), Gaussian(20.0))


def test_terms_without_their_charges_are_a_loss_and_no_empty_account(house: Project) -> None:
    corpus()
    account = Account.of("amazon-snippets")
    account.path.with_suffix(".jsonl").unlink()
    for ask in (account.read, lambda: budget.status(account), lambda: pay(begin(TRAIN))):
        with refused("privacy.journal_missing", name="amazon-snippets.jsonl"):
            ask()


def test_delta_is_the_smallest_of_the_stages_unless_the_terms_have_one(house: Project) -> None:
    corpus(units=300)
    small = budget.status("amazon-snippets")
    corpus(units=100_000, run="all")
    both = budget.status("amazon-snippets")
    assert (small.delta, both.delta) == (accounting.default_delta(300), accounting.default_delta(100_000))
    set_terms(delta=1e-9)
    assert budget.status("amazon-snippets").delta == 1e-9
    assert budget.status("amazon-snippets").spent > both.spent > small.spent
