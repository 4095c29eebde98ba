"""An arm that is to be released: its records without users, its corpus, its ledger, and the count that is its own."""

import pytest
from support.errors import refused
from support.release_world import ARM, CORPUS, HYBRID, TRAINING, World

from lib.common.files import read_json, write_json
from lib.privacy.budget_account import Account
from lib.release import kinds
from lib.release.candidate import Candidate


@pytest.fixture
def arm(world: World) -> Candidate:
    return Candidate(world.run, ARM)


def test_records_have_no_users_whatever_the_file_says(world: World) -> None:
    world.change_texts("synthetic", {0: "somebody"}, key="user")
    world.play(ARM)
    made = Candidate(world.run, ARM)
    assert "somebody" in made.file.read_text() and {record.user for record in made.records} == {None}
    assert made.texts == world.texts("synthetic") and made.kind is kinds.TEXTS


def test_corpus_and_private_records_are_those_that_were_read(arm: Candidate, world: World) -> None:
    assert list(arm.stages) == [CORPUS, TRAINING, ARM] and arm.corpus.id == CORPUS
    ((sides),) = arm.real
    assert [record.text.reveal() for record in sides["train"]] == world.texts("train") and len(sides["test"]) == 40
    assert not arm.public_alone and [charge.event.stage for charge in arm.charges] == [CORPUS, TRAINING, ARM]
    assert isinstance(arm.account, Account)


def test_a_statement_that_cannot_be_read_makes_no_ledger(arm: Candidate) -> None:
    statement = read_json(arm.folder / "privacy.json")
    for changed in ({}, statement | {"events": [{"what": "x"}]}, statement | {"unit": ["record"]}):
        write_json(arm.folder / "privacy.json", changed)
        assert Candidate(arm.run, ARM).ledger is None and not Candidate(arm.run, ARM).public_alone


def test_without_records_to_train_on_there_is_no_corpus(arm: Candidate) -> None:
    (arm.run / CORPUS / "test.jsonl").unlink()
    with refused("release.no_corpus", name=ARM):
        assert Candidate(arm.run, ARM).corpus


def test_a_stage_that_is_not_done_is_refused(arm: Candidate) -> None:
    (arm.run / TRAINING / "done.json").unlink()
    with refused("stage.not_done"):
        assert Candidate(arm.run, ARM).stages


def test_the_count_is_the_arms_own(arm: Candidate) -> None:
    assert (arm.counted, arm.copy_count) == (ARM, 3)
    (arm.folder / "copy_count.json").unlink()
    assert Candidate(arm.run, ARM).copy_count is None
    assert arm.pack == arm.run / "release" / ARM and HYBRID not in arm.stages
