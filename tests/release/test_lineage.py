"""A pack of a hybrid arm: verified from itself alone, and forged ones are refused, whichever stage they lie about."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import release_world
from support.release_world import ARM, CORPUS, DETECTOR, HYBRID, SCRUB, TRAINING, World, forge, loads

from lib.common.files import read_json
from lib.privacy import copy_count
from lib.privacy.ledger import from_statement
from lib.release import certificate, gate, lineage, pack, verify
from lib.release.candidate import Candidate


@pytest.fixture(scope="module")
def hybrid_once(finished, tmp_path_factory) -> Path:
    """The project with an arm that was selected from texts of a training that left it room."""
    root = tmp_path_factory.mktemp("hybrid") / "project"
    with release_world.copied(finished, root) as world:
        release_world.build_hybrid(world.project)
        world.play(TRAINING, reserve=0.05)
        world.play(ARM, HYBRID)
    return root


@pytest.fixture
def hybrid_world(hybrid_once, tmp_path) -> Iterator[World]:
    with release_world.copied(hybrid_once, tmp_path / "project") as world:
        yield world


@pytest.fixture
def hybrid(hybrid_world) -> Candidate:
    return Candidate(hybrid_world.run, HYBRID)


@pytest.fixture(scope="module")
def hybrid_pack(hybrid_once, tmp_path_factory) -> Path:
    """Its pack, which no test changes."""
    folder = tmp_path_factory.mktemp("hybrid-pack")
    with release_world.copied(hybrid_once, folder / "project") as world:
        return release_world.packed(world, folder / "alone" / "pack", HYBRID)


@pytest.fixture
def packed(hybrid_pack, tmp_path) -> Path:
    """A copy of the pack, in a folder of its own."""
    return shutil.copytree(hybrid_pack, tmp_path / "alone" / "pack")


def codes(folder: Path) -> list[str]:
    return [reason.code for reason in verify.check(folder)[1]]


def event_of(whole: dict, stage: str, what: str) -> dict:
    return next(event for event in whole["events"] if event["stage"] == stage and event["what"] == what)


def test_a_hybrid_is_packed_and_verified_with_every_event_of_the_arms_behind_it(hybrid, packed):
    statement = read_json(hybrid.folder / "privacy.json")
    assert 0.98 * 8 <= statement["epsilon"] <= 8
    expected = [(CORPUS, "label histogram"), (TRAINING, "training"), (ARM, copy_count.WHAT)]
    expected += [(HYBRID, "votes"), (HYBRID, copy_count.WHAT)]
    assert [(event["stage"], event["what"]) for event in statement["events"]] == expected
    assert verify.check(hybrid.folder)[1] == [] and codes(packed) == []
    whole, card = loads(packed / certificate.NAME), (packed / "README.md").read_text()
    assert whole["records"] == 20 and whole["target_epsilon"] == 8
    assert whole["code"][HYBRID]["settings"]["encoder"] == "withheld"
    assert f"candidates are texts of `{ARM}`" in card and "clipped to norm 1" in card  # how those were made, too
    assert lineage.made_from(HYBRID, whole) == [HYBRID, CORPUS, ARM, TRAINING]
    assert read_json(hybrid.run / ARM / "privacy.json")["epsilon"] <= 0.95 * 8
    assert codes(pack.pack(Candidate(hybrid.run, ARM))) == []  # the arm that left room is released as well


def test_the_gate_reads_the_count_of_the_hybrid_and_not_that_of_its_candidates(hybrid, hybrid_world):
    assert gate.check(hybrid) == []
    limit = copy_count.limit(hybrid.ledger.mechanisms[-1].scale)
    hybrid_world.play(HYBRID, noisy_count=limit + 1)
    assert [refusal.reason.code for refusal in gate.check(Candidate(hybrid_world.run, HYBRID))] == ["release.copies"]


def without(changed: dict, *stages: str) -> None:
    """Leave stages out of a certificate, and set the target to what the other events compose to."""
    for stage in stages:
        del changed["code"][stage], changed["ancestors"][stage]
    left = changed["code"].keys()
    changed["events"] = [e for e in changed["events"] if e["stage"] in left]
    if ARM in left:  # without a training, nobody asks for the count
        changed["events"].remove(event_of(changed, ARM, copy_count.WHAT))
    spent = from_statement(certificate.ledger_part(changed)).epsilon
    changed["target_epsilon"] = changed["code"][HYBRID]["settings"]["target_epsilon"] = spent


def lie(whole: dict, about: str) -> dict:
    """A certificate in which one thing is better than it was."""
    changed = copy.deepcopy(whole)
    settings = {stage: changed["code"][stage]["settings"] for stage in changed["code"]}
    match about:
        case "more noise in the votes":
            event_of(changed, HYBRID, "votes")["mechanism"]["noise_multiplier"] *= 2
        case "more noise in training":
            event_of(changed, TRAINING, "training")["mechanism"]["noise_multiplier"] *= 1.2
        case "no votes":
            changed["events"].remove(event_of(changed, HYBRID, "votes"))
        case "no count of the candidates":
            changed["events"].remove(event_of(changed, ARM, copy_count.WHAT))
        case "fewer votes":
            settings[HYBRID]["votes"] = 2
        case "no reserve":
            settings[TRAINING]["reserve"] = 0.0
        case "another target":
            settings[HYBRID]["target_epsilon"] = 4.0
        case "candidates that saw nothing":  # training and its count are left out everywhere
            settings[HYBRID]["inputs"] = {"corpus": CORPUS}
        case "an input that is not named":
            settings[HYBRID]["inputs"] |= {"more": "11_generate.more"}
        case "candidates of no training":  # which is left out everywhere; the target fits the votes
            settings[ARM]["inputs"] = {"corpus": CORPUS}
            without(changed, TRAINING)
        case "no candidates at all":
            settings[HYBRID]["inputs"] = {"corpus": CORPUS}
            without(changed, TRAINING, ARM)
        case "no candidates, in the former format":
            changed |= {"format": certificate.FORMER, "gate": []}
            changed["audit"] = {"verdict": None, "ceiling": None, "because": "none"}
            for key in certificate.NEW_KEYS:
                del changed[key]
        case "a warm start of nothing":
            settings[TRAINING]["warm_steps"] = 5
        case "an arm behind it that was not named":
            settings[TRAINING]["for_release"] = False
    return changed


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ("more noise in the votes", "release.noise_not_calibrated"),
        ("more noise in training", "release.noise_not_calibrated"),
        ("no votes", "release.event_left_out"),
        ("no count of the candidates", "release.event_left_out"),
        ("fewer votes", "release.event_not_as_set"),
        ("no reserve", "release.noise_not_calibrated"),
        ("another target", "release.target_not_as_set"),
        ("candidates that saw nothing", "release.ancestor_of_nothing"),
        ("an input that is not named", "release.ancestor_left_out"),
        ("candidates of no training", "release.ancestor_left_out"),
        ("no candidates at all", "release.ancestor_left_out"),
        ("no candidates, in the former format", "release.ancestor_left_out"),
        ("a warm start of nothing", "release.warm_start_left_out"),
        ("an arm behind it that was not named", "release.not_named"),
    ],
)
def test_a_forged_hybrid_is_refused(packed, about, code):
    whole = loads(packed / certificate.NAME)
    changed = lie(whole, about)
    if about == "an input that is not named":
        with pytest.raises(KeyError):  # no card can be written about it
            forge(packed, changed)
        release_world.rehash(packed, changed)
    else:
        forge(packed, changed)
    assert code in codes(packed)


def test_a_stage_that_leaves_an_event_out_is_seen(hybrid):
    path = hybrid.folder / "privacy.json"
    statement = read_json(path)
    statement["events"] = [event for event in statement["events"] if event["stage"] != TRAINING]
    release_world.write_json(path, statement)
    assert "privacy.event_left_out" in codes(hybrid.folder)


@pytest.fixture
def scrubbed(world) -> Candidate:
    """An arm whose training read scrubbed records: one of them names a person, and the arm copies what is left."""
    release_world.build_scrubbed(world.project)
    world.change_texts("train", {5: "mister quillfeather said that his left knee will never be the same again"})
    world.play(CORPUS, SCRUB)
    world.play(TRAINING, inputs={"corpus": SCRUB})
    world.play(ARM, inputs={"corpus": SCRUB, "model": TRAINING})
    return Candidate(world.run, ARM)


def test_an_arm_of_scrubbed_records_is_packed_with_the_scrubber_on_certificate_and_card(scrubbed, tmp_path):
    assert gate.check(scrubbed) == []
    assert scrubbed.corpus.id == CORPUS  # whose account it is
    folder = tmp_path / "alone" / "pack"
    shutil.copytree(pack.pack(scrubbed), folder)
    assert verify.check(folder)[1] == [] and verify.check(scrubbed.run / SCRUB)[1] == []
    whole, written = loads(folder / certificate.NAME), (folder / "README.md").read_text()
    assert list(whole["ancestors"]) and set(whole["ancestors"]) == {CORPUS, SCRUB, TRAINING}
    assert [event["stage"] for event in whole["events"]] == [CORPUS, TRAINING, ARM]  # scrubbing costs nothing
    assert whole["code"][SCRUB]["settings"]["detectors"] == ["rules"]
    assert "public detectors (`rules`)" in written and "the guarantee does not rest on it" in written


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ("not public", "release.not_public"),
        ("other detectors", "release.not_public"),
        ("a detector of nowhere", "release.not_public"),
        ("no scrubbing", "release.ancestor_of_nothing"),
        ("no corpus", "release.ancestor_of_nothing"),
        ("a mode that there is not", "release.scrub_mode"),
        ("a mode that is none", "release.malformed"),
    ],
)
def test_a_pack_that_lies_about_scrubbing_is_refused(scrubbed, tmp_path, about, code):
    folder = tmp_path / "alone" / "pack"
    shutil.copytree(pack.pack(scrubbed), folder)
    changed = loads(folder / certificate.NAME)
    settings = {stage: changed["code"][stage]["settings"] for stage in changed["code"]}
    match about:
        case "not public":
            changed["public"] = [fact for fact in changed["public"] if "detectors" not in fact]
        case "other detectors":
            settings[SCRUB]["detectors"] = ["rules", "spacy"]
        case "a detector of nowhere":
            settings[SCRUB]["detectors"] = ["rules", "trained"]
        case "no scrubbing":
            for stage in (TRAINING, ARM):
                settings[stage]["inputs"] |= {"corpus": CORPUS}
        case "no corpus":
            settings[SCRUB]["inputs"] = {}
        case "a mode that there is not":
            settings[SCRUB]["mode"] = "nothing"
        case "a mode that is none":
            settings[SCRUB]["mode"] = ["slots"]
    if about != "a mode that is none":
        forge(folder, changed)
    else:
        release_world.rehash(folder, changed)
    assert code in codes(folder)


@pytest.mark.parametrize(
    "leak",
    [
        "so mister quillfeather said that his left knee will never be the same again",  # the original
        "so mister [LASTNAME] said that his left knee will never be the same again",  # what the arm saw
    ],
)
def test_copies_of_original_and_of_scrubbed_records_are_shown(scrubbed, world, leak):
    assert gate.copies(scrubbed, {"synthetic.jsonl": scrubbed.texts}) == []
    world.change_texts("synthetic", {9: leak})
    world.play(ARM, inputs={"corpus": SCRUB, "model": TRAINING})
    again = Candidate(world.run, ARM)
    (refusal,) = gate.copies(again, {"synthetic.jsonl": again.texts})
    assert refusal.reason.code == "release.private_text"


def test_a_trained_detector_is_an_ancestor_and_nothing_can_be_left_out(scrubbed, world, tmp_path):
    world.play(DETECTOR)
    world.play(SCRUB, inputs={"corpus": CORPUS, "detector": DETECTOR}, detectors=["rules", "trained"])
    world.play(TRAINING, inputs={"corpus": SCRUB})
    world.play(ARM, inputs={"corpus": SCRUB, "model": TRAINING})
    folder = tmp_path / "alone" / "pack"
    shutil.copytree(pack.pack(Candidate(world.run, ARM)), folder)
    assert codes(folder) == [] and verify.check(world.run / SCRUB)[1] == []
    assert f"(`rules`, `trained` of `{DETECTOR}`)" in (folder / "README.md").read_text()
    whole = loads(folder / certificate.NAME)
    assert set(whole["ancestors"]) == {CORPUS, SCRUB, TRAINING, DETECTOR}
    alone = copy.deepcopy(whole)
    del alone["code"][SCRUB]["settings"]["inputs"]["detector"]
    forge(folder, alone)
    assert {"release.not_public", "release.detector_left_out", "release.ancestor_of_nothing"} <= set(codes(folder))
    del whole["ancestors"][DETECTOR], whole["code"][DETECTOR]
    forge(folder, whole)
    assert "release.ancestor_left_out" in codes(folder)
