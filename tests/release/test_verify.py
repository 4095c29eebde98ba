"""verify needs the pack alone and fails on every single change: of the certificate, of a file, of the list of files."""

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from support import release_world
from support.errors import refused
from support.project import ROOT
from support.release_world import ARM, AUDIT, CORPUS, TRAINING, loads, rehash

from lib.common.files import sha256
from lib.privacy.ledger import from_statement, not_for_release
from lib.privacy.statement_check import problems
from lib.release import certificate, pack, verify
from lib.release.candidate import Candidate

finished, world = release_world.finished, release_world.world
PACKS = Path(__file__).with_name("packs")  # written by the version before the notebooks were renumbered
NEW = object()  # stands for a key that is added


@pytest.fixture
def packed(world, tmp_path) -> Path:
    """A pack in a folder of its own, with nothing beside it."""
    world.play(AUDIT)
    alone = tmp_path / "alone" / "pack"
    shutil.copytree(pack.pack(Candidate(world.run, ARM)), alone)
    shutil.rmtree(world.run)
    return alone


def sentences(folder: Path) -> list[str]:
    """What is wrong with a pack, as people read it."""
    return [str(reason) for reason in verify.check(folder)[1]]


def codes(folder: Path) -> list[str]:
    return [reason.code for reason in verify.check(folder)[1]]


def paths(value: object, at: tuple = ()) -> Iterator[tuple]:
    """The path of every value in a JSON tree but its root, and in every object one more path for a new key."""
    if isinstance(value, dict):
        yield (*at, NEW)
        for key, inner in value.items():
            yield (*at, key)
            yield from paths(inner, (*at, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield (*at, i)
            yield from paths(inner, (*at, i))


def other(value: object) -> object:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return ("0" if value[:1] != "0" else "1") + value[1:]
        case None:
            return 1
        case list():
            return [*value, "more"]
    return None


def mutations(whole: dict) -> Iterator[tuple[str, dict]]:
    """Each leaf changed, each key or item removed, a key added to each object."""
    for path in paths(whole):
        for change in ("added",) if path[-1] is NEW else ("changed", "removed"):
            changed = copy.deepcopy(whole)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            if change == "added":
                parent["new"] = 1
            elif change == "removed":
                del parent[path[-1]]
            else:
                parent[path[-1]] = other(parent[path[-1]])
            yield f"{change} {'/'.join(map(str, path[:-1]))}/{path[-1] if change != 'added' else 'new'}", changed


def test_a_pack_is_verified_without_anything_else_and_without_a_model_library(packed):
    command = [sys.executable, "-X", "importtime", "-m", "lib.release.verify", str(packed)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0 and "VERIFIED" in ended.stdout and "WRONG" not in ended.stdout, ended
    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "scipy" in loaded and not loaded & {"torch", "transformers", "datasets", "sklearn"}  # it takes seconds
    whole = loads(packed / certificate.NAME)
    facts = (f"{whole['epsilon']:.6f}", "40 records", "consistent", whole["sha256"])
    assert all(fact in ended.stdout for fact in facts)
    (packed / "README.md").write_text("other")
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 1 and "WRONG  README.md: " in ended.stdout


def test_every_single_change_of_the_certificate_is_seen(packed):
    whole = loads(packed / certificate.NAME)
    assert codes(packed) == []
    tried = list(mutations(whole))
    assert len(tried) > 300
    for change, changed in tried:
        (packed / certificate.NAME).write_text(certificate.text(changed))
        assert codes(packed), change


def test_every_changed_byte_of_the_certificate_is_seen(packed):
    path = packed / certificate.NAME
    written = path.read_bytes()
    for i in range(0, len(written), 97):
        for byte in (b" ", b"9"):
            if written[i : i + 1] != byte:
                path.write_bytes(written[:i] + byte + written[i + 1 :])
                assert codes(packed), written[i - 20 : i + 20]
    path.write_bytes(written + b"\n")
    assert codes(packed) == ["release.certificate_not_canonical"]
    twice = written.decode().replace('"epsilon":', '"epsilon": 0.1,\n "epsilon":', 1)  # json reads the second
    path.write_text(twice)
    assert codes(packed) == ["release.certificate_not_canonical"]
    path.write_bytes(written[:-3])
    assert codes(packed) == ["release.certificate_not_json"]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"more": 1}, "release.certificate_keys"), ({"format": "doppel release 2"}, "release.other_format")],
)
def test_a_certificate_of_another_version_is_not_read(packed, change, code):
    rehash(packed, loads(packed / certificate.NAME) | change)
    assert codes(packed) == [code]


@pytest.mark.parametrize("name", [*certificate.FILES, certificate.NAME])
def test_a_file_that_is_changed_missing_or_empty_is_seen(packed, name):
    path = packed / name
    content = path.read_bytes()
    for place in (0, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert any(name in sentence for sentence in sentences(packed)), place
    path.write_bytes(b"")
    assert any(name in sentence for sentence in sentences(packed))
    path.unlink()
    assert any(name in sentence for sentence in sentences(packed))
    expected = "release.no_certificate" if name == certificate.NAME else "release.file_missing"
    assert expected in codes(packed)


def test_a_text_with_every_line_separator_of_unicode_is_one_record(world):
    world.change_texts("synthetic", {0: "one\u2028two\u2029three\u0085four\x0bfive\x0csix\x1cseven"})
    world.play(ARM)
    assert codes(pack.pack(Candidate(world.run, ARM))) == []


@pytest.mark.parametrize("name", ["train.jsonl", ".hidden", "more/deep.txt", "privacy.json"])
def test_a_file_that_does_not_belong_there_is_seen(packed, name):
    path = packed / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert codes(packed) == ["release.file_too_many"]
    assert name in sentences(packed)[0]


def test_a_link_to_a_folder_does_not_belong_there_either(packed, tmp_path):
    (tmp_path / "private").mkdir()
    (packed / "extra").symlink_to(tmp_path / "private")
    assert codes(packed) == ["release.file_too_many"]


def test_an_empty_or_missing_folder_is_no_pack(tmp_path):
    assert codes(tmp_path) == codes(tmp_path / "absent") == ["release.no_certificate"]


def test_a_path_that_does_not_exist_is_refused_though_a_certificate_lies_beside_it(packed, capsys):
    shutil.copytree(packed, packed.parent / "another")
    for missing, hint in (
        (packed / "recrods.jsonl", "give the folder"),
        (packed.parent / "pakc", "did you mean pack?"),
    ):
        with refused("release.no_such_path", value=str(missing)) as error:
            verify._check_exists(missing)
        assert hint in error.value.remedy
        assert verify.main([str(packed), str(missing)]) == 2
        printed = capsys.readouterr()
        assert str(missing) in printed.err and hint in printed.err and printed.out == ""
    assert verify.main([str(packed / "records.jsonl")]) == 0


# what `pip install dp-accounting pyarrow` puts into an empty environment
TWO_PACKAGES = {"dp-accounting", "pyarrow", "absl-py", "attrs", "dm-tree", "mpmath", "numpy", "scipy", "wrapt"}

HIDING = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name in {absent!r}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Hide())
from lib.release.verify import main

sys.exit(main(sys.argv[1:]))
"""


def test_two_packages_are_enough_as_the_card_says_and_a_missing_one_is_named(packed):
    owners = packages_distributions()
    others = [name for name in owners if name != "lib" and not TWO_PACKAGES & set(owners[name])]
    assert {"torch", "yaml", "pandas", "huggingface_hub"} <= set(others)

    def run(*absent: str) -> subprocess.CompletedProcess:
        code = HIDING.format(absent=absent)
        return subprocess.run([sys.executable, "-c", code, str(packed)], capture_output=True, text=True, cwd=ROOT)

    ended = run(*others)
    assert ended.returncode == 0 and "VERIFIED" in ended.stdout, ended.stderr
    for absent in ("dp_accounting", "pyarrow"):
        ended = run(*others, absent)
        assert ended.returncode == 2 and f"not checked: this Python has no {absent}" in ended.stderr, ended.stderr


def with_(whole: dict, path: str, value: object) -> dict:
    """A copy of a certificate with another value at a path, ``events/0/stage``."""
    changed = copy.deepcopy(whole)
    *parents, last = path.split("/")
    parent = changed
    for key in parents:
        parent = parent[int(key) if isinstance(parent, list) else key]
    parent[int(last) if isinstance(parent, list) else last] = value
    return changed


FORGED = [
    ("epsilon", 0.5),
    ("epsilon", None),
    ("target_epsilon", 0.1),
    ("target_epsilon", 1000.0),
    ("delta", 1e-3),
    ("delta", 0.5),
    ("unit", "user"),
    ("units", 61),
    ("units", 10),
    ("neighbours", "replace one record"),
    ("accountant/method", "moments"),
    ("events", []),
    ("events/0/mechanism/scale", 50.0),
    ("events/0/sampler", "Poisson"),
    ("events/0/stage", "elsewhere"),
    ("events/0/privacy_seed", 5),
    ("events/1/mechanism/noise_multiplier", 3.0),
    ("events/1/mechanism/noise_multiplier", 1e-9),
    ("events/1/mechanism/noise_multiplier", -1.0),
    ("events/1/mechanism/sampling_probability", 0.01),
    ("events/1/mechanism/sampling_probability", 1.5),
    ("events/1/mechanism/count", 1),
    ("events/1/mechanism/count", 10**15),
    ("events/1/mechanism/count", True),
    ("events/1/mechanism", {"kind": "NonPrivate"}),
    ("events/1/checked", None),
    ("events/1/checked", False),
    ("events/1/sampler", "none: every unit takes part in every release"),
    ("public", []),
    ("ancestors", {}),
    (f"ancestors/{CORPUS}", "0" * 64),
    ("not_for_release", ["no"]),
    ("code", {}),
    (f"code/{CORPUS}/privacy", "0" * 64),
    (f"code/{CORPUS}/settings/unit", "user"),
    (f"code/{CORPUS}/settings/delta", 1e-9),
    (f"code/{CORPUS}/settings/label_histogram_scale", 7.0),
    (f"code/{TRAINING}/settings/steps", 30),
    (f"code/{TRAINING}/settings/expected_batch", 3.0),
    (f"code/{TRAINING}/settings/target_epsilon", 1.0),
    ("records", 41),
    ("files", {}),
    ("files/records.jsonl/sha256", "0" * 64),
    ("files/README.md/bytes", 1),
    ("format", "doppel release 2"),
    ("stage", "11_generate.another"),
]


@pytest.mark.parametrize(("path", "value"), FORGED, ids=[f"{path} {str(value)[:12]}" for path, value in FORGED])
def test_a_forger_who_hashes_again_is_caught_where_the_rest_of_the_pack_says_otherwise(packed, path, value):
    whole = loads(packed / certificate.NAME)
    rehash(packed, whole)
    assert codes(packed) == []
    rehash(packed, with_(whole, path, value))
    found = codes(packed)
    assert found and "release.certificate_changed" not in found


def test_a_better_epsilon_with_events_settings_and_hashes_to_match_is_given_away_by_the_card(packed):
    whole = loads(packed / certificate.NAME)
    for path, value in (
        ("events/1/mechanism/count", 1),
        (f"code/{TRAINING}/settings/steps", 1),
    ):
        whole = with_(whole, path, value)
    whole["epsilon"] = from_statement(certificate.ledger_part(whole)).epsilon
    rehash(packed, whole)
    assert codes(packed) == ["release.card_differs"]


@pytest.mark.parametrize(
    ("left", "missing"),
    [([], [CORPUS, TRAINING]), ([0], [TRAINING]), ([1], [CORPUS]), ([0, 1, 1], [TRAINING])],
)
def test_events_that_are_left_out_are_missed_though_epsilon_card_and_hashes_match(packed, left, missing):
    whole = loads(packed / certificate.NAME)
    was = certificate.guarantee(whole)
    whole["events"] = [whole["events"][i] for i in left]
    whole["epsilon"] = from_statement(certificate.ledger_part(whole)).epsilon
    card = packed / "README.md"
    card.write_text(card.read_text().replace(was, certificate.guarantee(whole)))
    whole["files"]["README.md"] = {"bytes": card.stat().st_size, "sha256": sha256(card)}
    rehash(packed, whole)
    assert codes(packed) == ["release.event_left_out"] * len(missing)
    assert all(sentence.startswith(stage) for sentence, stage in zip(sentences(packed), missing, strict=True))


EVOLUTION = "12_aug_pe.x"


@pytest.mark.parametrize(
    ("stage", "settings", "events"),
    [
        (CORPUS, {"label_histogram_scale": 10.0, "label_domain": {"mood": ["a", "b"], "title": "catalogue"}}, 1),
        (CORPUS, {"label_histogram_scale": 10.0, "label_domain": {"mood": ["a"], "title": "catalogue"}}, 0),  # it is n
        (CORPUS, {"label_histogram_scale": 10.0, "label_domain": {}}, 0),
        (CORPUS, {"label_histogram_scale": None, "label_domain": {"mood": ["a", "b"]}}, 0),  # declared public
        (TRAINING, {"target_epsilon": 8.0, "steps": 3, "expected_batch": 5.0}, 1),
        ("01_finetune_dp_lora.x", {"target_epsilon": 8.0, "steps": 3, "expected_batch": 5.0}, 1),  # its former name
        (EVOLUTION, {"target_epsilon": 8.0, "iterations": 3}, 1),
        (TRAINING, {"target_epsilon": None, "steps": 3, "expected_batch": 5.0}, 1),  # one that is not private
        (ARM, {"samples": 3}, 0),  # writes, and reads no private record
    ],
)
def test_which_settings_ask_for_an_event(stage, settings, events):
    without_events = {"units": 50, "code": {stage: {"settings": settings}}, "events": []}
    without_events["target_epsilon"] = settings.get("target_epsilon")
    reasons = certificate._left_out(stage, without_events)
    assert [reason.code for reason in reasons] == ["release.event_left_out"] * events


def test_a_stage_of_a_notebook_that_nobody_knows_is_not_taken_on_trust(packed):
    whole = loads(packed / certificate.NAME)
    for key in ("code", "ancestors"):
        whole[key]["77_unheard_of"] = whole[key][TRAINING]
    rehash(packed, whole)
    assert codes(packed) == ["release.unknown_notebook"]


@pytest.mark.parametrize("pack", sorted(PACKS.iterdir()), ids=lambda path: path.name)
def test_a_pack_of_an_earlier_version_still_verifies_and_a_change_of_it_is_seen(pack, tmp_path):
    assert codes(pack) == []
    copy = shutil.copytree(pack, tmp_path / "copy")
    whole = loads(copy / certificate.NAME)
    whole["events"][1]["mechanism"]["count"] += 1
    rehash(copy, whole)
    assert "release.event_not_as_set" in codes(copy)


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
    assert any("elsewhere" in sentence for sentence in sentences(packed))


@pytest.mark.parametrize(
    ("event", "figure", "value"),
    [
        (1, "noise_multiplier", 1e-9),
        (1, "noise_multiplier", -1.0),
        (1, "sampling_probability", 1.5),
        (1, "count", True),
        (1, "count", 10**15),
        (0, "scale", 1e-9),
        (0, "sensitivity", 0),
    ],
)
def test_figures_that_no_mechanism_has_are_not_given_to_the_accountant(packed, event, figure, value):
    whole = loads(packed / certificate.NAME)
    whole["events"][event]["mechanism"][figure] = value
    wrong = [reason.code for reason in problems(certificate.ledger_part(whole))]
    assert wrong.count("privacy.impossible_mechanism") == 1
    assert not any(code.startswith("privacy.epsilon") for code in wrong)  # it was not recomputed


def test_files_that_do_not_hold_the_same_records_are_seen_though_hashed_again(packed):
    path = packed / "records.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], json.dumps(json.loads(lines[-1]) | {"text": "another"})]) + "\n")
    whole = loads(packed / certificate.NAME)
    whole["files"]["records.jsonl"] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    rehash(packed, whole)
    assert codes(packed) == ["release.records_differ"]


def test_a_figure_is_rounded_up_never_down():
    assert certificate.rounded_up(7.9999911, 6) == "8"
    assert certificate.rounded_up(7.99991, 3) == "8"
    assert certificate.rounded_up(1.23401, 4) == "1.235"
    assert certificate.rounded_up(4.3001e-05, 2) == "4.4e-05"
    assert certificate.rounded_up(0.25, 2) == "0.25"


def test_an_arm_whose_target_and_event_are_gone_together_is_not_free(packed):
    whole = loads(packed / certificate.NAME)
    was = certificate.guarantee(whole)
    whole["code"][TRAINING]["settings"]["target_epsilon"] = whole["target_epsilon"] = None
    whole["events"] = [event for event in whole["events"] if event["stage"] != TRAINING]
    whole["epsilon"] = from_statement(certificate.ledger_part(whole)).epsilon
    card = packed / "README.md"
    card.write_text(card.read_text().replace(was, certificate.guarantee(whole)))
    whole["files"]["README.md"] = {"bytes": card.stat().st_size, "sha256": sha256(card)}
    rehash(packed, whole)
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


def test_batches_were_checked_or_they_were_not(packed):
    whole = loads(packed / certificate.NAME)
    rehash(packed, with_(whole, "events/1/checked", "yes"))
    assert "privacy.poisson_unchecked" in codes(packed)
