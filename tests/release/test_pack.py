"""The pack: its files load elsewhere, its card has what a reader needs and nothing private, it is whole or absent."""

import shutil

import pytest
from support.errors import refused
from support.release_world import ARM, AUDIT, CORPUS, TRAINING, card_of, loads, metric

from lib.data import records
from lib.release import card, certificate, gate, leak_scan, pack, verify
from lib.release.candidate import Candidate

ENCODERS = {
    "bundled:all-minilm-l6-v2": "`bundled:all-minilm-l6-v2`",
    "hidden:bundled:smollm2-135m-instruct": "`bundled:smollm2-135m-instruct` (its hidden states)",
    "/srv/clinic/model": "a local model",
    "hidden:/srv/clinic/model": "a local model",
}


def test_the_records_are_the_arms_without_users_and_records_without_labels_work_too(world):
    synthetic = records.read(world.run / ARM / "synthetic.jsonl")
    assert records.read(pack.pack(Candidate(world.run, ARM)) / "records.jsonl") == synthetic
    world.change_texts("synthetic", {i: {} for i in range(40)}, key="labels")
    world.change_texts("synthetic", dict.fromkeys(range(40), "somebody"), key="user")
    world.play(ARM)
    folder = pack.pack(Candidate(world.run, ARM))
    assert verify.check(folder)[1] == []
    assert {record.user for record in records.read(folder / "records.jsonl")} == {None}


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
