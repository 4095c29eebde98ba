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
from support import release_world
from support.errors import refused
from support.project import ROOT
from support.release_world import ARM, AUDIT, CORPUS, TRAINING, forge, loads, rehash

from lib.common.files import sha256
from lib.privacy.accounting import Gaussian
from lib.privacy.disclosure import declared_public
from lib.privacy.ledger import Event, Ledger, from_statement, not_for_release
from lib.privacy.statement_check import problems
from lib.release import certificate, cross_checks, pack, verify
from lib.release.candidate import Candidate
from lib.release.certificate_shape import malformed
from lib.release.kinds import TEXTS

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


@pytest.fixture(scope="session")
def packed_once(finished, tmp_path_factory) -> Path:
    """A pack that no test changes."""
    root = tmp_path_factory.mktemp("packed") / "project"
    shutil.copytree(finished, root, symlinks=True)
    return release_world.packed(root)


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


@pytest.mark.parametrize(
    ("change", "code"),
    [({"more": 1}, "release.certificate_keys"), ({"format": "doppel release 9"}, "release.other_format")],
)
def test_a_certificate_of_another_version_is_not_read(packed, change, code):
    rehash(packed, loads(packed / certificate.NAME) | change)
    assert codes(packed) == [code]


@pytest.mark.parametrize("name", [*TEXTS.files, certificate.NAME])
def test_a_file_that_is_changed_missing_or_empty_is_seen(packed, name):
    path = packed / name
    content = path.read_bytes()
    for place in (0, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        said = sentences(packed)  # of a certificate with a value that makes no sense, the value is named
        assert said and (name == certificate.NAME or any(name in sentence for sentence in said)), place
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


def test_a_better_epsilon_with_events_settings_card_and_hashes_to_match_is_given_away_by_the_noise(packed):
    """It takes less noise to reach the target with fewer steps: what is stated is not what calibration gives."""
    whole = with_(loads(packed / certificate.NAME), "events/1/mechanism/count", 1)
    forge(packed, with_(whole, f"code/{TRAINING}/settings/steps", 1))
    assert codes(packed) == ["release.noise_not_calibrated"]


def test_a_guarantee_that_does_not_follow_from_what_it_composes_is_seen(packed):
    whole = loads(packed / certificate.NAME)
    noise = whole["guarantee"]["mechanisms"][0]
    for path, value, found in (
        ("epsilon", 1.0, "release.guarantee_wrong"),
        ("epsilon_replacing", 1.0, "release.guarantee_wrong"),
        ("mechanisms", whole["guarantee"]["mechanisms"][1:], "release.guarantee_of_others"),
        ("mechanisms", [noise | {"kind": "Trust"}], "release.guarantee_unreadable"),
        ("mechanisms", [{"kind": "DiscreteGaussian", "scale": 1e9}], "release.guarantee_unreadable"),
        ("mechanisms", [{"kind": "NonPrivate"}], "release.guarantee_unreadable"),
    ):
        rehash(packed, with_(whole, f"guarantee/{path}", value))
        assert found in codes(packed), path
    own = {
        "covers": "all that was charged",
        "epsilon": 0.5,
        "mechanisms": [{"kind": "Gaussian", "noise_multiplier": 9.0}],
    }
    rehash(packed, whole | {"guarantee": whole["guarantee"] | own})  # less than the arm by itself
    assert "release.guarantee_wrong" in codes(packed)


def test_an_arm_that_was_not_named_cannot_keep_its_own_epsilon(packed):
    whole = loads(packed / certificate.NAME)
    forge(packed, with_(whole, f"code/{TRAINING}/settings/for_release", False))
    assert codes(packed) == ["release.not_named"]


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


NONSENSE = [
    ("epsilon", "8"), ("epsilon", -1.0), ("epsilon", True), ("delta", 0.0), ("units", 60.0), ("units", 1),
    ("units", True), ("records", 0), ("records", 40.0), ("run", "quick\n  VERIFIED"), ("run", "../quick"),
    ("run", "a" * 999),
    ("finished", "yesterday"), ("finished", "2026-13-41T00:00:00+00:00"), ("stage", ["11_generate"]),
    ("audit/attacked", "excellent"), ("audit/because", None), ("audit/ceiling", -1.0),
    (f"code/{ARM}/commit", "main"), (f"code/{ARM}/dirty", "no"), (f"code/{ARM}/notebook", "x"),
    (f"code/{ARM}/modules", {"lib": 1}), (f"code/{TRAINING}/settings/steps", "3"),
    (f"code/{CORPUS}/settings/topics", 1.5),
    (f"code/{TRAINING}/settings/prompt", "\x1b[8m"), (f"code/{TRAINING}/settings/lora", [[[[[[1]]]]]]),
    ("accountant/library", "dp-accounting 0.6.0; rm -rf ~"), ("accountant/discretization", "fine"),
    ("public", ["<b>all</b>"]), ("public", ["see www.example.com"]), ("decisions", "passed"),
    ("guarantee/covers", "you"), ("guarantee/epsilon", None), ("guarantee/mechanisms", 1), ("packages", {"torch": 2}),
    ("events/0/what", "![x](http://y)"), ("events/0/privacy_seed", "no"), ("events/0/new", 1), ("events", {}),
    ("card/licence", "mit\n"), ("card/metrics", [{}]), ("files/README.md/bytes", -1), ("ancestors", {"a/b": "0" * 64}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), NONSENSE, ids=[f"{path} {str(value)[:12]}" for path, value in NONSENSE])
def test_a_value_that_no_certificate_has_is_refused_and_not_shown(packed_once, path, value):
    whole = loads(packed_once / certificate.NAME)
    assert malformed(whole) == []
    changed = with_(whole, path, value)
    (first, *_) = malformed(changed)
    assert first.code == "release.malformed" and path.split("/")[0] in first.sentence
    assert "\x1b" not in first.sentence and "VERIFIED" not in first.sentence


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


EVOLUTION = "12_aug_pe.x"


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
    assert codes(packed) == ["release.records_differ", "release.card_differs"]


def test_a_figure_is_rounded_up_never_down():
    assert certificate.rounded_up(7.9999911, 6) == "8"
    assert certificate.rounded_up(7.99991, 3) == "8"
    assert certificate.rounded_up(1.23401, 4) == "1.235"
    assert certificate.rounded_up(4.3001e-05, 2) == "4.4e-05"
    assert certificate.rounded_up(0.25, 2) == "0.25"


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


def test_topics_that_were_counted_without_noise_are_refused(packed):
    whole = loads(packed / certificate.NAME)
    assert malformed(with_(whole, f"code/{CORPUS}/settings/topics", 4)) == []
    changed = with_(whole, f"code/{CORPUS}/settings/topics", 4)
    rehash(packed, with_(changed, f"code/{CORPUS}/settings/label_histogram_scale", None))
    assert codes(packed) == ["release.malformed"]


def test_batches_were_checked_or_they_were_not(packed):
    whole = loads(packed / certificate.NAME)
    rehash(packed, with_(whole, "events/1/checked", "yes"))
    assert codes(packed) == ["release.malformed"]
