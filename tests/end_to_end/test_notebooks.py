"""Each notebook by hand: opened alone, with its own defaults, sizes overridden; and a big preset made small."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.notebooks import SMALL, TINY
from support.project import ROOT, Project

from lib.common.errors import DoppelError
from lib.data import records, sources
from lib.pipeline import preflight
from lib.pipeline.budget_check import check_budget


@pytest.fixture
def house(here: Project) -> Project:
    shutil.copytree(ROOT / "notebooks", here.root / "notebooks")
    shutil.copytree(ROOT / "params", here.root / "params")
    shutil.copytree(ROOT / "prompts", here.root / "prompts")
    return here


def test_every_notebook_runs_by_hand_with_its_own_defaults(house: Project) -> None:
    with pytest.raises(DoppelError, match=r"run \./run_all\.sh quick --only 00_process_data"):
        house.play("10_finetune_dp_lora", **SMALL["10_finetune_dp_lora"])
    for name, sizes in SMALL.items():
        namespace = house.play(name, **sizes)
        assert (namespace["stage"].folder / "done.json").is_file()
    for arm, most in (("11_generate.eps8", 4), ("12_aug_pe.eps8", 9)):
        made = records.read(house.stage(arm, "quick") / "synthetic.jsonl")
        assert 1 <= len(made) <= most
        records.check_labels(made, {"sentiment": ["negative", "neutral", "positive"]})
        privacy = json.loads((house.stage(arm, "quick") / "privacy.json").read_text())
        assert 0.98 * 8 <= privacy["epsilon"] <= 8
        assert privacy["not_for_release"]  # a privacy_seed was set


def test_aug_pe_without_a_target_is_not_private_and_shows_and_keeps_no_votes(house: Project) -> None:
    house.play("00_process_data", limit=300)
    namespace = house.play("12_aug_pe", **SMALL["12_aug_pe"] | {"target_epsilon": None})
    folder = namespace["stage"].folder
    privacy = json.loads((folder / "privacy.json").read_text())
    assert privacy["epsilon"] is None and "is not private" in privacy["not_for_release"][0]
    assert not (folder / "figures" / "votes.png").exists()
    assert not list(folder.rglob("votes*"))


def test_aug_pe_counts_users_where_the_corpus_does(house: Project) -> None:
    house.play("00_process_data", limit=600, unit="user", max_records_per_user=3, privacy_seed=1)
    namespace = house.play("12_aug_pe", **SMALL["12_aug_pe"] | {"iterations": 1})
    voters = namespace["voters"]
    assert len(set(voters.owners.tolist())) == namespace["ledger"].units < len(voters.owners)


def test_a_user_level_run_of_records_without_users_is_refused_before_anything_is_spent(house: Project) -> None:
    rows = "\n".join(f"sentence number {i} of somebody,positive,{'ann' if i % 3 else ''}" for i in range(30))
    (house.root / "mine.csv").write_text(f"text,Mood,user\n{rows}\n")
    with pytest.raises(DoppelError, match=r"unit: user, but 10 of 30 records name no user"):
        house.play("00_process_data", source="csv:mine.csv", columns={"labels.sentiment": "Mood"}, unit="user")
    assert not list(house.root.glob("data/budgets/*"))


def test_a_user_level_run_counts_users(house: Project) -> None:
    house.play("00_process_data", limit=600, unit="user", max_records_per_user=3, privacy_seed=1)
    sizes = SMALL["10_finetune_dp_lora"] | {"expected_batch": 8.0, "target_epsilon": 20.0}
    namespace = house.play("10_finetune_dp_lora", **sizes)
    folder = house.stage("00_process_data", "quick")
    train = records.read(folder / "train.jsonl")
    users = {record.user for record in train}
    assert namespace["ledger"].units == len(users) < len(train)
    assert sum(json.loads((folder / "label_histogram.json").read_text())["noisy_counts"]) < len(train)
    assert namespace["progress"].records > sum(namespace["progress"].batch_sizes)  # several records a user


def test_a_file_of_ones_own_is_part_of_what_the_corpus_is_made_from(house: Project) -> None:
    table = house.root / "own.csv"
    lines = [f"{word} is a word of this camera" for word in ("light", "heavy", "cheap", "strong", "menu") * 12]
    table.write_text("\n".join(["said,mood", *(f"{number} {line},neutral" for number, line in enumerate(lines))]))
    columns = {"text": "said", "labels.sentiment": "mood"}
    own = {"source": f"csv:{table}", "columns": columns, "near_duplicate_similarity": 1.0}
    house.play("00_process_data", **own)
    assert list(house.done("00_process_data", "quick")["made_from"]["files"]) == ["own.csv"]
    changes = [f"00_process_data.{key}={json.dumps(value)}" for key, value in own.items()]
    plan = preflight.preflight("quick", "quick", changes).plan(["00_process_data"], [])
    assert plan == {}
    table.write_text("\n".join(table.read_text().splitlines()[:40]))  # some records are taken back
    plan = preflight.preflight("quick", "quick", changes).plan(["00_process_data"], [])
    assert plan == {"00_process_data": "a file that it reads changed: own.csv"}


def test_a_histogram_that_is_dearer_than_the_target_is_refused_in_pre_flight(house: Project) -> None:
    house.play("00_process_data", limit=300, label_histogram_scale=1.0)
    with pytest.raises(DoppelError, match="label histogram alone spends"):
        graph = preflight.preflight("quick", "quick", ["10_finetune_dp_lora.target_epsilon=0.5"])
        check_budget(graph, list(graph.nodes))


def test_batches_that_are_no_poisson_samples_get_no_epsilon(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.methods.dp_lora.trainer import Trainer

    house.play("00_process_data", limit=300)
    order = np.random.default_rng(0)
    monkeypatch.setattr(Trainer, "_draw", lambda self, step: order.permutation(self.units)[:20].tolist())
    with pytest.raises(DoppelError, match="no epsilon is stated"):
        house.play("10_finetune_dp_lora", **SMALL["10_finetune_dp_lora"] | {"steps": 12})
    assert not (house.stage("10_finetune_dp_lora.eps8", "quick") / "privacy.json").exists()


def write_amazon(root: Path, category: str, reviews: int) -> None:
    """Reviews and product metadata in the layout of Amazon Reviews 2023."""
    draw = np.random.default_rng(0)
    words = ["phone", "case", "screen", "fits", "well", "broke", "after", "weeks", "charger", "cable", "battery"]
    products = [
        {"parent_asin": f"P{i}", "title": f"Case {i}", "main_category": "Cases", "categories": ["Cases"]}
        for i in range(9)
    ]
    written = [
        {
            "rating": float(1 + i % 5),
            "title": "Review",
            "text": " ".join(draw.choice(words, 20)),
            "asin": "A",
            "timestamp": i,
            "parent_asin": f"P{i % 9}",
            "user_id": f"U{i % 80}",
            "helpful_vote": 0,
            "verified_purchase": True,
            "images": [],
        }
        for i in range(reviews)
    ]
    for prefix, rows in (("", written), ("meta_", products)):
        path = root / "raw" / "amazon-2023" / f"{prefix}{category}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def test_the_llama_preset_runs_when_model_and_sizes_are_overridden(
    house: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path_factory.mktemp("data")
    write_amazon(data, "Cell_Phones_and_Accessories", 400)
    monkeypatch.setitem(sources.load.__kwdefaults__, "root", data)
    nodes = preflight.preflight("amazon-llama", "amazon-llama").nodes
    small = {
        "00_process_data": {},
        "10_finetune_dp_lora": {
            "model": TINY, "max_tokens": 60, "steps": 12, "expected_batch": 20.0, "warmup_steps": 1,
            "evaluate_records": 10,
        },
        "11_generate": {"samples": 3, "max_new_tokens": 120, "engine": "transformers", "device": "cpu"},
    }  # fmt: skip
    for id in ("00_process_data", "10_finetune_dp_lora.eps4", "11_generate.eps4"):
        name = id.partition(".")[0]
        house.play(name, **nodes[id].parameters | small[name])
    made = records.read(house.stage("11_generate.eps4", "amazon-llama") / "synthetic.jsonl")
    assert {name for record in made for name in record.labels} == {"rating", "product", "category"}
    assert all(record.labels["product"].startswith("Case ") for record in made)  # of the catalogue
