"""The budget of a corpus: every draw is charged once, before it is drawn, and never beyond the limit."""

import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from scipy.optimize import brentq
from scipy.stats import norm
from support.errors import refused
from support.notebooks import SMALL
from support.project import ROOT, Project

from lib.common.files import write_json
from lib.methods import registry
from lib.pipeline import budget_check, preflight
from lib.pipeline.budget_check import check_budget
from lib.privacy import accounting, budget, mechanisms
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.budget_account import FOLDER, Account, account_of, accounts
from lib.privacy.ledger import Event, Ledger, inherit
from lib.stage.stage import Stage

CORPUS, TRAIN, EVOLVE = "00_process_data", "10_finetune_dp_lora.eps8", "12_aug_pe.eps8"
UNITS = 2918
ARM = Gaussian(2.0)  # epsilon 1.8 at the delta of so many units
ARM_JSON = '{"kind": "Gaussian", "noise_multiplier": 2.0, "sampling_probability": 1.0, "count": 1}'
CSV = [
    "00_process_data.source=csv:reviews.csv",
    "00_process_data.columns={text: Review, user: Author, labels.sentiment: Mood}",
]


@pytest.fixture
def house(here: Project) -> Project:
    """The real notebooks and parameters in a project whose budgets are its own."""
    for name in ("notebooks", "params", "prompts"):
        shutil.copytree(ROOT / name, here.root / name)
    (here.root / "reviews.csv").write_text("Review,Author,Mood\nIt works.,ann,positive\n")
    return here


def begin(stage: str, *, run: str = "quick", changes: tuple[str, ...] = ()) -> Stage:
    """A running stage of preset quick, its inputs done; the notebook itself is not run."""
    node = preflight.preflight("quick", run, changes).nodes[stage]
    return Stage.begin(node.notebook, dict(node.parameters))


def corpus(*, unit: str = "record", units: int = UNITS, run: str = "quick", changes: tuple[str, ...] = ()) -> Ledger:
    """The corpus stage, done, and its ledger."""
    changes = (*changes, f"00_process_data.unit={unit}")
    stage = begin(CORPUS, run=run, changes=changes)
    ledger = Ledger(unit, units)
    event = Event(stage.id, "label histogram", DiscreteGaussian(10.0))
    budget.charge(stage, event, ledger)
    ledger.events.append(event)
    stage.finish({}, ledger.statement(stage.id))
    return ledger


def pay(stage: Stage, mechanism: accounting.Mechanism = ARM, **changes: object) -> Event:
    event = Event(stage.id, "DP-SGD", mechanism, **changes)
    budget.charge(stage, event, inherit([stage.inputs["corpus"]]), resumable=True)
    return event


def set_terms(source: str = "amazon-snippets", **values: object) -> Path:
    """Edit the terms of an account, or write them before its first charge."""
    account = Account.of(source)
    account.path.parent.mkdir(parents=True, exist_ok=True)
    known = {"source": account.source, "unit": None, "epsilon": None, "delta": None}
    if account.path.is_file():
        known = yaml.safe_load(account.path.read_text())
    account.path.write_text(yaml.safe_dump(known | values))
    return account.path


def entries_of(terms: Path) -> list[str]:
    """The charges beside terms, of an account that may be unreadable."""
    return terms.with_suffix(".jsonl").read_text().splitlines()


def entries(source: str = "amazon-snippets") -> list:
    return list(budget.status(source).entries)


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
    assert budget.composed(spent, 1e-5) == pytest.approx(one_by_one, rel=1e-4)
    assert len(budget.merged(spent * 50)) == 4
    assert budget.composed([], None) == 0


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
    assert [(one.run, one.event) for one in entries()[1:]] == [("quick", event)]
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
    assert [one.event.privacy_seed for one in entries()] == [None, 7]


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
import sys, time
from pathlib import Path
from lib.privacy import budget
from lib.privacy.accounting import Gaussian
from lib.privacy.ledger import Event, inherit
from lib.pipeline import preflight
from lib.stage.stage import Stage

node = preflight.preflight("quick", "quick").nodes[sys.argv[1]]
stage = Stage.begin(node.notebook, dict(node.parameters))
ledger, event = inherit([stage.inputs["corpus"]]), Event(stage.id, "x", Gaussian(2.0))
Path(f"ready-{sys.argv[1]}").touch()
while len(list(Path().glob("ready-*"))) < 2:
    time.sleep(0.001)
budget.charge(stage, event, ledger, resumable=True)
"""


def test_two_that_charge_at_once_never_pass_the_limit_together(house: Project) -> None:
    set_terms(epsilon=2.0)
    corpus()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, id], cwd=house.root, env=house.env, stderr=subprocess.PIPE, text=True
        )
        for id in (TRAIN, EVOLVE)
    ]
    errors = [racer.communicate(timeout=120)[1] for racer in racers]
    assert sorted(bool(racer.returncode) for racer in racers) == [False, True]
    assert sum("has a budget of epsilon 2" in error for error in errors) == 1
    assert len(entries()) == 2


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('"count": 1', '"count": 0', "privacy.charge_unreadable"),
        ('"noise_multiplier": 2.0', '"noise_multiplier": -2.0', "privacy.charge_unreadable"),
        ('"noise_multiplier": 2.0', '"noise_multiplier": NaN', "privacy.charge_unreadable"),
        ('"noise_multiplier": 2.0', '"noise_multiplier": "2"', "privacy.charge_unreadable"),
        ('"sampling_probability": 1.0', '"sampling_probability": 2', "privacy.charge_unreadable"),
        ('"kind": "Gaussian"', '"kind": "Gausian"', "privacy.charge_unreadable"),
        (ARM_JSON, '{"kind": "NonPrivate"}', "privacy.charge_unreadable"),
        ('"unit": "record"', '"unit": "recrod"', "privacy.charge_unreadable"),
        (f'"units": {UNITS}', '"units": 0', "privacy.charge_unreadable"),
        ('"delta": ', '"dleta": ', "privacy.charge_unreadable"),
        ('"token"', '"tok', "common.not_json"),
        ("}\n", "}", "privacy.account_cut_off"),
        ("}\n", "", "privacy.account_cut_off"),
        ("}\n", "}\n[]\n", "common.not_an_object"),
    ],
)
def test_an_account_that_cannot_be_read_is_refused_never_guessed(
    house: Project, old: str, new: str, cause: str
) -> None:
    corpus()
    pay(begin(TRAIN))
    path = house.root / "data/budgets/amazon-snippets.jsonl"
    *first, last = path.read_text().splitlines(keepends=True)
    assert old in last
    path.write_text("".join([*first, new.join(last.rsplit(old, 1))]))
    damaged = path.read_text()
    for act in (
        lambda: pay(begin(EVOLVE)),
        lambda: check_budget(preflight.preflight("quick", "quick"), [EVOLVE]),
        lambda: budget.status("amazon-snippets"),
    ):
        with refused("privacy.account_unreadable", name="amazon-snippets.jsonl") as error:
            act()
    assert error.value.__cause__.code == cause  # of the last of them
    assert path.read_text() == damaged


@pytest.mark.parametrize(
    ("old", "new", "code", "name"),
    [
        ("epsilon: 20.0", "epsilon: 2e1", "stage.yaml_trap", "epsilon"),
        ("epsilon: 20.0", "epsilon: -1", "stage.out_of_range", "epsilon"),
        ("epsilon: 20.0", "epsilon: much", "stage.wrong_type", "epsilon"),
        ("epsilon: 20.0", "epsilom: 20.0", "privacy.term_missing", "epsilon"),
        ("epsilon: 20.0", "epsilon: 20.0\nlimit: 3", "stage.unknown_parameter", "limit"),
        ("unit: null", "unit: person", "stage.wrong_type", "unit"),
        ("delta: null", "delta: 2.0", "stage.out_of_range", "delta"),
        ("delta: null", "delta: 0.001", "privacy.delta_above_units", "delta"),  # above 1/n
        ("source: amazon-snippets", "source: movie-snippets", "privacy.terms_of_another", "source"),
        ("source: amazon-snippets", "source: [", "stage.not_yaml", None),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_name(
    house: Project, old: str, new: str, code: str, name: str | None
) -> None:
    corpus()
    path = set_terms(epsilon=20.0)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with refused(code, name=name):
        pay(begin(TRAIN))
    assert len(entries_of(path)) == 1


def test_terms_that_hold_nothing_are_refused(house: Project) -> None:
    corpus()
    set_terms().write_text("- 1\n")
    with refused("privacy.no_terms"):
        pay(begin(TRAIN))
    with refused("privacy.term_missing", name="source"):
        accounts()


def test_terms_that_are_not_utf8_are_refused_by_name(house: Project) -> None:
    corpus()
    path = set_terms(epsilon=20.0)
    path.write_bytes(path.read_bytes() + "# of the café\n".encode("latin-1"))
    for read in (lambda: pay(begin(TRAIN)), accounts):
        with refused("stage.yaml_not_utf8") as error:
            read()
        assert error.value.where == "data/budgets/amazon-snippets.yaml"


# Units and delta.


def test_a_limit_for_records_refuses_charges_by_user(house: Project) -> None:
    corpus(changes=tuple(CSV))
    assert yaml.safe_load(Account.of("csv:reviews.csv").path.read_text())["unit"] == "record"
    with refused("privacy.other_unit", name="unit", value="user") as error:
        corpus(unit="user", units=300, run="users", changes=tuple(CSV))
    assert "unit: record in 00_process_data" in error.value.remedy
    with refused("privacy.other_unit", name="unit", value="user") as error:
        check_budget(preflight.preflight("quick", "users", [*CSV, "00_process_data.unit=user"]), [CORPUS])
    assert error.value.where == "params/quick"
    assert {one.unit for one in entries("csv:reviews.csv")} == {"record"}


def test_an_account_of_both_units_sums_each_by_itself(house: Project) -> None:
    corpus()
    pay(begin(TRAIN))
    records = budget.status("amazon-snippets")
    users = corpus(unit="user", units=300, run="users")
    both = budget.status("amazon-snippets")
    assert (records.unit, both.unit) == ("record", "record and user")
    assert both.delta == min(records.delta, users.delta) and both.spent == records.spent


def test_delta_is_the_smallest_of_the_stages_unless_the_terms_have_one(house: Project) -> None:
    corpus(units=300)
    small = budget.status("amazon-snippets")
    corpus(units=100_000, run="all")
    both = budget.status("amazon-snippets")
    assert (small.delta, both.delta) == (accounting.default_delta(300), accounting.default_delta(100_000))
    set_terms(delta=1e-9)
    assert budget.status("amazon-snippets").delta == 1e-9
    assert budget.status("amazon-snippets").spent > both.spent > small.spent


# Whose account.


def test_the_same_data_is_the_same_account_however_it_is_named(
    house: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    inside = {
        Account.of(source) for source in ("csv:reviews.csv", "yelp:./reviews.csv", f"csv:{house.root}/reviews.csv")
    }
    assert len(inside) == 1 and inside.pop().source == "file:reviews.csv"  # it moves with the project
    (house.root / "link.csv").symlink_to("reviews.csv")
    assert Account.of("csv:link.csv") == Account.of("csv:reviews.csv")
    assert Account.of("yelp") == Account.of("csv:data/raw/yelp/train.csv") != Account.of("openreview")
    assert Account.of("hub:Owner/Name:config:test") == Account.of("hub:owner/name")
    folders = [tmp_path_factory.mktemp(name) for name in "ab"]
    outside = [Account.of(f"csv:{folder}/reviews.csv") for folder in folders]
    names = {one.name for one in outside} | {Account.of("csv:reviews.csv").name}
    assert house.root.name not in Account.of("csv:reviews.csv").name
    assert len(names) == 3 and outside[0].source == f"file:{folders[0].resolve()}/reviews.csv"
    for one in (*outside, Account.of("amazon-2023:Electronics"), Account.of("hub:a/b"), Account.of("amazon-snippets")):
        assert Account.of(one.source) == one  # as terms write it


def test_public_corpora_open_without_a_limit_and_others_with_one(house: Project) -> None:
    for source, limit in (("amazon-snippets", None), ("csv:reviews.csv", 100.0)):
        assert budget.status(source).limit == limit and budget.status(source).spent == 0
        corpus(run=f"of-{limit}", changes=() if limit is None else tuple(CSV))
        assert budget.status(source).limit == limit
        text = Account.of(source).path.read_text()
        assert ("is public anyway" in text) == (
            limit is None
        ) and f"epsilon: {'null' if limit is None else limit} #" in text


def test_the_account_of_a_stage_is_that_of_its_source(house: Project) -> None:
    corpus(changes=tuple(CSV))
    assert account_of(house.stage(CORPUS, "quick")) == Account.of("csv:reviews.csv")
    with refused("privacy.no_source", name="source"):
        account_of(house.root)


def test_accounts_can_be_kept_elsewhere(
    house: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    monkeypatch.setenv(FOLDER, str(shared))
    corpus()
    assert {"amazon-snippets.yaml", "amazon-snippets.jsonl"} <= {path.name for path in shared.iterdir()}
    assert not (house.root / "data").exists()


def test_the_command_lists_accounts_and_charges(house: Project) -> None:
    def command(*arguments: str) -> str:
        made = [sys.executable, "-m", "lib.cli", "budget", *arguments]
        return subprocess.run(made, cwd=house.root, env=house.env, capture_output=True, text=True, check=True).stdout

    assert command() == "nothing was charged yet\n"
    corpus(changes=tuple(CSV))
    pay(begin(TRAIN, changes=tuple(CSV)))
    pay(begin(TRAIN, changes=(*CSV, f"{TRAIN}.steps=8")))
    corpus(run="other")
    assert "file:reviews.csv" in command() and "amazon-snippets" in command() and TRAIN not in command()
    listed = command("csv:reviews.csv")
    assert re.search(r"epsilon 2\.72\d+ spent at delta 4\.3e-05, for one record; limit 100; 3 charges", listed)
    assert re.search(rf"quick +{re.escape(TRAIN)} +record +2 +2\.\d+ ", listed)
    set_terms("csv:reviews.csv", epsilon=1.0)
    assert "limit 1, EXCEEDED" in command()


def test_a_source_that_nothing_was_charged_to_is_told_from_one_that_is_none(house: Project) -> None:
    corpus(changes=tuple(CSV))
    for source in ("movie-snippets", "hub:owner/name", "yelp:reviews.csv"):
        ended = house.run("budget", source)
        known = source == "yelp:reviews.csv"  # the same file under another kind
        assert ended.returncode == 0 and (f"nothing was charged to {source} yet" in ended.stdout) != known, ended
    for source, refusal in (
        ("amazon-snippet", "no account and no source; did you mean amazon-snippets?"),
        ("csv:review.csv", "no account and no such file; did you mean file:reviews.csv?"),
        ("file:review.csv", "no account and no such file; did you mean file:reviews.csv?"),
        ("hub", "must be written as hub:OWNER/NAME"),
    ):
        ended = house.run("budget", source)
        assert ended.returncode == 1 and refusal in ended.stderr and ended.stdout == "", ended
    assert "epsilon" in house.run("budget", "file:reviews.csv").stdout  # as the list of accounts calls it


# Pre-flight.


def planned(*changes: str, run: str = "quick", force: tuple[str, ...] = ()) -> None:
    """Pre-flight as the command line does it."""
    graph = preflight.preflight("quick", run, changes)
    check_budget(graph, graph.plan(graph.nodes, force))


def finish(id: str, target: float = 8.0, run: str = "quick") -> Event:
    """An arm of quick, done: what its notebook charges."""
    stage = begin(id, run=run)
    ledger, given = inherit([stage.inputs["corpus"]]), stage.parameters

    def make(noise: float) -> Gaussian:
        if id == TRAIN:
            return Gaussian(noise, given["expected_batch"] / ledger.units, given["steps"])
        return Gaussian(noise, count=given["iterations"])

    others = ledger.mechanisms
    noise = accounting.calibrate(make, target_epsilon=target, delta=ledger.delta, others=others)
    event = pay(stage, make(noise))
    ledger.events.append(event)
    stage.finish({}, ledger.statement(stage.id))
    return event


def test_a_run_that_would_pass_the_limit_is_refused_before_anything_starts(house: Project) -> None:
    corpus()
    set_terms(epsilon=10.5)
    with refused("pipeline.budget_exceeded", name="amazon-snippets") as error:
        planned()
    assert 11 < error.value.value < 12 and error.value.where == "params/quick"
    for fact in ("epsilon 10.5; 0.3010 is spent", f"{TRAIN} (7.9", f"{EVOLVE} (7.9"):
        assert fact in error.value.sentence
    assert "data/budgets/amazon-snippets.yaml" in error.value.remedy
    assert CORPUS not in str(error.value)  # it is up to date, and how many units it has is known
    set_terms(epsilon=12.0)
    planned()


def plan(*changes: str) -> dict[str, accounting.Mechanism | None]:
    """What pre-flight expects the two private arms of quick to draw."""
    graph = preflight.preflight("quick", "quick", changes)
    about = budget_check._about(graph, graph.nodes[CORPUS], entries(), graph.plan(graph.nodes))
    return {id: budget_check._mechanism(graph.nodes[id], about) for id in (TRAIN, EVOLVE)}


def test_what_pre_flight_plans_is_what_an_arm_charges(house: Project) -> None:
    corpus()
    assert plan() == {id: finish(id).mechanism for id in (TRAIN, EVOLVE)}


def test_what_is_up_to_date_costs_nothing_and_what_is_forced_costs_again(house: Project) -> None:
    corpus()
    finish(TRAIN)
    set_terms(epsilon=11.9)
    planned()  # the other arm still fits
    finish(EVOLVE)
    planned()
    for forced in ((TRAIN,), (EVOLVE,)):
        with refused("pipeline.budget_exceeded") as error:
            planned(force=forced)
        assert re.search(rf"one record: {re.escape(forced[0])} \(7\.9\d+\)$", error.value.sentence)
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
    check_budget(preflight.preflight("quick", "quick", CSV), [CORPUS, TRAIN])  # one arm is what its target says


def test_the_arms_of_a_sweep_compose(house: Project) -> None:
    corpus()
    set_terms(epsilon=20.0)
    graph = preflight.preflight("quick", "quick")
    arms = {f"12_aug_pe.seed{seed}": replace(graph.nodes[EVOLVE], id=f"12_aug_pe.seed{seed}") for seed in range(9)}
    grid = replace(graph, nodes=graph.nodes | arms)
    check_budget(grid, list(arms)[:3])
    with refused("pipeline.budget_exceeded") as error:
        check_budget(grid, list(arms))
    assert re.search(r"seed0 \(7\.9\d+\), .*12_aug_pe\.seed5 \(7\.9\d+\) and 3 more", error.value.sentence)


def test_a_corpus_without_a_limit_costs_pre_flight_nothing(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_check, "calibrate", lambda *args, **kwargs: pytest.fail("calibrated for nothing"))
    planned()
    assert entries() == []


LIGHT = """
import sys
from lib.pipeline import budget_check, preflight

graph = preflight.preflight("quick", "quick")
budget_check.check_budget(graph, list(graph.nodes))
assert not {"torch", "transformers", "sentence_transformers"} & set(sys.modules)
"""


def test_pre_flight_of_budgets_loads_no_model_library(house: Project) -> None:
    set_terms(epsilon=100.0)
    subprocess.run([sys.executable, "-c", LIGHT], cwd=house.root, env=house.env, check=True)


def test_the_command_line_refuses_and_starts_and_takes_away_nothing(house: Project) -> None:
    corpus()
    before = {path: path.read_bytes() for path in house.stage(CORPUS, "quick").rglob("*") if path.is_file()}
    set_terms(epsilon=1.0)
    ended = house.run("quick", "--force", CORPUS)
    assert ended.returncode == 2 and "nothing was started" in ended.stderr
    assert re.search(r"has a budget of epsilon 1; 0\.30\d+ is spent", ended.stderr)
    assert {path: path.read_bytes() for path in before} == before
    assert len(entries()) == 1 and not house.stage(TRAIN, "quick").exists()


# The notebooks by hand.


def test_the_corpus_notebook_is_refused_before_it_draws(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    house.play(CORPUS, limit=300)
    (line,) = entries()
    statement = json.loads((house.stage(CORPUS, "quick") / "privacy.json").read_text())
    assert [line.event.as_json()] == statement["events"] and line.units == statement["units"]
    set_terms(epsilon=0.25)
    monkeypatch.setattr(mechanisms, "noisy_counts", lambda *args: pytest.fail("noise was drawn"))
    with refused("privacy.budget_exceeded", value=0.25):
        house.play(CORPUS, limit=300)
    assert entries() == [line]


@pytest.mark.parametrize(("id", "drawn"), [(TRAIN, "training.pt"), (EVOLVE, "votes-*.json")])
def test_the_notebook_of_an_arm_draws_what_was_planned_or_nothing(house: Project, id: str, drawn: str) -> None:
    name = id.partition(".")[0]
    house.play(CORPUS, limit=300)
    set_terms(epsilon=5.0)
    with refused("privacy.budget_exceeded", value=5.0) as error:
        house.play(name, **SMALL[name])
    assert error.value.where == id
    folder = house.stage(id, "quick")
    assert len(entries()) == 1 and not list(folder.rglob(drawn))
    set_terms(epsilon=8.0)
    expected = plan(*(f"{id}.{key}={json.dumps(value)}" for key, value in SMALL[name].items()))[id]
    house.play(name, **SMALL[name])  # goes on from what it had before it was refused
    assert [one.event.mechanism for one in entries()[1:]] == [expected]
    assert expected == inherit([folder]).mechanisms[-1]
