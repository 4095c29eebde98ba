"""Each notebook by hand: opened alone, with its own defaults, sizes overridden; and a big preset made small."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from support.budgets import CORPUS, EVOLVE, TRAIN, draws, entries, graph_of, set_terms
from support.errors import refused
from support.notebooks import SMALL, TINY
from support.project import Project

from lib.data import records, sources
from lib.pipeline import preflight
from lib.pipeline.budget_check import check_budget
from lib.privacy import copy_count, mechanisms
from lib.privacy.ledger import inherit


def play_within_budget(house: Project, stage: str, drawn: str, limit: float) -> None:
    """Play the notebook of an arm, first with less left of the corpus' budget than it needs, then up to ``limit``."""
    notebook = stage.partition(".")[0]
    before = entries()
    set_terms(epsilon=5.0)
    with refused("privacy.budget_exceeded", value=5.0) as error:
        house.play(notebook, **SMALL[notebook])
    assert error.value.where == stage
    folder = house.stage(stage, "quick")
    assert entries() == before and not list(folder.rglob(drawn))
    set_terms(epsilon=limit)
    changes = [f"{stage}.{key}={json.dumps(value)}" for key, value in SMALL[notebook].items()]
    expected = draws(*changes, "11_generate.eps8.guidance=0")[stage]  # the prompt has no word to guide by
    house.play(notebook, **SMALL[notebook])  # goes on from what it had before it was refused
    charged = [charge.event for charge in entries()[len(before) :]]
    assert [event.mechanism for event in charged if event.what != copy_count.WHAT] == [expected]
    counts = 1 if notebook == "12_aug_pe" else 0  # what 10 trains is counted when 11 has written with it
    assert len(charged) == 1 + counts and expected == inherit([folder]).mechanisms[-1 - counts]


def test_every_notebook_runs_by_hand_with_its_own_defaults_and_draws_what_was_planned_or_nothing(
    house: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused("stage.input_not_done", value=CORPUS) as error:
        house.play("10_finetune_dp_lora", **SMALL["10_finetune_dp_lora"])
    assert error.value.remedy == "run ./run_all.sh quick --only 00_process_data"
    house.play(CORPUS, **SMALL[CORPUS])
    (line,) = entries()
    statement = json.loads((house.stage(CORPUS, "quick") / "privacy.json").read_text())
    assert [line.event.as_json()] == statement["events"] and line.units == statement["units"]

    play_within_budget(house, TRAIN, "training.pt", limit=8.0)
    house.play("11_generate", **SMALL["11_generate"])
    play_within_budget(house, EVOLVE, "votes-*.json", limit=20.0)
    for arm, most in (("11_generate.eps8", 4), (EVOLVE, 9)):
        assert (house.stage(arm, "quick") / "done.json").is_file()
        made = records.read(house.stage(arm, "quick") / "synthetic.jsonl")
        assert 1 <= len(made) <= most
        records.check_labels(made, {"sentiment": ["negative", "neutral", "positive"]})
        privacy = json.loads((house.stage(arm, "quick") / "privacy.json").read_text())
        assert 0.98 * 8 <= privacy["epsilon"] <= 8
        assert privacy["not_for_release"]  # a privacy_seed was set

    # without a target, the same notebook is not private, and shows and keeps no votes
    house.play("12_aug_pe", **SMALL["12_aug_pe"] | {"stage": "12_aug_pe.open", "target_epsilon": None})
    folder = house.stage("12_aug_pe.open", "quick")
    privacy = json.loads((folder / "privacy.json").read_text())
    assert privacy["epsilon"] is None and "is not private" in privacy["not_for_release"][0]
    assert not (folder / "figures" / "votes.png").exists() and not list(folder.rglob("votes*"))
    assert (house.stage(EVOLVE, "quick") / "figures" / "votes.png").exists()  # which it does show where they are noisy

    # the corpus, too, is refused before it draws
    charged = entries()
    set_terms(epsilon=0.25)
    monkeypatch.setattr(mechanisms, "noisy_counts", lambda *args: pytest.fail("noise was drawn"))
    with refused("privacy.budget_exceeded", value=0.25):
        house.play(CORPUS, **SMALL[CORPUS])
    assert entries() == charged


def test_a_user_level_run_of_records_without_users_is_refused_before_anything_is_spent(house: Project) -> None:
    rows = "\n".join(f"sentence number {i} of somebody,positive,{'ann' if i % 3 else ''}" for i in range(30))
    (house.root / "mine.csv").write_text(f"text,Mood,user\n{rows}\n")
    with refused("data.user_missing") as error:
        house.play(CORPUS, source="csv:mine.csv", columns={"labels.sentiment": "Mood"}, unit="user")
    assert "10 of 30 records" in error.value.sentence
    assert not list(house.root.glob("data/budgets/*"))


def test_a_user_level_run_counts_users(house: Project) -> None:
    house.play(CORPUS, share=0.2, unit="user", max_records_per_user=3, privacy_seed=1)
    folder = house.stage(CORPUS, "quick")
    train = records.read(folder / "train.jsonl")
    users = {record.user for record in train}
    assert sum(json.loads((folder / "label_histogram.json").read_text())["noisy_counts"]) < len(train)

    sizes = {"expected_batch": 8.0, "target_epsilon": 2.0}  # a small epsilon composes sooner
    trained = house.play("10_finetune_dp_lora", **SMALL["10_finetune_dp_lora"] | sizes)
    assert trained["ledger"].units == len(users) < len(train)
    assert trained["progress"].records > sum(trained["progress"].batch_sizes)  # several records a user

    evolved = house.play("12_aug_pe", **SMALL["12_aug_pe"] | {"iterations": 1, "target_epsilon": 2.0})
    assert len(set(evolved["voters"].owners.tolist())) == evolved["ledger"].units < len(evolved["voters"].owners)
    assert evolved["ledger"].units == len(users)


def test_a_hybrid_by_hand_spends_what_an_arm_left_it(house: Project) -> None:
    house.play(CORPUS, share=0.2, unit="user", max_records_per_user=3, privacy_seed=1)
    small = {"expected_batch": 8.0, "target_epsilon": 2.0, "reserve": 0.1}
    house.play("10_finetune_dp_lora", **SMALL["10_finetune_dp_lora"] | small)
    house.play("11_generate", **SMALL["11_generate"] | {"samples": 9})
    inputs = {"inputs": {"corpus": CORPUS, "eps8": "11_generate.eps8"}}
    with refused("methods.nothing_left", value=1.8):
        house.play("13_select", **SMALL["13_select"] | inputs | {"target_epsilon": 1.8})
    held = house.play("13_select", **SMALL["13_select"] | inputs | {"target_epsilon": 2.0})
    privacy = json.loads((house.stage("13_select.eps8", "quick") / "privacy.json").read_text())
    assert 0.98 * 2 <= privacy["epsilon"] <= 2 and len(privacy["events"]) == 5
    users = held["election"].voters.owners
    assert len(set(users.tolist())) == held["ledger"].units < len(users)
    offered = [record.text for record in records.read(house.stage("11_generate.eps8", "quick") / "synthetic.jsonl")]
    made = records.read(house.stage("13_select.eps8", "quick") / "synthetic.jsonl")
    assert 1 <= len(made) <= 3 and {record.text for record in made} <= set(offered)
    assert [charge.event.stage for charge in entries()][-2:] == ["13_select.eps8"] * 2  # votes, and the count of copies


def test_a_model_asked_in_many_ways_by_hand_has_texts_for_a_hybrid_and_no_loss(house: Project) -> None:
    house.play(CORPUS, **SMALL[CORPUS])
    arm = {"stage": "11_generate.varied", "inputs": {"corpus": CORPUS}, "base_model": TINY}
    asked = {"prompts": "prompts/generic.yaml", "chat": False}
    played = house.play("11_generate", **SMALL["11_generate"] | arm | asked | {"samples": 9})
    folder = house.stage("11_generate.varied", "quick")
    made = records.read(folder / "synthetic.jsonl")
    assert [record.labels for record in made] == [*played["wanted"]] and len({r.text.reveal() for r in made}) == 9
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["records"] == 9 and "held_out_loss" not in metrics and not (folder / "held_out.json").exists()
    done = json.loads((folder / "done.json").read_text())
    assert "prompts/generic.yaml" in done["made_from"]["files"]
    assert [event.stage for event in inherit([folder]).events] == [CORPUS]  # the label counts alone
    inputs = {"inputs": {"corpus": CORPUS, "varied": "11_generate.varied"}}
    held = house.play("13_select", **SMALL["13_select"] | inputs)
    assert {*held["candidates"].sources} == {"11_generate.varied"}


def test_a_tiny_corpus_and_tiny_arms_are_finished_without_the_figures_that_need_more(house: Project) -> None:
    draw = np.random.default_rng(0)
    words = ["camera", "battery", "screen", "light", "heavy", "cheap", "strong", "menu", "photo", "sound", "cable"]
    rows = [f"{' '.join(draw.choice(words, 9))} {i},{('positive', 'negative')[i % 2]}" for i in range(60)]
    (house.root / "mine.csv").write_text("\n".join(["text,Mood", *rows]) + "\n")  # and no record is neutral
    own = {"source": "csv:mine.csv", "columns": {"text": "text", "labels.sentiment": "Mood"}}
    house.play(CORPUS, **own, test_fraction=0.03, near_duplicate_similarity=1.0)
    assert len(records.read(house.stage(CORPUS, "quick") / "test.jsonl")) == 1
    with refused("models.encoder_unknown", value="bundled:nobody"):
        house.play("12_aug_pe", **SMALL["12_aug_pe"] | {"samples": 2, "judge": "bundled:nobody"})
    assert not list(house.stage(EVOLVE, "quick").rglob("generation-*"))  # before anything is written or voted for
    house.play("12_aug_pe", **SMALL["12_aug_pe"] | {"samples": 2})
    base = {"stage": "11_generate.base", "inputs": {"corpus": CORPUS}, "chat": False}
    house.play(
        "11_generate", **SMALL["11_generate"] | base | {"base_model": TINY, "prompt": "{sentiment}:", "samples": 2}
    )
    for arm, left_out in ((EVOLVE, "distance_selected"), ("11_generate.base", "held_out_loss_low")):
        assert (house.stage(arm, "quick") / "done.json").is_file()
        metrics = json.loads((house.stage(arm, "quick") / "metrics.json").read_text())
        assert metrics["records"] <= 2 and left_out not in metrics


def test_a_file_of_ones_own_is_part_of_what_the_corpus_is_made_from(house: Project) -> None:
    table = house.root / "own.csv"
    lines = [f"{word} is a word of this camera" for word in ("light", "heavy", "cheap", "strong", "menu") * 12]
    table.write_text("\n".join(["said,mood", *(f"{number} {line},neutral" for number, line in enumerate(lines))]))
    columns = {"text": "said", "labels.sentiment": "mood"}
    own = {"source": f"csv:{table}", "columns": columns, "near_duplicate_similarity": 1.0}
    house.play(CORPUS, **own)
    assert list(house.done(CORPUS, "quick")["made_from"]["files"]) == ["own.csv"]
    graph = preflight.preflight("quick", "quick", [f"{CORPUS}.{key}={json.dumps(value)}" for key, value in own.items()])
    assert graph.plan([CORPUS], []) == {}
    table.write_text("\n".join(table.read_text().splitlines()[:40]))  # some records are taken back
    plan = graph.plan([CORPUS], [])
    assert [reason.code for reason in plan.values()] == ["stage.file_changed"] and "own.csv" in str(plan[CORPUS])


def test_a_histogram_that_costs_more_than_the_target_is_refused_in_pre_flight(house: Project) -> None:
    house.play(CORPUS, **SMALL[CORPUS] | {"label_histogram_scale": 1.0})
    graph = graph_of(f"{TRAIN}.target_epsilon=0.5")
    with refused("pipeline.target_below_histogram", name="target_epsilon", value=0.5):
        check_budget(graph, list(graph.nodes))


def test_batches_that_are_no_poisson_samples_get_no_epsilon(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.methods.dp_lora.trainer import Trainer

    house.play(CORPUS, **SMALL[CORPUS])
    order = np.random.default_rng(0)
    monkeypatch.setattr(Trainer, "_draw", lambda self, step: order.permutation(self.units)[:20].tolist())
    with refused("privacy.not_poisson"):
        house.play("10_finetune_dp_lora", **SMALL["10_finetune_dp_lora"] | {"steps": 12})
    assert not (house.stage(TRAIN, "quick") / "privacy.json").exists()


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
        "00_process_data": {"share": 1.0},
        "10_finetune_dp_lora": {
            "model": TINY, "max_tokens": 60, "steps": 3, "expected_batch": 20.0, "warmup_steps": 1,
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
