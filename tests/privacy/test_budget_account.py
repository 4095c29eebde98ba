"""Accounts of corpora: whose they are, and where they are kept; one that cannot be read is refused, never guessed."""

import errno
import resource
from pathlib import Path

import pytest
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

from lib.pipeline.budget_check import check_budget
from lib.pipeline.preflight import preflight
from lib.privacy import budget, budget_account
from lib.privacy.budget_account import FOLDER, Account, account_of
from lib.privacy.ledger import Event, Ledger, inherit
from lib.stage.stage import Stage


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
        lambda: check_budget(graph_of(), [EVOLVE]),
        lambda: budget.status("amazon-snippets"),
    ):
        with refused("privacy.account_unreadable", name="amazon-snippets.jsonl") as error:
            act()
    assert error.value.__cause__.code == cause  # of the last of them
    assert path.read_text() == damaged


def test_a_disk_that_is_full_leaves_no_half_of_a_charge(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus()
    pay(begin(TRAIN))
    path = house.root / "data/budgets/amazon-snippets.jsonl"
    before = path.read_bytes()

    def full(file: int) -> None:
        if Path(f"/proc/self/fd/{file}").readlink() == path:
            raise OSError(errno.ENOSPC, "No space left on device")

    waiting = begin(EVOLVE)
    with monkeypatch.context() as patch:
        patch.setattr(budget_account.os, "fsync", full)
        with refused("common.system", name=str(path), value="ENOSPC"):
            pay(waiting)
    assert path.read_bytes() == before


def test_a_disk_that_takes_half_of_a_charge_before_it_is_full_leaves_none_of_it(house: Project) -> None:
    corpus()
    pay(begin(TRAIN))
    waiting, (soft, hard) = begin(EVOLVE), resource.getrlimit(resource.RLIMIT_FSIZE)
    path = account_of(waiting.inputs["corpus"]).path.with_suffix(".jsonl")
    before = path.read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))  # a write stops there, and says how far it got
    try:
        with refused("common.system", name=str(path), value="EFBIG"):
            pay(waiting)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before


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
    names = {account.name for account in outside} | {Account.of("csv:reviews.csv").name}
    assert house.root.name not in Account.of("csv:reviews.csv").name
    assert len(names) == 3 and outside[0].source == f"file:{folders[0].resolve()}/reviews.csv"
    others = [Account.of(source) for source in ("amazon-2023:Electronics", "hub:a/b", "amazon-snippets")]
    for account in (*outside, *others):
        assert Account.of(account.source) == account  # as terms write it


def test_public_corpora_open_without_a_limit_and_others_with_one(house: Project) -> None:
    for source, limit in (("amazon-snippets", None), ("csv:reviews.csv", 100.0)):
        assert budget.status(source).limit == limit and budget.status(source).spent == 0
        corpus(run=f"of-{limit}", changes=() if limit is None else CSV)
        assert budget.status(source).limit == limit
        text = Account.of(source).path.read_text()
        assert ("is public anyway" in text) == (
            limit is None
        ) and f"epsilon: {'null' if limit is None else limit} #" in text


def test_the_account_of_a_stage_is_that_of_its_source(house: Project) -> None:
    corpus(changes=CSV)
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


def test_scrubbing_never_resets_the_budget_of_the_original_corpus(house: Project) -> None:
    source = "rotten-tomatoes"
    graph = preflight("scrubbed", "scrubbed")

    def begun(stage: str, **changes: object) -> Stage:
        node = graph.nodes[stage]
        return Stage.begin(node.notebook, node.parameters | changes)

    stage = begun(CORPUS)
    stage.finish({}, Ledger("record", UNITS).statement(stage.id))
    for seed in (0, 1):  # the same records, scrubbed once and once more
        scrubbed = begun("01_scrub", seed=seed)
        scrubbed.finish({}, inherit([stage.folder]).statement(scrubbed.id))
        assert account_of(scrubbed.folder) == account_of(stage.folder) == Account.of(source)
        train = begun(TRAIN)
        event = Event(train.id, "DP-SGD", ARM)
        if seed == 0:
            budget.charge(train, event, inherit([scrubbed.folder]))
            spent = budget.status(source).spent
            set_terms(source, epsilon=1.1 * spent)  # a second one of its kind is too much
        else:
            with refused("privacy.budget_exceeded"):
                budget.charge(train, event, inherit([scrubbed.folder]))
    assert [charge.event.stage for charge in entries(source)] == [TRAIN]
    with refused("pipeline.budget_exceeded", name=source):  # and before anything starts
        check_budget(graph, [TRAIN])
