"""The pack: its files load elsewhere, its card has what a reader needs and nothing private, it is whole or absent."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version

import pyarrow.parquet as pq
import pytest
import yaml
from support import release_world
from support.errors import refused
from support.release_world import ARM, AUDIT, CORPUS, TRAINING, loads, metric

from lib.audit.verdict import Verdict
from lib.data import records
from lib.data.private_text import PrivateText
from lib.release import card, card_contents, certificate, gate, leak_scan, pack, texts, verify
from lib.release.candidate import Candidate

finished, world = release_world.finished, release_world.world


ENCODERS = {
    "bundled:all-minilm-l6-v2": "`bundled:all-minilm-l6-v2`",
    "hidden:bundled:smollm2-135m-instruct": "`bundled:smollm2-135m-instruct` (its hidden states)",
    "/srv/clinic/model": "a local model",
    "hidden:/srv/clinic/model": "a local model",
}


def card_of(world, **given) -> str:
    return (pack.pack(Candidate(world.run, ARM), **given) / "README.md").read_text()


def loaded(card_text: str, folder, tmp_path) -> list[list[dict]]:
    """The records as each line of code in a card loads them, without a network."""
    _, code = card_text.split("```python\n", 1)
    imports, lines = code.partition("```")[0].rsplit("\n\n", 1)
    lines = [line.replace("FOLDER", str(folder)) for line in lines.strip().splitlines()]
    script = f"import json\n{imports}\n" + "\n".join(f"rows = {line}\nprint(json.dumps(list(rows)))" for line in lines)
    env = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return list(map(json.loads, done.stdout.splitlines()))


def test_the_pack_is_loaded_without_a_network_as_the_card_says(world, tmp_path):
    folder = pack.pack(Candidate(world.run, ARM))
    expected = [record.as_json() for record in records.read(folder / "records.jsonl")]
    assert loaded((folder / "README.md").read_text(), folder, tmp_path) == [expected] * 2


def test_labels_and_texts_that_look_like_dates_are_loaded_as_they_are(tmp_path):
    made = [
        records.Record(str(day), PrivateText(f"2024-01-{day} 10:00:00"), {"day": f"2024-01-{day}", "n": "1.0"})
        for day in range(10, 13)
    ]
    records.write(tmp_path / "records.jsonl", made)
    pq.write_table(texts.table(made), tmp_path / "records.parquet")
    assert loaded(card_contents.LOADING, tmp_path, tmp_path) == [[record.as_json() for record in made]] * 2


def test_the_records_are_the_arms_without_users_and_records_without_labels_work_too(world):
    synthetic = records.read(world.run / ARM / "synthetic.jsonl")
    assert records.read(pack.pack(Candidate(world.run, ARM)) / "records.jsonl") == synthetic
    bare = [records.Record(record.id, record.text, {}) for record in synthetic]
    assert texts.table(bare).column_names == ["id", "text"]
    world.change_texts("synthetic", {i: {} for i in range(40)}, key="labels")
    world.change_texts("synthetic", dict.fromkeys(range(40), "somebody"), key="user")
    world.play(ARM)
    folder = pack.pack(Candidate(world.run, ARM))
    assert verify.check(folder)[1] == []
    assert {record.user for record in records.read(folder / "records.jsonl")} == {None}


def test_the_card_has_the_front_matter_that_the_hub_reads(world):
    front = yaml.safe_load(card_of(world, licence="cc-by-4.0", language="de").split("---")[1])
    assert front["license"] == "cc-by-4.0" and front["language"] == ["de"]
    assert front["task_categories"] == ["text-generation", "text-classification"]
    assert front["size_categories"] == "n<1K" and {"synthetic", "differential-privacy"} <= set(front["tags"])
    undecided = yaml.safe_load(card_of(world).split("---")[1])
    assert undecided["license"] == "other" and undecided["license_name"]
    assert "language" not in undecided  # nothing is made up


def test_the_card_states_the_guarantee_the_mechanisms_and_how_to_check(world):
    text = card_of(world)
    whole = loads(world.pack / certificate.NAME)
    assert certificate.guarantee(whole) in text
    assert f"by no more than a factor of e^{certificate.rounded_up(whole['epsilon'], 3)}," in text
    assert "Poisson, probability 0.2" in text and "| training | Gaussian |" in text
    assert "discrete Gaussian | 5 |" in text
    assert "./run_all.sh verify FOLDER" in text and "python -m lib.release.verify FOLDER" in text
    assert f"pip install dp-accounting=={version('dp-accounting')} pyarrow" in text
    assert "does not show who made the pack" in text
    assert all(f"## {section}" in text for section in ("What is in it", "How it was made", "The guarantee", "Licence"))
    world.play(CORPUS, unit="user")
    world.play(TRAINING, ARM)
    text = card_of(world)
    assert "add or remove one user" in text and "It protects one record" not in text


def test_the_card_says_whether_cleaning_is_covered_by_the_guarantee(world):
    card_of(world)
    whole, rows = loads(world.pack / certificate.NAME), Candidate(world.run, ARM).records
    covered, not_covered = (
        "guarantee holds for the corpus as it was before",
        "guarantee is about the corpus after cleaning",
    )
    text = card.write(whole, rows)
    assert covered in text and not_covered not in text
    del whole["code"][CORPUS]["settings"]["share"]  # as in an older version
    text = card.write(whole, rows)
    assert not_covered in text and covered not in text


EVIL = "![x](https://evil.example/p.png) <img src=x> [a](javascript:x) `` | www.evil.example"


def test_no_text_that_a_model_or_a_user_wrote_is_markup_in_the_card(world):
    world.change_texts("synthetic", {0: f"{EVIL} \x1b[8m\u202e"})
    world.change_texts("synthetic", {i: {"mood": EVIL} for i in range(40)}, key="labels")
    world.play(TRAINING, prompt=EVIL)
    world.play(ARM)
    lines = card_of(world).splitlines()
    holding = [line for line in lines if "evil.example" in line]
    assert len(holding) == 5  # the prompt, the label, three records
    for line in holding:
        outside_code = "" if line.startswith("    ") else re.sub("`[^`]*`", "", line)
        assert not {"<", "[", "]", "`"} & set(outside_code) and "evil.example" not in outside_code
        assert not {"\x1b", "\u202e"} & set(line)


def audited(world, case: str) -> None:
    """Put the run into a case of the next test."""
    if case == "no audit":
        return
    if case == "of another arm":
        world.play(AUDIT, verdict="consistent", inputs={"corpus": CORPUS, "mine": TRAINING})
        return
    verdicts = {"no score": None, "arm made again": "consistent", "not done": "consistent"}
    world.play(AUDIT, verdict=verdicts.get(case, case))
    if case == "arm made again":
        world.change_texts("synthetic", {0: "something else"})
        world.play(ARM)
    if case == "not done":
        (world.run / AUDIT / "done.json").unlink()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("consistent", None),
        ("inconclusive", None),
        ("no score", "release.no_bound"),
        ("no audit", "release.no_audit"),
        ("arm made again", "release.audit_of_earlier_run"),
        ("not done", "release.audit_not_done"),
        ("of another arm", "release.not_attacked"),
    ],
)
def test_card_and_certificate_state_that_there_was_an_audit_or_why_none_and_no_verdict(world, case, code):
    audited(world, case)
    text, found = card_of(world), Candidate(world.run, ARM).audit
    stated = loads(world.pack / certificate.NAME)["audit"]
    assert (found.because and found.because.code) == code
    assert stated["attacked"] is (found.stage is not None)
    assert stated["because"] == (None if code is None else str(found.because))
    shown = {
        None: "An audit sent dummy records through the mechanism",
        "release.no_audit": "**No audit tested these texts:**",
        "release.not_attacked": "**No audit tested these texts:**",
    }.get(code, "**An audit was run, and says nothing about these texts:**")
    assert shown in text and (code is None) == ("an epsilon of 2.50" in text)
    everything = str(leak_scan.strings_of(world.pack))
    assert "0.5" not in str(stated)  # what the attack showed
    assert not any(f"**{verdict}**" in everything or f"'{verdict}'" in everything for verdict in Verdict)


def test_metrics_that_real_text_entered_are_not_in_the_pack(world, monkeypatch):
    arm = {"stage": ARM, "name": "mine", "metrics": [metric("distinct words"), metric("PLANTED", real_text=True)]}
    arm["metrics"] += [
        metric("UNSAID", real_text=None),
        metric("UNDEFINED", value=None),
        metric("vendi", direction="match"),
    ]
    arm["metrics"] += [metric("vendi", encoder=name, task="embeddings") for name in ENCODERS]
    arm["metrics"] += [metric("self_bleu", value=0.0, value_low=0.0, value_high=0.0)]
    other = {"stage": "11_generate.another", "name": "other", "metrics": [metric("ELSEWHERE")]}
    monkeypatch.setattr(pack, "public", lambda scorecard: scorecard)  # the card's own filter is the second one
    text = card_of(world, scorecard={"arms": [arm, other]})
    assert "| words | distinct words | 0.625 (0.5 to 0.75) | high |  |" in text
    assert "| words | Vendi score | 0.625 (0.5 to 0.75) | as in real text | How many different records" in text
    assert all(f"\n| vectors of {shown} | Vendi score |" in text for shown in ENCODERS.values())
    assert "/srv/" not in text
    assert "| Self-BLEU | 0 | high |" in text  # draws that are all alike are no interval
    everything = str(leak_scan.strings_of(world.pack))
    assert not any(word in everything for word in ("PLANTED", "UNSAID", "UNDEFINED", "ELSEWHERE", "a secret"))
    assert not any(number in everything for number in ("0.111", "0.222", "0.333"))
    assert verify.check(world.pack)[1] == []


def test_no_path_of_a_parameter_is_in_the_pack(world):
    everything = str(leak_scan.strings_of(pack.pack(Candidate(world.run, ARM))))
    assert "somebody" not in everything and "clinic" not in everything
    code = loads(world.pack / certificate.NAME)["code"]
    assert code[CORPUS]["settings"]["source"] == "csv" and code[TRAINING]["settings"]["model"] == "withheld"


def test_no_path_can_be_guessed_and_confirmed_by_the_hash_of_the_parameters(world):
    def hashes() -> list[str]:
        pack.pack(Candidate(world.run, ARM))
        code = loads(world.pack / certificate.NAME)["code"]
        return [code[stage]["parameters"] for stage in (CORPUS, TRAINING)]

    before = hashes()
    world.play(CORPUS, source="csv:/home/else/ward.csv")
    world.play(TRAINING, model="/home/else/model")
    world.play(ARM)
    assert hashes() == before
    world.play(TRAINING, model="/home/else/model", steps=4)
    world.play(ARM)
    after = hashes()
    assert after[0] == before[0] and after[1] != before[1]


def test_private_text_that_only_the_card_would_show_is_found_for_its_holder(world):
    """A prompt that quotes a record: the records are clean, the card and the certificate are not."""
    world.play(TRAINING, prompt=f"Write like this: {world.texts('train')[5]}")
    world.play(ARM)
    assert gate.check(Candidate(world.run, ARM)) == []
    with refused("release.refused", name=ARM, value=["private text", "private text"]) as error:
        pack.pack(Candidate(world.run, ARM), block_copies=True)
    assert "README.md: 1 sentences" in str(error.value) and "certificate.json: 1 sentences" in str(error.value)
    assert not world.pack.exists() and not list(world.pack.parent.iterdir())


def test_packing_again_replaces_and_gives_the_same_bytes(world):
    folder = pack.pack(Candidate(world.run, ARM))
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "left over").write_text("x")
    assert {path.name: path.read_bytes() for path in pack.pack(Candidate(world.run, ARM)).iterdir()} == first
    assert [path.name for path in folder.parent.iterdir()] == [ARM]


@pytest.mark.parametrize("broken", ["card", "rename"])
def test_a_pack_that_fails_half_way_leaves_the_earlier_one(world, monkeypatch, broken):
    folder = pack.pack(Candidate(world.run, ARM))
    first = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(*_, **__):
        raise OSError("no space left")

    if broken == "card":
        monkeypatch.setattr(card, "write", fail)
    else:
        rename = type(folder).replace
        new_pack = lambda path: path.suffix == ".part" and path.is_dir()  # noqa: E731
        monkeypatch.setattr(type(folder), "replace", lambda self, to: fail() if new_pack(self) else rename(self, to))
    with pytest.raises(OSError, match="no space"):
        pack.pack(Candidate(world.run, ARM))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert [path.name for path in folder.parent.iterdir()] == [ARM]


def test_a_refusal_names_an_earlier_pack_that_is_still_there(world):
    world.play(AUDIT, verdict="violated")
    with refused("release.refused", value=["audit violated"]) as error:
        pack.pack(Candidate(world.run, ARM))
    assert str(world.pack) not in str(error.value)
    world.play(AUDIT)
    pack.pack(Candidate(world.run, ARM))
    world.play(AUDIT, verdict="violated")
    with refused("release.refused", value=["audit violated"]) as error:
        pack.pack(Candidate(world.run, ARM))
    assert str(world.pack) in str(error.value)
    assert world.pack.exists()


def test_the_certificate_is_verified_where_the_project_is_not(world, tmp_path):
    shutil.copytree(pack.pack(Candidate(world.run, ARM)), tmp_path / "pack")
    shutil.rmtree(world.run)
    statement, wrong = verify.check(tmp_path / "pack")
    assert wrong == [] and statement["stage"] == ARM


def test_what_a_killed_pack_left_behind_is_removed(world):
    candidate = Candidate(world.run, ARM)
    left = candidate.pack.with_name(f".{ARM}.1.part")
    left.mkdir(parents=True)
    (left / "records.jsonl").write_text("half")
    assert pack.pack(candidate).is_dir() and not left.exists()
