"""Pictures and rows by hand, from a folder to a pack that is verified from itself alone; and what a forger changes."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from support import picture_packs
from support.picture_packs import ARM, ROWS
from support.project import Project
from support.release_world import forge, loads

from lib.cli import release as command
from lib.data.images import parquet
from lib.privacy import copy_count
from lib.release import gate, pack, verify
from lib.release.candidate import Candidate


def codes(folder: Path) -> list[str]:
    return [reason.code for reason in verify.check(folder)[1]]


def forged(packed: Path, copy: Path, change: Callable[[dict, Path], None]) -> list[str]:
    """What `verify` says of a copy of a pack that a forger changed, with hashes and a card that fit."""
    shutil.copytree(packed, copy)
    whole = loads(copy / "certificate.json")
    change(whole, copy)
    forge(copy, whole)
    return codes(copy)


def rewrite(change: Callable[[list[dict]], object]) -> Callable[[dict, Path], None]:
    """A change of the rows of records.parquet, whose schema stays."""

    def forger(whole: dict, folder: Path) -> None:
        table = pq.read_table(folder / "records.parquet")
        lines = table.to_pylist()
        change(lines)
        pq.write_table(pa.Table.from_pylist(lines, table.schema), folder / "records.parquet")
        whole["records"] = len(lines)

    return forger


def png(mode: str = "L", size: tuple[int, int] = (14, 14)) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    return file.getvalue()


BAD = {"another size": png(size=(15, 14)), "colours": png("RGB"), "bytes behind the end": png() + b"ward 7"}


def test_pictures_are_packed_and_verified_and_forgeries_are_seen(house: Project, tmp_path: Path, capsys) -> None:
    picture_packs.pictures(house)
    stage = house.stage(ARM, "quick")
    privacy = loads(stage / "privacy.json")
    assert privacy["neighbours"] == "add or remove one record (one picture of train.parquet)"
    assert 0.98 * 8 < privacy["epsilon"] <= 8 and not privacy["not_for_release"]
    assert [event["what"] for event in privacy["events"]][1:] == ["votes for candidates", copy_count.WHAT]
    candidate = Candidate(stage.parent, ARM)
    assert gate.check(candidate) == [] and gate.copies(candidate, {}) == []
    packed = pack.pack(candidate, block_copies=True)
    assert codes(packed) == [] and not {"records.jsonl", "synthetic.parquet"} & {p.name for p in packed.iterdir()}
    made = parquet.read(packed / "records.parquet")
    assert [r.image for r in made] == [r.image for r in parquet.read(stage / "synthetic.parquet")]

    card = (packed / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["task_categories"] == ["unconditional-image-generation", "image-classification"]
    assert front["configs"][0]["data_files"][0]["path"] == "records.parquet" and "language" not in front
    assert "for one picture)" in card and "14 x 14 pixels, grey" in card and "one line" not in card
    assert "By private evolution: a simulator drew digits" in card and "0.02 of the range" in card
    assert "these texts" not in card and "record says" not in card
    capsys.readouterr()
    assert verify.main([str(packed)]) == 0
    assert "one picture of train.parquet" in capsys.readouterr().out

    for case, data in BAD.items():
        change = rewrite(lambda rows, data=data: rows[3]["image"].update(bytes=data))
        assert "release.picture_wrong" in forged(packed, tmp_path / case, change), case
    changes = {
        "a label that is not declared": (lambda rows: rows[0].update(label="8"), "release.picture_wrong"),
        "a path": (lambda rows: rows[0]["image"].update(path="/home/ann/a.png"), "release.picture_wrong"),
        "an id twice": (lambda rows: rows[0].update(id=rows[1]["id"]), "release.id_twice"),
    }
    for case, (change, code) in changes.items():
        assert code in forged(packed, tmp_path / case, rewrite(change)), case

    def fewer(whole: dict, folder: Path) -> None:
        whole["records"] -= 1

    def another_column(whole: dict, folder: Path) -> None:
        table = pq.read_table(folder / "records.parquet")
        pq.write_table(table.append_column("user", pa.array(["ann"] * len(table))), folder / "records.parquet")

    def beside(whole: dict, folder: Path) -> None:
        table = pq.read_table(folder / "records.parquet")
        kept = table.schema.metadata | {b"place": b"ward 7"}
        pq.write_table(table.replace_schema_metadata(kept), folder / "records.parquet")

    assert "release.number_of_records" in forged(packed, tmp_path / "fewer", fewer)
    for change in (another_column, beside):
        assert "release.columns_wrong" in forged(packed, tmp_path / change.__name__, change)

    def texts(whole: dict, folder: Path) -> None:
        whole["neighbours"] = "add or remove one record (one line of train.jsonl)"

    assert "release.neighbours_of_others" in forged(packed, tmp_path / "texts", texts)

    monkey = stage.parent / ARM / "synthetic.parquet"
    train = parquet.read(stage.parent / "00_process_images" / "train.parquet")
    parquet.write(monkey, train[:12])  # the positive control: an arm that hands out private pictures
    found = gate.copies(Candidate(stage.parent, ARM), {})
    assert {refusal.reason.code for refusal in found} == {"release.too_close"}
    assert command.main([ARM, "--look"]) == 1
    assert "a distance of less than" in capsys.readouterr().out


def test_rows_are_packed_and_verified_and_forgeries_are_seen(house: Project, tmp_path: Path) -> None:
    picture_packs.table(house)
    stage = house.stage(ROWS, "quick")
    privacy = loads(stage / "privacy.json")
    assert privacy["neighbours"] == "add or remove one record (one row of train.jsonl)"
    candidate = Candidate(stage.parent, ROWS)
    packed = pack.pack(candidate, block_copies=True)
    assert codes(packed) == []
    card = (packed / "README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["task_categories"] == ["tabular-classification"]
    assert "| `mean_radius` | numbers from 5 to 30, 2 decimals |" in card and "for one row)" in card
    assert "near-duplicates" not in card and "one line" not in card
    lines = (packed / "records.csv").read_text().splitlines()
    assert len(lines) == 13 and lines[0].startswith("mean_radius,") and lines[0].endswith(",diagnosis")
    assert float(lines[1].split(",")[0]) == pq.read_table(packed / "records.parquet")["mean_radius"][0].as_py()

    changes = {
        "out of range": (lambda rows: rows[0].update(mean_radius=31.0), "release.row_wrong"),
        "not a value": (lambda rows: rows[0].update(diagnosis="ann"), "release.row_wrong"),
        "too many decimals": (lambda rows: rows[0].update(mean_radius=17.123456), "release.row_wrong"),
        "empty": (lambda rows: rows[0].update(mean_radius=None), "release.row_wrong"),
        "another row": (lambda rows: rows[0].update(mean_radius=6.0), "release.records_differ"),
    }
    for case, (change, code) in changes.items():
        assert code in forged(packed, tmp_path / case, rewrite(change)), case

    def wider(whole: dict, folder: Path) -> None:
        whole["code"]["00_process_table"]["settings"]["columns"]["note"] = ["a", "b"]

    assert "release.columns_wrong" in forged(packed, tmp_path / "wider", wider)
    train = (stage.parent / "00_process_table" / "train.jsonl").read_text().splitlines()[:12]
    (stage / "synthetic.jsonl").write_text("\n".join(json.dumps(json.loads(line)) for line in train) + "\n")
    found = gate.copies(Candidate(stage.parent, ROWS), {})
    assert {refusal.reason.code for refusal in found} == {"release.too_close"}


@pytest.mark.parametrize("made", ["pictures", "table"])
def test_votes_are_attacked_and_made_up_records_stand_among_private_ones(house: Project, made: str) -> None:
    corpus, arm = {"pictures": (picture_packs.CORPUS, ARM), "table": (picture_packs.TABLE, ROWS)}[made]
    getattr(picture_packs, made)(house)
    inputs = {"corpus": corpus, "eps8": arm}
    few = {"canaries": 1000, "control_canaries": 1000, "made_up": 40, "tracking": "off"}
    house.play("20_vote_privacy", stage="20_vote_privacy", inputs=inputs, remade=["eps8"], **few)
    folder = house.stage("20_vote_privacy", "quick")
    found = loads(folder / "findings.json")
    assert found["verdicts"]["eps8"] in ("consistent", "inconclusive")
    (again,) = found["made_again"]
    assert again["arm"] == "eps8" and again["caught"]
    assert 0 <= loads(folder / "metrics.json")["eps8_made_again_auc"] <= 1
    card = (pack.pack(Candidate(folder.parent, arm)) / "README.md").read_text()
    assert "An audit sent dummy records through the mechanism" in card and "No audit tested" not in card


@pytest.mark.parametrize("made", ["pictures", "table"])
def test_a_noisy_count_over_its_limit_refuses_the_pack(house: Project, made: str) -> None:
    arm = {"pictures": ARM, "table": ROWS}[made]
    getattr(picture_packs, made)(house)
    file = house.stage(arm, "quick") / "copy_count.json"
    file.write_text(json.dumps(loads(file) | {"noisy_count": 1000}))
    cases = [refusal.case for refusal in gate.check(Candidate(house.stage(arm, "quick").parent, arm))]
    assert "copies" in cases and "tampered" in cases
