"""The gate refuses each of its cases, says all at once, and lets an arm pass that has none."""

import pytest
from support import release_world
from support.project import edit
from support.release_world import ARM, AUDIT, CORPUS, TRAINING, World, loads

from lib.common.errors import DoppelError
from lib.common.files import write_json
from lib.privacy import budget, ledger
from lib.release import gate, pack
from lib.release.candidate import Candidate

finished, world = release_world.finished, release_world.world


def cases(world: World, **given) -> list[str]:
    return [refusal.case for refusal in gate.check(Candidate(world.run, ARM), **given)]


def near_copy(text: str) -> str:
    """All words but the fourth of fourteen, so that no sentence is the same."""
    said = text.split()
    return " ".join([*said[:3], "otherwise", *said[4:]])


def test_an_arm_with_nothing_against_it_passes(world):
    assert gate.check(Candidate(world.run, ARM)) == []


def test_a_violated_claim_is_refused_by_the_arm_and_not_by_its_local_name(world):
    world.play(AUDIT, verdict="violated")
    assert cases(world) == ["audit violated"]
    (refusal,) = gate.check(Candidate(world.run, ARM))
    assert AUDIT in refusal.reason and "0.5" in refusal.reason
    elsewhere = world.run / AUDIT / "params.yaml"
    elsewhere.write_text(elsewhere.read_text().replace(f"mine: {ARM}", "mine: 11_generate.another"))
    assert cases(world) == []


def test_a_violation_counts_though_the_arm_was_made_again_since(world):
    world.play(AUDIT, verdict="violated")
    world.change_texts("synthetic", {0: "something else"})
    world.play(ARM)
    assert cases(world) == ["audit violated"]


def test_findings_that_were_changed_after_the_audit_are_refused(world):
    world.play(AUDIT, verdict="violated")
    path = world.run / AUDIT / "findings.json"
    path.write_text(path.read_text().replace("violated", "consistent"))
    assert cases(world) == ["tampered"]


@pytest.mark.parametrize("verdict", ["consistent", "inconclusive", "audit failed: no verdict", None])
def test_other_verdicts_and_none_at_all_are_no_refusal(world, verdict):
    world.play(AUDIT, verdict=verdict)
    assert cases(world) == []


def test_near_copies_above_the_held_out_baseline_are_refused_and_a_few_are_not(world):
    train = world.texts("train")
    world.change_texts("synthetic", {i: near_copy(train[3 * i]) for i in range(3)})
    world.play(ARM)
    assert cases(world) == []
    world.change_texts("synthetic", {i: near_copy(train[i]) for i in range(12)})
    world.play(ARM)
    assert set(cases(world)) == {"copies"}
    assert "12 of 40" in gate.check(Candidate(world.run, ARM))[0].reason


def test_what_is_as_close_to_held_out_records_is_no_copy(world):
    """Every text of all three sides has the same boilerplate: long runs, and no memory."""
    common = " ".join(world.texts("train")[0].split()[:10])
    for side in ("train", "test", "synthetic"):
        world.change_texts(side, {i: f"{text} {common}" for i, text in enumerate(world.texts(side))})
    world.play(CORPUS, TRAINING, ARM)
    assert cases(world) == []


def test_a_budget_that_is_exceeded_is_refused(world, monkeypatch):
    assert cases(world, exceeded=lambda corpus: f"{corpus.name} has spent 17 of 16") == ["over the corpus' budget"]
    assert cases(world) == []  # its account is empty
    spent = budget.Status(16.0, 17.0, 1e-6, "record", [])
    monkeypatch.setattr(budget, "status", lambda account: spent)
    assert cases(world) == ["over the corpus' budget"]
    assert "17.0000 of 16" in str(gate.check(Candidate(world.run, ARM))[0])


def test_an_epsilon_over_the_target_is_refused(world):
    path = world.run / ARM / "privacy.json"
    write_json(path, loads(path) | {"target_epsilon": 1.0})
    assert "over its target" in cases(world)


@pytest.mark.parametrize(
    ("stage", "change", "reason"),
    [
        (TRAINING, {"target_epsilon": None}, "not private"),
        (TRAINING, {"privacy_seed": 3}, "privacy_seed"),
        (CORPUS, {"privacy_seed": 3}, "privacy_seed"),
        (TRAINING, {"checked": False}, "not checked"),
    ],
)
def test_what_the_ledger_forbids_is_refused(world, stage, change, reason):
    world.play(stage, **change)
    world.play(*([TRAINING] if stage == CORPUS else []), ARM, target_epsilon=None)
    found = {refusal.case: refusal.reason for refusal in gate.check(Candidate(world.run, ARM))}
    assert reason in found["not for release"]
    # unchecked batches are a wrong certificate as well: Poisson sampling is claimed, and was not seen
    assert set(found) <= {"not for release", "certificate"}


def test_claims_that_do_not_follow_from_the_events_are_refused(world):
    path = world.run / ARM / "privacy.json"
    write_json(path, loads(path) | {"epsilon": 0.5})
    assert set(cases(world)) == {"certificate", "tampered"}
    path.write_text("{}")
    assert set(cases(world)) == {"certificate", "tampered"}


SENTENCE = "the doctor said that my left knee will never be the same"


@pytest.mark.parametrize(
    "leak",
    [
        SENTENCE,
        f"so. {SENTENCE.upper()}! yes",
        "my mail is Ann.Smith@example.org today",
        "call 0049-170-5551234 for more",
        "they wrote train_000005 on it",
        "written by usertrain4 again",
    ],
)
def test_private_text_is_refused_without_being_told(world, leak):
    world.change_texts("train", {5: f"{SENTENCE}. ann.smith@example.org, 0049 170 555 1234"})
    world.change_texts("train", {5: "usertrain4"}, key="user")
    world.change_texts("synthetic", {9: leak})
    world.play(CORPUS, TRAINING, ARM)
    (refusal,) = gate.check(Candidate(world.run, ARM))
    assert refusal.case == "private text" and "synthetic.jsonl" in refusal.reason and "string 9" in refusal.reason
    assert not any(word in str(refusal) for word in ("smith", "555", "train_0", "usertrain", "knee", "doctor"))


def test_what_held_out_records_or_three_users_say_too_is_no_private_text(world):
    sentence = world.texts("train")[5]
    world.change_texts("synthetic", {9: sentence})
    for side, places in (("test", [4]), ("train", [5, 20, 40])):
        before = world.texts(side)
        world.change_texts(side, dict.fromkeys(places, sentence))
        world.play(CORPUS, TRAINING, ARM)
        assert cases(world) == []
        world.change_texts(side, {place: before[place] for place in places if place != 5})
        world.play(CORPUS, TRAINING, ARM)
        assert cases(world) == ["private text"]


def test_a_stage_that_is_not_done_is_refused(world):
    (world.run / TRAINING / "done.json").unlink()
    assert cases(world) == ["not done"]
    assert [refusal.case for refusal in gate.check(Candidate(world.run, "11_generate.absent"))] == ["not done"]
    assert [refusal.case for refusal in gate.check(Candidate(world.run, CORPUS))] == ["not done"]


def test_a_stage_whose_input_changed_is_refused_and_one_whose_code_changed_is_not(world):
    world.project.notebook(TRAINING, "steps: int = 4\n", "stage.finish({}, {})")
    assert cases(world) == []  # the certificate names the code that ran
    world.play(CORPUS, label_histogram_scale=6.0)
    assert cases(world).count("stale") >= 2
    (world.project.root / "notebooks" / f"{TRAINING}.ipynb").unlink()
    assert "stale" in cases(world)


def test_a_stage_that_was_edited_by_hand_is_refused(world):
    path = world.run / ARM / "done.json"
    write_json(path, loads(path) | {"edited": "run by hand with cells that differ from the saved notebook"})
    assert cases(world) == ["edited by hand"]


@pytest.mark.parametrize("name", [f"{ARM}/synthetic.jsonl", f"{CORPUS}/train.jsonl", f"{TRAINING}/privacy.json"])
def test_an_output_that_was_changed_is_refused(world, name):
    path = world.run / name
    path.write_text(path.read_text().replace("0", "1", 1))
    assert "tampered" in cases(world)


def test_a_changed_output_with_its_new_hash_in_done_json_is_refused_too(world):
    path = world.run / ARM / "done.json"
    done = loads(path)
    done["outputs"]["synthetic.jsonl"]["sha256"] = "0" * 64
    write_json(path, done)
    (refusal,) = gate.check(Candidate(world.run, ARM))
    assert refusal.case == "tampered" and "done.json" in refusal.reason


def test_all_refusals_are_told_at_once_with_what_to_do(world):
    world.play(TRAINING, privacy_seed=3)
    train = world.texts("train")
    world.change_texts("synthetic", {i: near_copy(train[i]) for i in range(12)} | {20: train[5]})
    world.play(ARM)
    world.play(AUDIT, verdict="violated")
    with pytest.raises(DoppelError) as error:
        pack.pack(Candidate(world.run, ARM), exceeded=lambda corpus: "17 of 16 spent")
    told = str(error.value)
    expected = ("audit violated:", "copies:", "over the corpus' budget:", "not for release:", "private text:")
    assert all(case in told for case in expected)
    assert all("; " in line for line in told.splitlines()[1:])  # a remedy each
    assert not world.pack.exists() and not list(world.run.glob("release/.*"))


@pytest.mark.parametrize("hidden", [TRAINING, CORPUS])
def test_an_arm_that_does_not_count_what_it_read_is_refused(world, hidden):
    """An honest mistake of a notebook: of two inputs it inherits the ledger of one."""
    kept = next(name for name in (TRAINING, CORPUS) if name != hidden)
    inherited = f"inherit([folder for folder in stage.inputs.values() if folder.name == '{kept}'])"
    edit(world.project.root / "notebooks" / f"{ARM}.ipynb", "inherit(list(stage.inputs.values()))", inherited)
    world.play(ARM)
    found = {refusal.case: refusal.reason for refusal in gate.check(Candidate(world.run, ARM))}
    if hidden == CORPUS:  # the training's ledger holds it
        assert found == {}
    else:
        assert found == {"certificate": f"{TRAINING}: was read, and is not among the ancestors"}


def test_an_ancestor_whose_event_was_left_out_is_refused(world):
    path = world.run / ARM / "privacy.json"
    statement = loads(path)
    statement["events"] = statement["events"][:1]
    write_json(path, statement | {"epsilon": ledger.from_statement(statement).epsilon})
    reasons = [refusal.reason for refusal in gate.check(Candidate(world.run, ARM)) if refusal.case == "certificate"]
    assert reasons == [f"{TRAINING}: an event of it is left out"]


def test_a_training_that_counts_nothing_gets_no_pack(world):
    """Its own ledger says nothing, so the gate cannot see it; the settings in the pack do."""
    edit(world.project.root / "notebooks" / f"{TRAINING}.ipynb", "ledger.events.append(", "print(")
    world.play(TRAINING)
    world.play(ARM)
    with pytest.raises(DoppelError, match=r"would not verify, so there is none: .* ask for one event of kind Gaussian"):
        pack.pack(Candidate(world.run, ARM))
    assert not world.pack.exists()
