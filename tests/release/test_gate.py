"""The gate refuses each of its cases, reports all at once, and lets an arm pass that has none."""

import pytest
from support.errors import refused
from support.project import edit
from support.release_world import ARM, AUDIT, CORPUS, SOURCE, TRAINING, World, loads

from lib.audit import violations
from lib.audit.verdict import Verdict
from lib.common.errors import Reason
from lib.common.files import write_json
from lib.privacy import budget, copy_count, ledger
from lib.privacy.accounting import default_delta
from lib.privacy.budget_account import Account
from lib.release import certificate, gate, pack
from lib.release.candidate import Candidate
from lib.release.certificate import NOT_COUNTED


def check(world: World, stage: str = ARM, **given) -> list[gate.Refusal]:
    return gate.check(Candidate(world.run, stage), **given)


def cases(world: World, stage: str = ARM, **given) -> list[str]:
    return [refusal.case for refusal in check(world, stage, **given)]


def codes(world: World) -> list[tuple[str, str]]:
    """Case and code of each refusal."""
    return [(refusal.case, refusal.reason.code) for refusal in check(world)]


def near_copy(text: str) -> str:
    """All words but the fourth of fourteen, so that no sentence is the same."""
    words = text.split()
    return " ".join([*words[:3], "otherwise", *words[4:]])


def test_an_arm_with_nothing_against_it_passes(world):
    assert check(world) == []


def test_a_violated_claim_is_refused_by_the_arm_and_not_by_its_local_name(world):
    world.play(AUDIT, verdict="violated")
    (refusal,) = check(world)
    assert (refusal.case, refusal.reason.code) == ("audit violated", "release.audit_violated")
    assert AUDIT in str(refusal) and "0.5" in str(refusal)  # the bound that the attack showed
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
    assert codes(world) == [("tampered", "release.findings_changed")]


def test_a_violation_of_the_same_arm_stands_though_a_later_audit_found_nothing(world):
    world.play(AUDIT, verdict="violated")
    violations.keep(world.run, AUDIT, {ARM: Verdict.VIOLATED, TRAINING: Verdict.CONSISTENT}, {ARM: 0.5})
    world.play(AUDIT, verdict="consistent")
    assert codes(world) == [("audit violated", "release.audit_violated")] and "0.5" in str(check(world)[0])
    world.change_texts("synthetic", {0: "something else"})
    world.play(ARM)  # made again: another arm, which the later audit did not attack
    assert cases(world) == []


def test_an_audit_that_failed_is_refused(world):
    world.play(AUDIT, verdict="audit failed: no verdict")
    assert codes(world) == [("audit failed", "release.audit_failed")]


@pytest.mark.parametrize("verdict", ["consistent", "inconclusive", None])
def test_other_verdicts_and_none_at_all_are_no_refusal(world, verdict):
    world.play(AUDIT, verdict=verdict)
    assert cases(world) == []


def copied(world: World, stage: str = ARM) -> list[tuple[str, str]]:
    """Case and code of each exact copy that the holder is shown."""
    candidate = Candidate(world.run, stage)
    found = gate.copies(candidate, {"synthetic.jsonl": candidate.texts})
    return [(refusal.case, refusal.reason.code) for refusal in found]


def test_the_noisy_count_of_copied_units_decides(world):
    most = copy_count.limit(copy_count.mechanism({"target_epsilon": 8.0, "copy_share": 0.2}, default_delta(60)).scale)
    world.play(ARM, noisy_count=most)
    assert cases(world) == []
    world.play(ARM, noisy_count=most + 1)
    (refusal,) = check(world)
    assert (refusal.case, refusal.reason.code) == ("copies", "release.copies")
    assert f"{most + 1} units are copied, {most} are allowed" in str(refusal)
    (world.run / ARM / "copy_count.json").unlink()
    assert {"copies", "tampered"} == set(cases(world))


def test_whether_a_text_stands_in_train_decides_nothing(world):
    """The oracle that would void delta: t is released or not by whether somebody wrote t."""
    text = "the doctor said that my left knee will never be the same"
    world.change_texts("synthetic", {9: text})
    world.play(ARM)
    assert cases(world) == [] and copied(world) == []
    before = certificate_of(world)
    world.change_texts("train", {5: text})
    world.play(CORPUS, TRAINING, ARM)
    assert cases(world) == [] and copied(world) == [("private text", "release.private_text")]
    after = certificate_of(world)
    assert {row["counted"] for row in after["decisions"]} == {certificate.PUBLIC, certificate.COUNTED}
    assert before["decisions"] == after["decisions"] and before["audit"] == after["audit"]
    with refused("release.refused", name=ARM, value=["private text"] * 2):
        pack.pack(Candidate(world.run, ARM), block_copies=True)


def certificate_of(world: World, **given) -> dict:
    return loads(pack.pack(Candidate(world.run, ARM), **given) / certificate.NAME)


def test_what_the_holder_or_an_audit_decides_is_in_the_certificate_as_not_counted(world):
    def uncounted(**given) -> list[str]:
        return [row["what"] for row in certificate_of(world, **given)["decisions"] if row["counted"] == NOT_COUNTED]

    assert uncounted() == []
    (exact,) = uncounted(block_copies=True)
    assert "exact copies" in exact
    world.play(AUDIT)
    (audit,) = uncounted()
    assert (
        "audit" in audit and f"Epsilon does not cover this decision: {audit}." in (world.pack / "README.md").read_text()
    )


def test_near_copies_above_the_held_out_baseline_are_shown_and_a_few_are_not(world):
    train = world.texts("train")
    world.change_texts("synthetic", {i: near_copy(train[3 * i]) for i in range(3)})
    world.play(ARM)
    assert copied(world) == []
    world.change_texts("synthetic", {i: near_copy(train[i]) for i in range(12)})
    world.play(ARM)
    assert set(copied(world)) == {("too close", "release.too_close")} and cases(world) == []


def test_what_is_as_close_to_held_out_records_is_no_copy(world):
    """Every text of all three sides has the same boilerplate: long runs, and no memory."""
    common = " ".join(world.texts("train")[0].split()[:10])
    for side in ("train", "test", "synthetic"):
        world.change_texts(side, {i: f"{text} {common}" for i, text in enumerate(world.texts(side))})
    world.play(CORPUS, TRAINING, ARM)
    assert copied(world) == []


def test_a_budget_that_is_exceeded_is_refused(world, monkeypatch):
    (refusal,) = check(world, exceeded=lambda corpus: f"{corpus.name} has spent 17 of 16")
    assert refusal.case == "over the corpus' budget" and f"{CORPUS} has spent 17 of 16" in str(refusal)
    assert cases(world) == []  # its account has no limit
    spent = budget.Status(16.0, 17.0, 1e-6, "record", [])
    monkeypatch.setattr(budget, "status", lambda account: spent)
    assert codes(world) == [("over the corpus' budget", "release.over_budget")]
    assert "17.0000 of 16" in str(check(world)[0])


def test_an_epsilon_over_the_target_is_refused(world):
    path = world.run / ARM / "privacy.json"
    write_json(path, loads(path) | {"target_epsilon": 1.0})
    assert ("over its target", "privacy.over_target") in codes(world)


@pytest.mark.parametrize(
    ("stage", "change", "code"),
    [
        (TRAINING, {"target_epsilon": None}, "privacy.not_private"),
        (TRAINING, {"privacy_seed": 3}, "privacy.seed_recorded"),
        (CORPUS, {"privacy_seed": 3}, "privacy.seed_recorded"),
        (TRAINING, {"checked": False}, "privacy.batches_unchecked"),
    ],
)
def test_what_the_ledger_forbids_is_refused(world, stage, change, code):
    world.play(stage, **change)
    world.play(*([TRAINING] if stage == CORPUS else []), ARM, target_epsilon=None)
    # unchecked batches are a wrong certificate as well: Poisson sampling is claimed without a check of the batches
    also = {("certificate", "privacy.poisson_unchecked")} if "checked" in change else set()
    assert set(codes(world)) == {("not for release", code)} | also


def test_claims_that_do_not_follow_from_the_events_are_refused(world):
    path = world.run / ARM / "privacy.json"
    write_json(path, loads(path) | {"epsilon": 0.5})
    assert set(codes(world)) == {("certificate", "privacy.epsilon_wrong"), ("tampered", "stage.output_changed")}
    path.write_text("{}")
    wanted = {("certificate", "release.statement_unreadable"), ("tampered", "stage.output_changed")}
    assert set(codes(world)) == wanted


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
def test_private_text_is_shown_by_its_place_and_not_quoted(world, leak):
    world.change_texts("train", {5: f"{SENTENCE}. ann.smith@example.org, 0049 170 555 1234"})
    world.change_texts("train", {5: "usertrain4"}, key="user")
    world.change_texts("synthetic", {9: leak})
    world.play(CORPUS, TRAINING, ARM)
    candidate = Candidate(world.run, ARM)
    (refusal,) = gate.copies(candidate, {"synthetic.jsonl": candidate.texts})
    assert (refusal.case, refusal.reason.code) == ("private text", "release.private_text")
    assert "synthetic.jsonl" in str(refusal) and "string 9" in str(refusal)
    assert not any(word in str(refusal) for word in ("smith", "555", "train_0", "usertrain", "knee", "doctor"))


def test_what_held_out_records_or_three_users_say_too_is_no_private_text(world):
    sentence = world.texts("train")[5]
    world.change_texts("synthetic", {9: sentence})
    for side, places in (("test", [4]), ("train", [5, 20, 40])):
        before = world.texts(side)
        world.change_texts(side, dict.fromkeys(places, sentence))
        world.play(CORPUS, TRAINING, ARM)
        assert copied(world) == []
        world.change_texts(side, {place: before[place] for place in places if place != 5})
        world.play(CORPUS, TRAINING, ARM)
        assert copied(world) == [("private text", "release.private_text")]


def test_a_stage_that_is_not_done_is_refused(world):
    (world.run / TRAINING / "done.json").unlink()
    assert codes(world) == [("not done", "stage.not_done")]
    (absent,) = check(world, "11_generate.absent")
    assert (absent.case, absent.reason.code) == ("not done", "stage.not_done")
    (no_arm,) = check(world, CORPUS)
    assert (no_arm.case, no_arm.reason.code) == ("not done", "release.no_text")


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
    (refusal,) = check(world)
    assert (refusal.case, refusal.reason.code) == ("tampered", "stage.output_changed")
    assert "done.json" in str(refusal)


def test_all_refusals_are_reported_at_once_with_a_remedy_each(world):
    world.play(TRAINING, privacy_seed=3)
    world.play(ARM, noisy_count=1000)
    world.play(AUDIT, verdict="violated")
    Account.of(SOURCE).path.with_suffix(".jsonl").write_text("")
    expected = {"audit violated", "copies", "over the corpus' budget", "not for release", "not charged"}
    over = {"exceeded": lambda corpus: "17 of 16 spent"}
    refusals = check(world, **over)
    assert {refusal.case for refusal in refusals} == expected and all(refusal.remedy for refusal in refusals)
    with refused("release.refused", name=ARM, value=[refusal.case for refusal in refusals]) as error:
        pack.pack(Candidate(world.run, ARM), **over)
    assert [f"  {refusal}" for refusal in refusals] == str(error.value).splitlines()[1:]
    assert not world.pack.exists() and not list(world.run.glob("release/.*"))


def test_an_event_that_the_account_lacks_is_refused(world):
    journal = Account.of(SOURCE).path.with_suffix(".jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if TRAINING not in line))
    (refusal,) = check(world)
    assert (refusal.case, refusal.reason.code) == ("not charged", "privacy.event_not_charged") and TRAINING in str(
        refusal
    )
    journal.unlink()
    assert codes(world) == [("not done", "privacy.journal_missing")]


def test_an_arm_that_was_not_named_carries_everything_that_was_charged(world):
    named = certificate_of(world)["guarantee"]
    assert named["covers"] == "this arm" and named["epsilon"] == pytest.approx(8.0, rel=0.02)
    assert named["epsilon_replacing"] > 2 * named["epsilon"]
    world.play(TRAINING, for_release=False)
    world.play(ARM)
    whole = certificate_of(world)
    assert whole["guarantee"]["covers"] == "all that was charged" and whole["guarantee"]["charges"] == 5
    assert whole["guarantee"]["epsilon"] > 10 > whole["epsilon"]
    text = (world.pack / "README.md").read_text()
    assert "It was not named for release before it was made" in text and "By itself this arm spent epsilon 7.9" in text


def test_a_result_with_a_known_fault_is_refused(world, monkeypatch):
    reason = Reason("privacy.advisory_x", f"{TRAINING} was made before a fault was mended")
    monkeypatch.setattr("lib.privacy.advisories.of", lambda stage: [reason] if stage.id == TRAINING else [])
    assert codes(world) == [("known fault", "privacy.advisory_x")]


@pytest.mark.parametrize("hidden", [TRAINING, CORPUS])
def test_an_arm_that_does_not_count_what_it_read_is_refused(world, hidden):
    """An honest mistake of a notebook: of two inputs it inherits the ledger of one."""
    kept = next(name for name in (TRAINING, CORPUS) if name != hidden)
    inherited = f"inherit([folder for folder in stage.inputs.values() if folder.name == '{kept}'])"
    edit(world.project.root / "notebooks" / f"{ARM}.ipynb", "inherit(list(stage.inputs.values()))", inherited)
    world.play(ARM)
    if hidden == CORPUS:  # the training's ledger holds it
        assert codes(world) == []
    else:
        assert codes(world) == [("certificate", "privacy.ancestor_unnamed")]
        assert TRAINING in str(check(world)[0])


def test_an_ancestor_whose_event_was_left_out_is_refused(world):
    path = world.run / ARM / "privacy.json"
    statement = loads(path)
    statement["events"] = statement["events"][:1]
    write_json(path, statement | {"epsilon": ledger.from_statement(statement).epsilon})
    (reason,) = [refusal.reason for refusal in check(world) if refusal.case == "certificate"]
    assert reason.code == "privacy.event_left_out" and str(reason).startswith(TRAINING)


def test_a_training_that_counts_nothing_gets_no_pack(world):
    """Its own ledger says nothing, so the gate cannot see it; the settings in the pack show it."""
    edit(world.project.root / "notebooks" / f"{TRAINING}.ipynb", "ledger.events.append(", "print(")
    world.play(TRAINING)
    world.play(ARM)
    with refused("release.does_not_verify", name=ARM, value=["release.event_left_out"]):
        pack.pack(Candidate(world.run, ARM))
    assert not world.pack.exists()
