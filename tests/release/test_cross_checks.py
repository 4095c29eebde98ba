"""Forgers who hash again: each claim follows from the other parts of its pack, or is found out."""

import json
import shutil
from pathlib import Path

import pytest
from support.release_world import ARM, CORPUS, TRAINING, codes, forge, loads, rehash, with_

from lib.common.files import sha256
from lib.privacy.ledger import from_statement, not_for_release
from lib.release import certificate, cross_checks, verify

PACKS = Path(__file__).with_name("packs")  # written by the version before the notebooks were renumbered
EVOLUTION = "12_aug_pe.x"


def test_a_better_epsilon_with_events_settings_card_and_hashes_to_match_is_given_away_by_the_noise(packed):
    """It takes less noise to reach the target with fewer steps: what is stated is not what calibration gives."""
    whole = with_(loads(packed / certificate.NAME), "events/1/mechanism/count", 1)
    forge(packed, with_(whole, f"code/{TRAINING}/settings/steps", 1))
    assert codes(packed) == ["release.noise_not_calibrated"]


def test_noise_that_the_target_does_not_ask_for_is_seen_though_all_else_follows_from_it(packed):
    whole = loads(packed / certificate.NAME)
    noise = whole["events"][1]["mechanism"]["noise_multiplier"]
    for factor, found in ((1.0, []), (1.01, ["release.noise_not_calibrated"]), (50, ["release.noise_not_calibrated"])):
        forge(packed, with_(whole, "events/1/mechanism/noise_multiplier", noise * factor))
        assert codes(packed) == found, factor


@pytest.mark.parametrize(
    ("left", "missing"),
    [
        ([], [CORPUS, TRAINING, ARM]),
        ([0, 2], [TRAINING]),
        ([1, 2], [CORPUS]),
        ([0, 1, 1, 2], [TRAINING]),
        ([0, 1], [ARM]),
        ([0, 1, 2, 2], [ARM]),
    ],
)
def test_events_that_are_left_out_are_missed_though_epsilon_card_and_hashes_match(packed, left, missing):
    whole = loads(packed / certificate.NAME)
    forge(packed, whole | {"events": [whole["events"][i] for i in left]})
    missed = [reason for reason in verify.check(packed)[1] if reason.code == "release.event_left_out"]
    assert [reason.sentence.partition(":")[0] for reason in missed] == missing
    assert "release.card_differs" not in codes(packed)


@pytest.mark.parametrize("left", [(), ("steps", "expected_batch")], ids=["all settings", "all but two"])
def test_an_event_and_the_settings_that_ask_for_it_cannot_go_together(packed, left):
    whole = loads(packed / certificate.NAME)
    settings = whole["code"][TRAINING]["settings"]
    whole["code"][TRAINING]["settings"] = {name: settings[name] for name in left}
    rehash(packed, whole | {"events": whole["events"][:1]})
    assert codes(packed) == ["release.malformed"]


def test_a_false_card_is_seen_even_if_the_true_line_stands_in_it(packed):
    whole = loads(packed / certificate.NAME)
    path, guarantee = packed / "README.md", certificate.guarantee(whole)
    written = path.read_text()
    for false in (
        written.replace(f"**{guarantee}.**", f"**epsilon 0.1.**\n\n<!-- {guarantee} -->"),
        written + "\nNobody needs to check this pack.\n",
        written.replace("Gaussian", "perfect"),
    ):
        path.write_text(false)
        whole["files"]["README.md"] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
        rehash(packed, whole)
        assert codes(packed) == ["release.card_differs"]


@pytest.mark.parametrize("name", ["aug-pe", "dp-lora"])
def test_a_false_card_of_the_former_format_is_seen_by_its_figures_and_its_markup(name, tmp_path):
    folder = shutil.copytree(PACKS / name, tmp_path / "copy")
    whole, path = loads(folder / certificate.NAME), folder / "README.md"
    written, guarantee = path.read_text(), certificate.guarantee(whole)
    for old, new in (
        (f"**{guarantee}.**", f"**epsilon 0.1.**\n\n<!-- {guarantee} -->"),
        (f"**{guarantee}.**", f"**{guarantee}.**\n\n**epsilon 0.1.**"),
        ("(epsilon 8,", "(epsilon 0.8,"),
        ("factor of e^8", "factor of e^0.1"),
    ):
        assert old in written
        path.write_text(written.replace(old, new))
        whole["files"]["README.md"] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
        rehash(folder, whole)
        assert set(codes(folder)) <= {"release.card_differs", "release.card_markup"} and codes(folder)


@pytest.mark.parametrize(
    ("stage", "settings", "events"),
    [
        (CORPUS, {"label_histogram_scale": 10.0, "label_domain": {"mood": ["a", "b"], "title": "catalogue"}}, 1),
        (CORPUS, {"label_histogram_scale": 10.0, "label_domain": {"mood": ["a"], "title": "catalogue"}}, 0),  # it is n
        (CORPUS, {"label_histogram_scale": 10.0, "label_domain": {}}, 0),
        (CORPUS, {"label_histogram_scale": 10.0, "label_domain": {}, "topics": 4}, 1),
        (CORPUS, {"label_histogram_scale": None, "label_domain": {"mood": ["a", "b"]}}, 0),  # declared public
        (TRAINING, {"target_epsilon": 8.0, "steps": 3, "expected_batch": 5.0}, 1),
        ("01_finetune_dp_lora.x", {"target_epsilon": 8.0, "steps": 3, "expected_batch": 5.0}, 1),  # its former name
        (EVOLUTION, {"target_epsilon": 8.0, "iterations": 3}, 1),
        (EVOLUTION, {"target_epsilon": 8.0, "iterations": 3, "copy_share": 0.2}, 2),
        (TRAINING, {"target_epsilon": None, "steps": 3, "expected_batch": 5.0}, 1),  # one that is not private
        (ARM, {"samples": 3}, 0),  # writes, and reads no private record
    ],
)
def test_which_settings_ask_for_an_event(stage, settings, events):
    without_events = {"units": 50, "code": {stage: {"settings": settings}}, "events": [], "stage": stage}
    without_events |= {"delta": 1e-3, "ancestors": {}, "format": certificate.FORMAT}
    without_events["target_epsilon"] = settings.get("target_epsilon")
    reasons = cross_checks._left_out(stage, without_events)
    assert [reason.code for reason in reasons] == ["release.event_left_out"] * events


def test_a_stage_of_a_notebook_that_nobody_knows_is_not_taken_on_trust(packed):
    whole = loads(packed / certificate.NAME)
    for key in ("code", "ancestors"):
        whole[key]["77_unheard_of"] = whole[key][TRAINING]
    rehash(packed, whole)
    assert codes(packed) == ["release.ancestor_of_nothing", "release.unknown_notebook"]


@pytest.mark.parametrize("change", [{"privacy_seed": 5}, {"checked": False}])
def test_what_is_not_for_release_is_refused_even_if_the_certificate_admits_it(packed, change):
    whole = loads(packed / certificate.NAME)
    whole["events"][1] |= change
    reasons = not_for_release(from_statement(certificate.ledger_part(whole)).events)
    whole["not_for_release"] = list(map(str, reasons))
    rehash(packed, whole)
    assert "release.not_for_release" in codes(packed)


def test_an_event_of_a_stage_that_the_pack_does_not_know_is_named(packed):
    whole = loads(packed / certificate.NAME)
    rehash(packed, with_(whole, "events/0/stage", "elsewhere"))
    assert "release.event_of_another" in codes(packed)
    assert any("elsewhere" in str(reason) for reason in verify.check(packed)[1])


def test_files_that_do_not_hold_the_same_records_are_seen_though_hashed_again(packed):
    path = packed / "records.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], json.dumps(json.loads(lines[-1]) | {"text": "another"})]) + "\n")
    whole = loads(packed / certificate.NAME)
    whole["files"]["records.jsonl"] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    rehash(packed, whole)
    assert codes(packed) == ["release.records_differ", "release.card_differs"]


def test_an_arm_whose_target_and_event_are_gone_together_is_not_free(packed):
    whole = loads(packed / certificate.NAME)
    whole["code"][TRAINING]["settings"]["target_epsilon"] = whole["target_epsilon"] = None
    whole["events"] = [event for event in whole["events"] if event["stage"] == CORPUS]
    forge(packed, whole)
    assert codes(packed) == ["release.event_left_out"]


def test_a_corpus_stage_is_no_arm_and_a_training_is_not_left_out_of_the_ancestors(packed):
    whole = loads(packed / certificate.NAME)
    rehash(packed, with_(whole, "stage", CORPUS))
    assert "release.no_arm" in codes(packed)
    for part in ("ancestors", "code"):
        del whole[part][TRAINING]
    whole["events"] = [event for event in whole["events"] if event["stage"] != TRAINING]
    rehash(packed, whole)
    assert "release.ancestor_left_out" in codes(packed)
