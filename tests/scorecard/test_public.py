"""What of a scorecard may be public: each leaf holds its own path, and so tells whether it got out."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import scorecard_toys as toys
from support.scorecard_toys import arm, metric

from lib.common.files import read_json, write_json
from lib.scorecard import scorecard


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    return toys.whole(tmp_path)


RELEASED = ("base", "eps8", "evolved")
ALWAYS = ("format", "run", "made", "floor", *(f"names.{stage}" for stage in toys.ARMS.values()))
CORPUS = ("stage", "source", "unit", "units", "delta", "neighbours")
PRIVACY = ("epsilon", "target_epsilon", "delta", "unit")
ARM = ("stage", "method", "model", "seed", *(f"privacy.{name}" for name in PRIVACY))
OF_RELEASED = ("records", "cost.seconds", "cost.peak_memory_mb", "cost.money")
ROW = ("group", "task", "encoder", "arm", "metric", "value", "value_low", "value_high", "direction", "of")


def planted(card: dict) -> dict:
    """The card with every string and number replaced by its own path; truth values and nulls stay."""

    def walk(value: object, path: str) -> object:
        if isinstance(value, dict):
            return {name: walk(child, f"{path}.{name}") for name, child in value.items()}
        if isinstance(value, list):
            return [walk(child, f"{path}.{number}") for number, child in enumerate(value)]
        return value if value is None or isinstance(value, bool) else f"planted{path}"

    return walk(card, "")


def leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from leaves(child)
    elif isinstance(value, str):
        yield value


def test_no_figure_of_real_text_is_public(inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    card = toys.build(inputs)
    names = [card["names"][entry["stage"]] for entry in card["arms"]]
    own = [[i for i, row in enumerate(entry["metrics"]) if not row["real_text"]] for entry in card["arms"]]
    monkeypatch.setattr("lib.scorecard.public.conclusions.guarantees", lambda card: [])  # sentences: the next test
    monkeypatch.setattr("lib.scorecard.public._coarse", lambda value, step: value)  # what is planted cannot be rounded
    monkeypatch.setattr("lib.scorecard.public.public_value", lambda name, value: value)  # nor is it a known name
    allowed = {f"planted.{name}" for name in ALWAYS} | {f"planted.corpus.{name}" for name in CORPUS}
    allowed |= {f"planted.together.{name}" for name in ("epsilon", "delta", "unit", *(f"arms.{i}" for i in range(3)))}
    for number, name in enumerate(names):
        here = f"planted.arms.{number}"
        allowed |= {f"{here}.{key}" for key in ARM}
        reasons = arm(card, name)["privacy"]["not_for_release"]
        allowed |= {f"{here}.privacy.not_for_release.{i}" for i in range(len(reasons))}
        if arm(card, name)["privacy"]["released"]:
            allowed |= {f"{here}.privacy.released.{key}" for key in ("epsilon", "covers", "charges")}
        if name in RELEASED:
            allowed |= {f"{here}.{key}" for key in OF_RELEASED} | {f"{here}.cost.machines.0"}
            allowed |= {f"{here}.cost.by_stage.{stage}" for stage in arm(card, name)["cost"]["by_stage"]}
            allowed |= {f"{here}.metrics.{i}.{key}" for i in own[number] for key in ROW}
    public = scorecard.public(planted(card))
    got = {leaf for leaf in leaves(public) if leaf.startswith("planted")}
    assert got - allowed == set()
    assert allowed & {*leaves(planted(card))} == got  # and all that may be shown is


def test_no_hash_of_parameters_is_public_and_replicas_still_share_a_recipe(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    recipes = [entry["recipe"] for entry in card["arms"]]
    numbered = [entry["recipe"] for entry in scorecard.public(card)["arms"]]
    assert not set(recipes) & set(numbered) and numbered[0] == "recipe 1"
    assert len({*zip(recipes, numbered, strict=True)}) == len({*recipes}) == len({*numbered})
    assert not any(recipe in json.dumps(scorecard.public(card)) for recipe in recipes)


def test_a_metric_of_embeddings_names_its_encoder(inputs: dict[str, Path]) -> None:
    path = inputs["fidelity"] / "fidelity.json"
    content = read_json(path)
    (text,) = (row for row in content["rows"] if row["arm"] == "eps8" and row["metric"] == "distinct_2")
    content["rows"] += [text | {"task": task, "metric": "vendi"} for task in ("embeddings", "voting encoder")]
    write_json(path, content | {"encoder": "hidden:hub:a/b", "voting_encoder": "bundled:votes"})
    toys.close(path.parent)
    for card in (toys.build(inputs), scorecard.public(toys.build(inputs))):
        seen = {row["encoder"] for row in arm(card, "eps8")["metrics"] if row["metric"] == "vendi"}
        assert seen == {"hidden:hub:a/b", "bundled:votes"} and metric(card, "eps8", "distinct_2")["encoder"] is None


def test_no_path_on_the_holder_s_disk_is_public(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    card["corpus"]["source"] = "csv:/home/somebody/clinic.csv"
    arm(card, "eps8")["model"] = "/home/somebody/model"
    for row in arm(card, "evolved")["metrics"]:
        row["encoder"] = "hidden:/home/somebody/encoder"
    arm(card, "evolved")["model"] = "hub:a/b"
    public = scorecard.public(card)
    assert "somebody" not in json.dumps(public)
    assert (public["corpus"]["source"], arm(public, "eps8")["model"]) == ("csv", "withheld")
    assert arm(public, "evolved")["model"] == "hub:a/b"


def test_time_and_memory_are_public_in_coarse_steps(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    for seconds, rounded in ((61.2, 120), (119.9, 120), (120.0, 120)):  # two private corpora, one figure
        arm(card, "eps8")["cost"] |= {"seconds": seconds, "peak_memory_mb": 3000 + seconds, "by_stage": {"a": seconds}}
        cost = arm(scorecard.public(card), "eps8")["cost"]
        assert (cost["seconds"], cost["peak_memory_mb"], cost["by_stage"]) == (rounded, 3500, {"a": rounded})


def test_the_public_scorecard_has_the_same_structure_and_promises(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    public = scorecard.public(card)
    assert public.keys() == card.keys() and public["corpus"].keys() == card["corpus"].keys()
    for mine, other in zip(public["arms"], card["arms"], strict=True):
        assert mine.keys() == other.keys()
        assert mine["privacy"].keys() == other["privacy"].keys() and mine["cost"].keys() == other["cost"].keys()
    row = arm(public, "eps8")["metrics"][0]
    assert row["metric"] == "distinct_2" and row.keys() == metric(card, "eps8", "distinct_2").keys()
    assert arm(public, "open")["metrics"] == [] and arm(public, "open")["records"] is None
    assert any("open (fine-tuned without privacy) has no privacy guarantee" in line for line in public["answers"])
    assert "mauve" not in json.dumps(public) and "tokens" not in json.dumps(public["answers"])
    json.dumps(public, allow_nan=False)


def test_the_arms_of_a_scorecard_of_format_1_can_still_be_public(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    old = {name: value for name, value in card.items() if name not in ("names", "pairs")} | {"format": 1}
    assert scorecard.public(old)["arms"] == scorecard.public(card)["arms"]  # a pack's card may show them


def test_an_arm_with_a_recorded_privacy_seed_shows_nothing_of_its_text(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    path = inputs["eps8"] / "privacy.json"
    reason = "10_finetune_dp_lora.eps8: privacy_seed is set, the noise can be redrawn"
    write_json(path, read_json(path) | {"not_for_release": [reason]})
    card = toys.build(inputs)
    assert arm(scorecard.public(card), "eps8")["metrics"] == []
    assert f"At epsilon 8, do not use eps8 (DP-LoRA): it must not be released ({reason})." in card["answers"]
