"""The scorecard of a whole run, of one with parts missing, and of runs that may not be compared."""

import json
import shutil
from pathlib import Path

import pytest
from support import scorecard_toys as toys
from support.project import ROOT, Project
from support.scorecard_toys import arm, metric

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_json
from lib.pipeline import stage_checks
from lib.privacy.accounting import DiscreteGaussian, Gaussian, epsilon
from lib.scorecard import conclusions, run_comparison, scorecard, tables
from lib.scorecard import inputs as roles


def better(card: dict) -> dict[tuple, str | None]:
    return {(row["metric"], *row["arms"]): row["better"] for row in card["comparisons"]}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    return toys.whole(tmp_path)


def test_every_arm_has_its_method_and_the_cost_of_all_that_it_was_made_from(inputs: dict[str, Path]) -> None:
    card = scorecard.build(inputs)
    assert (card["run"], card["floor"], card["corpus"]["units"]) == ("toy", "base", 1000)
    assert {one["name"]: one["method"] for one in card["arms"]} == {
        "base": "prompt only", "eps8": "DP-LoRA", "open": "fine-tuned without privacy", "evolved": "Aug-PE",
    }  # fmt: skip
    trained, evolved = arm(card, "eps8")["cost"], arm(card, "evolved")["cost"]
    assert trained["by_stage"] == {"11_generate.eps8": 10.0, "10_finetune_dp_lora.eps8": 100.0}  # the corpus is shared
    assert (trained["seconds"], trained["tokens"], trained["peak_memory_mb"]) == (110, 1050, 10_000)
    assert trained["money"] is None and evolved["money"] == 1.25  # an endpoint was paid
    privacy = arm(card, "eps8")["privacy"]
    assert privacy["target_epsilon"] == 8 and privacy["unit"] == "record" and privacy["not_for_release"] == []
    assert arm(card, "open")["privacy"]["epsilon"] is None and arm(card, "open")["privacy"]["not_for_release"]
    json.dumps(card, allow_nan=False)


def test_audit_and_copies_stand_beside_their_baselines(inputs: dict[str, Path]) -> None:
    card = scorecard.build(inputs)
    audit, copies = (arm(card, "evolved")["privacy"][name] for name in ("audit", "copies"))
    assert audit == {
        "verdict": "consistent", "bound": 1.5, "ceiling": 3.0, "claim": 8.0, "score": "loss", "estimator": "f-dp"
    }  # fmt: skip
    assert copies["near_duplicates"] == {"train": 4, "held_out": 3} and copies["longest_max"]["held_out"] == 12
    assert copies["verbatim"] == {"train": 2, "held_out": 1} and (copies["texts"], copies["records"]) == (300, 100)
    assert "did not audit" in arm(card, "open")["privacy"]["audit"]["because"]
    told = {(one["arm"], one["what"]) for one in card["missing"]}
    assert ("open", "audit") in told and ("base", "audit") not in told  # a prompt has nothing to hide


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (8.0, "consistent: showed 0.00; an ideal attack at this claim would show 2.73"),
        (None, "consistent: showed 0.00; every guess right would show 2.73"),
    ],
)
def test_of_equal_bounds_that_with_the_largest_ceiling_is_told(tmp_path: Path, claim: float | None, said: str) -> None:
    inputs = toys.whole(tmp_path)
    shutil.rmtree(inputs["audit"])
    toys.audited(tmp_path / "toy", bounds=(0.0, 0.0), ceilings=(1.78, 2.73), claim=claim)
    card = scorecard.build(inputs)
    audit = arm(card, "evolved")["privacy"]["audit"]
    assert (audit["bound"], audit["ceiling"], audit["estimator"]) == (0.0, 2.73, "f-dp")
    assert tables.arms(card)["audit"]["evolved"] == said


def test_rows_and_differences_of_all_arms(inputs: dict[str, Path]) -> None:
    card = scorecard.build(inputs)
    row = metric(card, "eps8", "mauve")
    assert (row["group"], row["task"], row["value"], row["floor"], row["ceiling"]) == (
        "fidelity", "embeddings", 0.5, pytest.approx(0.2), pytest.approx(0.9),
    )  # fmt: skip
    assert row["position"] == pytest.approx(3 / 7) and row["position_low"] < row["position"] and row["headline"]
    assert {row["group"] for row in card["comparisons"]} == {"fidelity", "utility"}
    assert {row["metric"] for row in card["comparisons"]} == {"mauve", "coverage", "accuracy"}  # headline ones alone
    assert better(card)["mauve", "base", "eps8"] == "eps8" and better(card)["accuracy", "eps8", "open"] == "open"


def test_arms_are_known_by_their_stage_whatever_a_measure_calls_them(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    swapped = toys.ARMS | {"eps8": toys.ARMS["evolved"], "evolved": toys.ARMS["eps8"]}
    shutil.rmtree(inputs["utility"])
    toys.measured(tmp_path / "toy", "utility", toys.LEVELS, metrics=[("mood", "accuracy")], named=swapped)
    card = scorecard.build(inputs)
    assert metric(card, "eps8", "accuracy")["value"] == toys.LEVELS["evolved"]
    assert metric(card, "eps8", "mauve")["value"] == toys.LEVELS["eps8"]
    assert (
        better(card)["accuracy", "eps8", "evolved"] == "evolved" and better(card)["mauve", "eps8", "evolved"] == "eps8"
    )


def test_an_encoder_that_disagrees_keeps_a_difference_from_being_said(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    shutil.rmtree(inputs["fidelity"])
    toys.measured(tmp_path / "toy", "fidelity", toys.LEVELS, against={"eps8": 0.35})
    card = scorecard.build(inputs)
    (row,) = [row for row in card["comparisons"] if row["metric"] == "mauve" and row["arms"] == ["eps8", "evolved"]]
    assert row["better"] is None and "views: other" in row["because"] and row["low"] > 0
    line = next(one for one in card["answers"] if one.startswith("At epsilon 8, "))
    assert line.endswith(
        "eps8 (DP-LoRA) beats evolved (Aug-PE) in utility on Accuracy; no sure difference in fidelity."
    )


def test_what_private_arms_spend_together_counts_what_they_share_once(inputs: dict[str, Path]) -> None:
    card = scorecard.build(inputs)
    spent = [DiscreteGaussian(40.0), Gaussian(2.0, 0.1, 10), Gaussian(2.0, 1.0, 3)]  # the label histogram, by all
    assert card["together"]["epsilon"] == pytest.approx(epsilon(spent, delta=card["corpus"]["delta"]))
    (whole,) = run_comparison.spent_together(run_comparison.gather(inputs["corpus"].parents[1])).to_dict("records")
    assert card["together"]["epsilon"] == pytest.approx(whole["epsilon"])  # as ./run_all.sh compare has it
    assert card["together"]["arms"] == ["base", "eps8", "evolved"] and card["together"]["unit"] == "record"
    assert scorecard.public(card)["together"] == card["together"]
    said = f"All private arms here together spend epsilon {whole['epsilon']:.2f} at delta 1.4e-04 for each record; "
    assert conclusions.together(card["together"]).startswith(said)


def test_without_a_private_arm_nothing_is_spent_together(inputs: dict[str, Path]) -> None:
    card = scorecard.build({name: inputs[name] for name in ("corpus", "open")})
    assert card["together"] is None and scorecard.public(card)["together"] is None
    assert conclusions.together(card["together"]) == "No arm here is private."


@pytest.mark.parametrize("gone", ["fidelity", "utility", "audit"])
def test_what_was_not_measured_is_told_and_the_rest_is_compared(inputs: dict[str, Path], gone: str) -> None:
    del inputs[gone]
    card = scorecard.build(inputs)
    (told,) = [one for one in card["missing"] if one["what"] == gone]
    assert told["arm"] is None and "no stage of 2" in told["because"]
    assert {row["group"] for row in card["comparisons"]} == {"fidelity", "utility"} - {gone}
    assert card["answers"] and len(card["arms"]) == 4


def test_nothing_measured_leaves_privacy_and_cost(inputs: dict[str, Path]) -> None:
    for gone in ("fidelity", "utility", "audit"):
        del inputs[gone]
    card = scorecard.build(inputs)
    assert card["comparisons"] == [] and "no headline metric" in card["answers"][0] and card["floor"] is None
    assert arm(card, "eps8")["cost"]["seconds"] == 110
    assert arm(card, "eps8")["privacy"]["copies"]["verbatim"] == {"train": 2, "held_out": 1}


def test_an_arm_that_a_measure_left_out_is_told_and_the_others_are_compared(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    shutil.rmtree(inputs["fidelity"])
    toys.measured(tmp_path / "toy", "fidelity", {name: toys.LEVELS[name] for name in ("base", "eps8")})
    card = scorecard.build(inputs)
    told = {one["arm"] for one in card["missing"] if one["what"] == "fidelity"}
    assert told == {"open", "evolved"}
    assert better(card)["mauve", "base", "eps8"] == "eps8" and better(card)["mauve", "eps8", "evolved"] is None
    (row,) = [row for row in card["comparisons"] if row["metric"] == "mauve" and row["arms"] == ["eps8", "evolved"]]
    assert "evolved is not in it" in row["because"]
    del inputs["eps8"]
    assert "measured 11_generate.eps8, which is not among" in str(scorecard.build(inputs)["missing"])


def test_seconds_of_different_machines_are_told_apart(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    path = inputs["evolved"] / "provenance.json"
    write_json(path, read_json(path) | {"machine": toys.MACHINE | {"gpus": [{"name": "H100"}]}})
    (told,) = [one for one in scorecard.build(inputs)["missing"] if one["what"] == "cost"]
    assert "AMD EPYC, 2 cores, 1 x H100" in told["because"]


def test_a_stage_that_is_not_done_is_refused(inputs: dict[str, Path]) -> None:
    (inputs["eps8"].parent / "10_finetune_dp_lora.eps8" / "done.json").unlink()  # an ancestor, no input
    with pytest.raises(DoppelError, match=r"stage 10_finetune_dp_lora\.eps8 of run toy is not done"):
        scorecard.build(inputs)


def test_a_stage_that_is_older_than_its_inputs_is_refused(inputs: dict[str, Path]) -> None:
    (inputs["eps8"] / "synthetic.jsonl").write_text("{} {}")
    toys.close(inputs["eps8"])
    with pytest.raises(DoppelError, match=r"was made from another 11_generate\.eps8 than the one that is there"):
        scorecard.build(inputs)


def test_arms_of_different_corpora_are_refused(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    run = tmp_path / "toy"
    toys.stage(run, "00_process_data.other", files={"train.jsonl": "", "test.jsonl": ""}, source="toy")
    named = {"corpus": "00_process_data.other"}
    more = toys.stage(run, "11_generate.more", inputs=named, metrics={"records": 3}, base_model="toy")
    with pytest.raises(DoppelError, match=r"11_generate\.more was made from 00_process_data\.other, not from"):
        scorecard.build(inputs | {"more": more})


@pytest.mark.parametrize(("name", "value"), [("units", 999), ("delta", 1e-5), ("unit", "user")])
def test_an_arm_that_counts_otherwise_is_refused(inputs: dict[str, Path], name: str, value: object) -> None:
    path = inputs["base"] / "privacy.json"
    write_json(path, read_json(path) | {name: value})
    with pytest.raises(DoppelError, match=rf"11_generate\.base: its {name} is {value}, that of 00_process_data"):
        scorecard.build(inputs)


def test_two_floors_are_refused(inputs: dict[str, Path]) -> None:
    path = inputs["utility"] / "params.yaml"
    path.write_text(path.read_text().replace("floor: base", "floor: eps8"))
    with pytest.raises(DoppelError, match=r"21_fidelity has 11_generate\.base, 22_utility has 11_generate\.eps8"):
        scorecard.build(inputs)


def replicated(tmp_path: Path, levels: dict[str, float]) -> dict[str, Path]:
    """A sweep: two seeds of the private fine-tuning, which the base arm stands beside."""
    run = tmp_path / "sweep"
    toys.corpus(run)
    data = {"corpus": "00_process_data"}
    toys.stage(run, "11_generate.base", inputs=data, metrics={"records": 1}, base_model="toy", samples=300)
    ids = {"base": "11_generate.base"}
    for number in range(3):
        ids[f"s{number}"] = f"11_generate.s{number}"
        above = {"inputs": data, "events": [Gaussian(2.0, 0.1, 9)], "seed": number, "target": 8.0}
        toys.stage(run, f"10_finetune_dp_lora.s{number}", **above, model="toy", target_epsilon=8.0, steps=9)
        fed = data | {"model": f"10_finetune_dp_lora.s{number}"}
        toys.stage(run, ids[f"s{number}"], inputs=fed, target=8.0, metrics={"records": 1}, seed=number)
    toys.measured(run, "fidelity", levels, named=ids)
    return {"corpus": run / "00_process_data", "f": run / "21_fidelity"} | {n: run / id for n, id in ids.items()}


def test_replicas_over_seeds_enter_as_one_method(tmp_path: Path) -> None:
    card = scorecard.build(replicated(tmp_path, {"base": 0.2, "s0": 0.5, "s1": 0.51, "s2": 0.49}))
    assert len({one["recipe"] for one in card["arms"]}) == 2 and [one["seed"] for one in card["arms"]] == [0, 0, 1, 2]
    (row,) = [row for row in card["comparisons"] if row["metric"] == "mauve"]
    assert row["arms"] == ["base", "DP-LoRA at epsilon 8"] and row["replicas"] == [1, 3]
    assert row["better"] == "DP-LoRA at epsilon 8"
    assert any(
        line.startswith("Against the floor, DP-LoRA at epsilon 8 over 3 seeds beats base in fidelity")
        for line in card["answers"]
    )


def test_a_method_whose_seeds_disagree_beats_nothing(tmp_path: Path) -> None:
    card = scorecard.build(replicated(tmp_path, {"base": 0.2, "s0": 0.3, "s1": 0.9, "s2": 0.6}))
    assert set(better(card).values()) == {None}


def test_another_parameter_makes_no_replica(tmp_path: Path) -> None:
    inputs = replicated(tmp_path, {"base": 0.2, "s0": 0.5, "s1": 0.51, "s2": 0.49})
    path = tmp_path / "sweep" / "10_finetune_dp_lora.s2" / "params.yaml"
    path.write_text(path.read_text().replace("steps: 9", "steps: 99"))
    assert len({one["recipe"] for one in scorecard.build(inputs)["arms"]}) == 3


def test_roles_are_told_by_the_notebook() -> None:
    arms = {"corpus": "00_process_data", "a": "11_generate.a", "b": "12_aug_pe"}
    found = roles.split(arms | {"x": "22_utility.long", "y": "21_fidelity"})
    assert found.arms == {"a": "11_generate.a", "b": "12_aug_pe"}
    assert found.measures == {"utility": "22_utility.long", "fidelity": "21_fidelity"}
    for wrong, told in [
        ({"a": "11_generate.a"}, "has no 'corpus'"),
        ({"corpus": "00_process_data"}, "names no arm"),
        (arms | {"m": "10_finetune_dp_lora.a"}, "m: 10_finetune_dp_lora.a is no arm and measures none"),
        (arms | {"x": "21_fidelity", "y": "21_fidelity.more"}, "both measure fidelity"),
        (arms | {"again": "11_generate.a"}, "is named twice"),
        (arms | {"ceiling": "11_generate.c"}, "the name is kept for held-out real records"),
    ]:
        with pytest.raises(DoppelError, match=told):
            roles.split(wrong)


def test_pre_flight_refuses_a_release_that_is_no_arm() -> None:
    given = {"inputs": {"corpus": "00_process_data", "eps8": "11_generate.eps8"}, "release": ["eps9"]}
    with pytest.raises(DoppelError, match="release: 'eps9' is no arm among inputs; did you mean eps8"):
        stage_checks.CHECKS["30_compare"](given)
    stage_checks.CHECKS["30_compare"](given | {"release": ["eps8"]})


def test_a_scorecard_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DoppelError, match="no scorecard"):
        scorecard.read(tmp_path)
    write_json(tmp_path / "scorecard.json", {"format": 99})
    with pytest.raises(DoppelError, match="no scorecard of format 1"):
        scorecard.read(tmp_path)


def test_the_answers_advise_and_warn(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    told = scorecard.build(inputs)["answers"]
    assert told[0] == (
        "At epsilon 8 use eps8 (DP-LoRA), for 110 s, 1,050 tokens and 10.0 GB: it is better in 3 of 3 comparisons with "
        "other private arms, and worse in none."
    )
    cost = next(line for line in told if line.startswith("What privacy costs in utility, eps8"))
    assert (
        "eps8 (DP-LoRA) against open (fine-tuned without privacy): on Accuracy the method without privacy goes" in cost
    )
    assert "goes 0.86 of the way from floor to ceiling, of which privacy takes 0.43 [" in cost
    cost = next(line for line in told if line.startswith("What privacy costs in fidelity, eps8"))
    assert "]; on Coverage 0.86, of which privacy takes 0.43 [" in cost
    shutil.rmtree(inputs["audit"])
    toys.audited(tmp_path / "toy", verdict="violated")
    told = scorecard.build(inputs)["answers"]
    assert "At epsilon 8 do not use evolved: its audit found the claimed epsilon violated." in told
    assert told[0].startswith("At epsilon 8 the only private arm that may be used is eps8 (DP-LoRA), for 110 s")


EQUAL = {"base": 0.2, "eps8": 0.2, "open": 0.8, "evolved": 0.2}


def test_equal_arms_are_not_ranked(tmp_path: Path) -> None:
    told = scorecard.build(toys.whole(tmp_path, fidelity=EQUAL, utility=EQUAL))["answers"]
    assert told[0].startswith("At epsilon 8 no headline metric tells eps8 (DP-LoRA) and evolved (Aug-PE) apart, and ")
    assert "Against the floor, no sure difference between eps8 (DP-LoRA) and base in fidelity or utility." in told
    assert not [line for line in told if line.startswith("At epsilon 8, ")]  # which would say the same again


@pytest.mark.parametrize(
    ("cost", "cheapest"),
    [
        ({"seconds": 140}, True),  # of 110, and the same tokens
        ({"seconds": 137}, False),  # one timing each
        ({"tokens": 1000}, False),  # of 1050
        ({"tokens": 2000}, True),
        ({"machines": ["another"]}, False),  # whose seconds do not compare
    ],
)
def test_of_equal_arms_one_is_called_the_cheapest_where_its_cost_is_clearly_the_least(
    tmp_path: Path, cost: dict, cheapest: bool
) -> None:
    card = scorecard.build(toys.whole(tmp_path, fidelity=EQUAL, utility=EQUAL))
    arm(card, "evolved")["cost"] = arm(card, "eps8")["cost"] | {"seconds": 400} | cost
    told = conclusions.tell(card, scorecard.entrants(card["arms"]))[0]
    assert ("apart, and eps8 (DP-LoRA) is the cheapest: " in told) == cheapest
    assert ("apart, and none is clearly the cheapest: " in told) != cheapest
    assert "eps8 (DP-LoRA) took 110 s, 1,050 tokens" in told and "; evolved (Aug-PE) took " in told


def test_an_arm_that_is_fast_but_paid_is_not_called_the_cheapest(tmp_path: Path) -> None:
    card = scorecard.build(toys.whole(tmp_path, fidelity=EQUAL, utility=EQUAL))
    arm(card, "evolved")["cost"] |= {"seconds": 10, "tokens": 10}
    assert "none is clearly the cheapest: " in conclusions.tell(card, scorecard.entrants(card["arms"]))[0]


def test_the_notebook_compares_a_run_and_has_another_beside_it(here: Project) -> None:
    shutil.copytree(ROOT / "notebooks", here.root / "notebooks")
    inputs = toys.whole(here.root / "results")
    toys.whole(here.root / "results", "elsewhere")
    named = {name: folder.name for name, folder in inputs.items()}
    for run in ("elsewhere", "toy"):
        found = here.play("30_compare", run=run, inputs=named, runs=["elsewhere"] if run == "toy" else [])
    folder = here.stage("30_compare")
    card, public = scorecard.read(folder), read_json(folder / "public.json")
    assert card["comparisons"] and public["comparisons"] == []
    pictures = {path.stem for path in (folder / "figures").iterdir()}
    assert pictures == {"frontier_epsilon", "frontier_seconds", "frontier_tokens"}
    assert {point.run for point in found["points"]} == {"toy", "elsewhere"}
    assert found["said"]["better"] is None and "other" in found["said"]["because"]  # the toy
    assert read_json(folder / "privacy.json")["epsilon"] is None  # what it inherits was evaluation only
    assert read_json(folder / "metrics.json")["eps8/fidelity/embeddings/mauve"] == 0.5
