"""verify needs the pack alone and fails on every single change: of the certificate, of a file, of the list of files."""

import copy
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from support.errors import refused
from support.project import ROOT
from support.release_world import ARM, CORPUS, TRAINING, codes, forge, loads, rehash, with_

from lib.privacy.accounting import Gaussian
from lib.privacy.disclosure import declared_public
from lib.privacy.ledger import Event, Ledger
from lib.privacy.statement_check import problems
from lib.release import certificate, pack, verify
from lib.release.candidate import Candidate
from lib.release.kinds import TEXTS

PACKS = Path(__file__).with_name("packs")  # written by the version before the notebooks were renumbered
NEW = object()  # stands for a key that is added


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
    facts = (f"{whole['epsilon']:.6f}", "40 records", "audit, as reported: run", whole["sha256"])
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


def test_a_text_with_every_line_separator_of_unicode_is_one_record(world):
    world.change_texts("synthetic", {0: "one\u2028two\u2029three\u0085four\x0bfive\x0csix\x1cseven"})
    world.play(ARM)
    assert codes(pack.pack(Candidate(world.run, ARM))) == []


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


# what `pip install dp-accounting pyarrow regex` puts into an empty environment
THREE_PACKAGES = {
    "dp-accounting",
    "pyarrow",
    "regex",
    "absl-py",
    "attrs",
    "dm-tree",
    "mpmath",
    "numpy",
    "scipy",
    "wrapt",
}

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


def test_three_packages_are_enough_as_the_card_says_and_a_missing_one_is_named(packed):
    owners = packages_distributions()
    others = [name for name in owners if name != "lib" and not THREE_PACKAGES & set(owners[name])]
    assert {"torch", "yaml", "pandas", "huggingface_hub"} <= set(others)

    def run(*absent: str) -> subprocess.CompletedProcess:
        code = HIDING.format(absent=absent)
        return subprocess.run([sys.executable, "-c", code, str(packed)], capture_output=True, text=True, cwd=ROOT)

    ended = run(*others)
    assert ended.returncode == 0 and "VERIFIED" in ended.stdout, ended.stderr
    for absent in ("dp_accounting", "pyarrow", "regex"):
        ended = run(*others, absent)
        assert ended.returncode == 2 and f"not checked: this Python has no {absent}" in ended.stderr, ended.stderr


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
    ("format", "doppel release 9"),
    ("format", "doppel release 1"),
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


def test_a_warm_start_names_the_stage_that_wrote_its_texts_from_labels_alone(packed):
    whole = loads(packed / certificate.NAME)
    rehash(packed, with_(whole, f"code/{TRAINING}/settings/warm_steps", 5))
    assert "release.warm_start_left_out" in codes(packed)
    floor = {**whole["code"][whole["stage"]], "privacy": "0" * 64}
    floor["settings"] = {**floor["settings"], "base_model": "hub:a/b", "inputs": {"corpus": CORPUS}}
    whole["code"]["11_generate.base"], whole["ancestors"]["11_generate.base"] = floor, "0" * 64
    rehash(packed, with_(whole, f"code/{TRAINING}/settings/warm_steps", 5))
    assert "release.warm_start_left_out" in codes(packed)  # it is there, and no input
    whole = with_(whole, f"code/{TRAINING}/settings/inputs", {"corpus": CORPUS, "warm": "11_generate.base"})
    rehash(packed, whole)
    assert "release.warm_start_left_out" in codes(packed)  # without steps
    whole = with_(whole, f"code/{TRAINING}/settings/warm_steps", 5)
    rehash(packed, whole)
    assert "release.warm_start_left_out" not in codes(packed)
    rehash(packed, with_(whole, f"code/{TRAINING}/settings/warm_source", "public:csv"))  # two origins
    assert "release.warm_start_left_out" in codes(packed)
    tuned = {"corpus": CORPUS, "model": TRAINING}
    rehash(packed, with_(whole, "code/11_generate.base/settings/inputs", tuned))
    assert "release.warm_start_left_out" in codes(packed)


def test_a_source_that_was_declared_public_is_a_public_fact_and_not_the_corpus(packed):
    whole = loads(packed / certificate.NAME)
    settings = f"code/{TRAINING}/settings"
    whole = with_(with_(whole, f"{settings}/warm_steps", 5), f"{settings}/warm_source", "public:csv")
    forge(packed, whole)
    assert codes(packed) == ["release.not_public"]
    whole["public"] = [*whole["public"], declared_public("warm_source", "public:csv:/home/somebody/tweets.csv")]
    forge(packed, whole)
    assert codes(packed) == [] and "declared" in (packed / "README.md").read_text()
    for source, wrong in (
        ("csv", "release.malformed"),
        ("public:csv:a b", "release.malformed"),
        ("public:jsonl", "release.not_public"),
    ):
        rehash(packed, with_(loads(packed / certificate.NAME), f"{settings}/warm_source", source))
        assert wrong in codes(packed), source
        forge(packed, whole)
    whole["public"][-1] = declared_public("warm_source", "public:movie-snippets")
    for own, wrong in (("amazon-snippets", False), ("movie-snippets", True), ("rotten-tomatoes", True)):
        changed = with_(whole, f"{settings}/warm_source", "public:movie-snippets")
        rehash(packed, with_(changed, f"code/{CORPUS}/settings/source", own))
        assert ("release.public_source_is_corpus" in codes(packed)) is wrong


def test_texts_that_topics_were_made_from_are_a_public_fact_and_not_the_corpus(packed):
    whole, settings = loads(packed / certificate.NAME), f"code/{CORPUS}/settings"
    whole = with_(with_(whole, f"{settings}/topics", 4), f"{settings}/topic_texts", "public:movie-snippets")
    forge(packed, whole)
    assert codes(packed) == ["release.not_public"]
    whole["public"] = [*whole["public"], declared_public("topic_texts", "public:movie-snippets")]
    forge(packed, whole)
    assert codes(packed) == []
    rehash(packed, with_(whole, f"{settings}/source", "rotten-tomatoes"))
    assert "release.public_source_is_corpus" in codes(packed)


def stage_with(folder: Path, **changes) -> Path:
    """A stage's folder with a statement that is changed after it was computed."""
    events = [Event("10_finetune_dp_lora.eps8", "DP-SGD", Gaussian(0.9, 0.1, 12), checked=True)]
    ledger = Ledger("record", 2000, events=events, ancestors={CORPUS: "0" * 64})
    folder.mkdir(exist_ok=True)
    (folder / "privacy.json").write_text(json.dumps(ledger.statement("10_finetune_dp_lora.eps8") | changes))
    return folder


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"delta": float("nan")}, "privacy.statement_malformed"),
        ({"units": 1, "delta": 0.999}, "privacy.statement_malformed"),
        ({"units": 1000.5}, "privacy.statement_malformed"),
        ({"units": True}, "privacy.statement_malformed"),
        ({"epsilon": float("nan")}, "privacy.statement_malformed"),
        ({"events": [], "epsilon": 0.0}, "release.event_left_out"),
        ({"ancestors": {}}, "release.no_corpus_named"),
        ({"stage": "11_generate.eps8"}, "release.event_of_another"),
    ],
)
def test_a_stage_whose_statement_makes_no_sense_or_lacks_its_event_is_not_verified(tmp_path, changes, code):
    assert codes(stage_with(tmp_path / "stage")) == []
    assert code in codes(stage_with(tmp_path / "stage", **changes))


def test_no_string_of_a_pack_can_print_a_line_of_its_own_or_steer_the_terminal(tmp_path, capsys):
    evil = "quick\n  VERIFIED: all\r\x1b[8m\u202e\u2066\u200b"
    for changes in ({"stage": evil}, {"neighbours": evil}, {evil: 1, "unit": evil}, {"not_for_release": [evil]}):
        assert verify.main([str(stage_with(tmp_path / "stage", **changes))]) == 1
    assert verify.main([str(tmp_path / evil)]) == 2
    printed = "".join(capsys.readouterr())
    assert not any(line.startswith("  VERIFIED") for line in printed.splitlines())
    assert not set(printed) & set("\r\x1b\u202e\u2066\u200b")
    stage_with(tmp_path / "stage", stage="VERIFIED")  # a name that may be, behind a word of verify's own
    assert verify.main([str(tmp_path / "stage")]) == 1
    assert not any(line.lstrip().startswith("VERIFIED") for line in capsys.readouterr().out.splitlines())


def test_the_verdict_says_what_was_shown_and_what_was_not(packed_once, tmp_path, capsys):
    assert verify.main([str(packed_once)]) == 0
    printed = capsys.readouterr().out
    assert (
        "VERIFIED: epsilon follows from the events that the holder reports" in printed and "every claim" not in printed
    )
    assert "not shown: that events and audit took place as reported" in printed
    assert verify.main([str(stage_with(tmp_path / "stage"))]) == 0
    assert "not shown: that the events took place as reported" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*TEXTS.files, certificate.NAME])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "huge"])
def test_a_file_that_is_none_or_that_never_ends_is_not_read(packed, name, kind):
    path = packed / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(2**40)  # a hole, which takes no space
    start = time.process_time()
    assert codes(packed)
    assert time.process_time() - start < 5


def test_a_costly_claim_is_refused_in_bounded_time_and_memory(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verify, "SECONDS", 2)
    for kind, figures in (
        ("DiscreteGaussian", {"scale": 1e9, "sensitivity": 1, "count": 1}),
        ("DiscreteGaussian", {"scale": 1.0, "sensitivity": 10**7, "count": 10**7}),
        ("Gaussian", {"noise_multiplier": 0.5, "sampling_probability": 0.5, "count": 10**7}),
        ("Gaussian", {"noise_multiplier": 0.3, "sampling_probability": 0.001, "count": 1000}),
        ("Gaussian", {"noise_multiplier": 1.0, "sampling_probability": 1e-300, "count": 1}),
    ):
        event = {"stage": CORPUS, "what": "counts", "privacy_seed": None, "checked": True}
        event["mechanism"] = {"kind": kind, **figures}
        folder = stage_with(tmp_path / "stage", stage=CORPUS, events=[event])
        assert verify.main([str(folder)]) == 1
        assert "WRONG" in capsys.readouterr().out


@pytest.mark.parametrize("pack", sorted(PACKS.iterdir()), ids=lambda path: path.name)
def test_a_pack_of_an_earlier_version_still_verifies_and_a_change_of_it_is_seen(pack, tmp_path):
    assert codes(pack) == []
    copy = shutil.copytree(pack, tmp_path / "copy")
    whole = loads(copy / certificate.NAME)
    whole["events"][1]["mechanism"]["count"] += 1
    rehash(copy, whole)
    assert "release.event_not_as_set" in codes(copy)


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
