"""The scorecard of a whole run, of one with parts missing, and of runs that may not be compared."""

import json
import re
import shutil
from pathlib import Path

import pytest
from support import scorecard_toys as toys
from support.errors import refused
from support.project import ROOT, Project
from support.scorecard_toys import ARMS, arm, metric

from lib.common import formatting
from lib.common.files import read_json, write_json
from lib.pipeline import stage_checks
from lib.privacy.accounting import DiscreteGaussian, Gaussian, epsilon
from lib.privacy.ledger import NO_UNIT, Ledger
from lib.scorecard import conclusions, pairwise, run_comparison, scorecard, tables
from lib.scorecard import inputs as roles
from lib.stage import finished
from lib.stage.finished import Run


def better(card: dict) -> dict[tuple, str | None]:
    """The better arm by metric and pair, with display names."""
    names = card["names"] | {None: None}
    return {(row["metric"], *(names[arm] for arm in row["arms"])): names[row["better"]] for row in card["comparisons"]}


def pair(card: dict, first: str, second: str, group: str) -> dict[str, set[str]]:
    """The metrics of each verdict on a pair of arms, by their display names."""
    assert {first, second} <= {*card["names"].values()}
    return {
        row["verdict"]: {metric["metric"] for metric in row["metrics"]}
        for row in card["pairs"]
        if [card["names"][arm] for arm in row["arms"]] == [first, second] and row["group"] == group
    }


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    return toys.whole(tmp_path)


def test_every_arm_has_its_method_and_the_cost_of_all_that_it_was_made_from(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    assert (card["run"], card["floor"], card["corpus"]["units"]) == ("toy", ARMS["base"], 1000)
    assert card["names"] == {stage: name for name, stage in ARMS.items()}
    assert {card["names"][entry["stage"]]: entry["method"] for entry in card["arms"]} == {
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
    card = toys.build(inputs)
    audit, copies = (arm(card, "evolved")["privacy"][name] for name in ("audit", "copies"))
    assert audit == {
        "verdict": "consistent", "bound": 1.5, "ceiling": 3.0, "claim": 8.0, "access": "votes", "canaries": 1000
    }  # fmt: skip
    assert copies["near_duplicates"] == {"train": 4, "held_out": 3} and copies["longest_max"]["held_out"] == 12
    assert copies["verbatim"] == {"train": 2, "held_out": 1} and (copies["texts"], copies["records"]) == (300, 100)
    assert "did not audit" in arm(card, "open")["privacy"]["audit"]["because"]
    missing = {(entry["arm"], entry["what"]) for entry in card["missing"]}
    assert (ARMS["open"], "audit") in missing and (ARMS["base"], "audit") not in missing  # a prompt has nothing to hide


def test_of_equal_bounds_that_with_the_largest_ceiling_is_shown(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    shutil.rmtree(inputs["audit"])
    toys.audited(tmp_path / "toy", bounds=(0.0, 0.0), ceilings=(1.78, 2.73))
    card = toys.build(inputs)
    audit = arm(card, "evolved")["privacy"]["audit"]
    assert (audit["bound"], audit["ceiling"], audit["access"]) == (0.0, 2.73, "votes")
    assert tables.arms(card)["audit"]["evolved"] == "consistent: showed 0 of 8.00; an ideal attack would show 2.73"


def test_rows_and_differences_of_all_arms(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    row = metric(card, "eps8", "mauve")
    assert (row["group"], row["task"], row["value"], row["floor"], row["ceiling"]) == (
        "fidelity", "embeddings", 0.5, pytest.approx(0.2), pytest.approx(0.9),
    )  # fmt: skip
    assert row["position"] == pytest.approx(3 / 7) and row["position_low"] < row["position"] and row["headline"]
    assert row["arm"] == ARMS["eps8"]
    assert {row["group"] for row in card["comparisons"]} == {"fidelity", "utility"}
    assert {row["metric"] for row in card["comparisons"]} == {"mauve", "coverage", "accuracy"}  # headline ones alone
    assert better(card)["mauve", "base", "eps8"] == "eps8" and better(card)["accuracy", "eps8", "open"] == "open"


def test_arms_are_known_by_their_stage_whatever_a_measure_calls_them(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    swapped = toys.ARMS | {"eps8": toys.ARMS["evolved"], "evolved": toys.ARMS["eps8"]}
    shutil.rmtree(inputs["utility"])
    toys.measured(tmp_path / "toy", "utility", toys.LEVELS, metrics=[("mood", "accuracy")], named=swapped)
    card = toys.build(inputs)
    assert metric(card, "eps8", "accuracy")["value"] == toys.LEVELS["evolved"]
    assert metric(card, "eps8", "mauve")["value"] == toys.LEVELS["eps8"]
    assert better(card)["mauve", "eps8", "evolved"] == "eps8"
    assert better(card)["accuracy", "eps8", "evolved"] == "evolved"


def test_a_stage_that_measured_one_arm_under_two_names_is_refused(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    twice = toys.ARMS | {"evolved": toys.ARMS["eps8"]}
    toys.measured(tmp_path / "toy", "utility", toys.LEVELS, metrics=[("mood", "accuracy")], named=twice)
    with refused("scorecard.measured_twice", name="evolved", value=ARMS["eps8"]):
        toys.build(inputs)


def test_an_encoder_that_disagrees_keeps_a_difference_from_being_said(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    shutil.rmtree(inputs["fidelity"])
    toys.measured(tmp_path / "toy", "fidelity", toys.LEVELS, against={"eps8": 0.35})
    card = toys.build(inputs)
    both = [ARMS["eps8"], ARMS["evolved"]]
    (row,) = [row for row in card["comparisons"] if row["metric"] == "mauve" and row["arms"] == both]
    assert row["better"] is None and "views: other" in row["because"] and row["low"] > 0
    assert pair(card, "eps8", "evolved", "fidelity") == {"no difference": {"mauve", "coverage"}}
    assert pair(card, "eps8", "evolved", "utility") == {"better": {"accuracy"}}


def test_what_private_arms_spend_together_counts_what_they_share_once(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    spent = [DiscreteGaussian(40.0), Gaussian(2.0, 0.1, 10), Gaussian(2.0, 1.0, 3)]  # the label histogram, by all
    assert card["together"]["epsilon"] == pytest.approx(epsilon(spent, delta=card["corpus"]["delta"]))
    (whole,) = run_comparison.spent_together(run_comparison.gather(inputs["corpus"].parents[1])).to_dict("records")
    assert card["together"]["epsilon"] == pytest.approx(whole["epsilon"])  # as ./run_all.sh compare has it
    assert card["together"]["arms"] == [ARMS[name] for name in ("base", "eps8", "evolved")]
    assert card["together"]["unit"] == "record" and scorecard.public(card)["together"] == card["together"]
    sentence = conclusions.together(card)
    assert f"spend epsilon {whole['epsilon']:.2f} at delta 0.00014 for each record" in sentence


def test_without_a_private_arm_nothing_is_spent_together(inputs: dict[str, Path]) -> None:
    card = toys.build({name: inputs[name] for name in ("corpus", "open")})
    assert card["together"] is None and scorecard.public(card)["together"] is None
    assert conclusions.together(card) == "No arm is private."


@pytest.mark.parametrize("gone", ["fidelity", "utility", "audit"])
def test_what_was_not_measured_is_listed_and_the_rest_is_compared(inputs: dict[str, Path], gone: str) -> None:
    del inputs[gone]
    card = toys.build(inputs)
    (entry,) = [entry for entry in card["missing"] if entry["what"] == gone]
    assert entry["arm"] is None and "no stage of 2" in entry["because"]
    assert {row["group"] for row in card["comparisons"]} == {"fidelity", "utility"} - {gone}
    assert card["answers"] and len(card["arms"]) == 4


def test_nothing_measured_leaves_privacy_and_cost(inputs: dict[str, Path]) -> None:
    for gone in ("fidelity", "utility", "audit"):
        del inputs[gone]
    card = toys.build(inputs)
    assert card["comparisons"] == card["pairs"] == [] and card["floor"] is None
    assert "No headline metric was measured" in card["answers"][0]
    assert arm(card, "eps8")["cost"]["seconds"] == 110
    assert arm(card, "eps8")["privacy"]["copies"]["verbatim"] == {"train": 2, "held_out": 1}


def test_an_arm_that_a_measure_left_out_is_listed_and_the_others_are_compared(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    shutil.rmtree(inputs["fidelity"])
    toys.measured(tmp_path / "toy", "fidelity", {name: toys.LEVELS[name] for name in ("base", "eps8")})
    card = toys.build(inputs)
    assert {entry["arm"] for entry in card["missing"] if entry["what"] == "fidelity"} == {ARMS["open"], ARMS["evolved"]}
    assert better(card)["mauve", "base", "eps8"] == "eps8" and better(card)["mauve", "eps8", "evolved"] is None
    both = [ARMS["eps8"], ARMS["evolved"]]
    (row,) = [row for row in card["comparisons"] if row["metric"] == "mauve" and row["arms"] == both]
    assert f"{ARMS['evolved']} is not in it" in row["because"]
    assert pair(card, "eps8", "evolved", "fidelity") == {"not compared": {"mauve", "coverage"}}
    del inputs["eps8"]
    assert "measured 11_generate.eps8, which is not among" in str(toys.build(inputs)["missing"])


def test_seconds_of_different_machines_are_not_compared(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    path = inputs["evolved"] / "provenance.json"
    write_json(path, read_json(path) | {"machine": toys.MACHINE | {"gpus": [{"name": "H100"}]}})
    (entry,) = [entry for entry in toys.build(inputs)["missing"] if entry["what"] == "cost"]
    assert "AMD EPYC, 2 cores, 1 x H100" in entry["because"]


def test_a_stage_that_is_not_done_is_refused(inputs: dict[str, Path]) -> None:
    (inputs["eps8"].parent / "10_finetune_dp_lora.eps8" / "done.json").unlink()  # an ancestor, no input
    with refused("stage.not_done", name="10_finetune_dp_lora.eps8"):
        toys.build(inputs)


def test_a_stage_that_is_older_than_its_inputs_is_refused(inputs: dict[str, Path]) -> None:
    (inputs["eps8"] / "synthetic.jsonl").write_text("{} {}")
    toys.close(inputs["eps8"])
    with refused("stage.made_from_another") as error:
        toys.build(inputs)
    assert ARMS["eps8"] in str(error.value)


def test_arms_of_different_corpora_are_refused(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    run = tmp_path / "toy"
    toys.stage(run, "00_process_data.other", files={"train.jsonl": "", "test.jsonl": ""}, source="toy")
    named = {"corpus": "00_process_data.other"}
    more = toys.stage(run, "11_generate.more", inputs=named, metrics={"records": 3}, base_model="toy")
    with refused("stage.another_corpus", name="11_generate.more"):
        toys.build(inputs | {"more": more})


@pytest.mark.parametrize(("name", "value"), [("units", 999), ("delta", 1e-5), ("unit", "user")])
def test_an_arm_that_counts_otherwise_is_refused(inputs: dict[str, Path], name: str, value: object) -> None:
    path = inputs["base"] / "privacy.json"
    write_json(path, read_json(path) | {name: value})
    with refused("stage.counts_differ", name=ARMS["base"]):
        toys.build(inputs)


def test_two_floors_are_refused(inputs: dict[str, Path]) -> None:
    path = inputs["utility"] / "params.yaml"
    path.write_text(path.read_text().replace("floor: base", "floor: eps8"))
    with refused("scorecard.floors_differ", name="floor") as error:
        toys.build(inputs)
    assert "21_fidelity used 11_generate.base, 22_utility used 11_generate.eps8" in str(error.value)


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
    card = toys.build(replicated(tmp_path, {"base": 0.2, "s0": 0.5, "s1": 0.51, "s2": 0.49}))
    assert [entry["seed"] for entry in card["arms"]] == [0, 0, 1, 2]
    recipes = {entry["recipe"] for entry in card["arms"]} - {arm(card, "base")["recipe"]}
    (row,) = [row for row in card["comparisons"] if row["metric"] == "mauve"]
    assert row["arms"] == ["11_generate.base", *recipes] and row["replicas"] == [1, 3]  # replicas are their recipe
    assert better(card)["mauve", "base", "DP-LoRA at epsilon 8"] == "DP-LoRA at epsilon 8"
    assert pair(card, "base", "DP-LoRA at epsilon 8", "fidelity") == {"worse": {"mauve", "coverage"}}
    assert "DP-LoRA at epsilon 8 over 3 seeds is the only private arm" in card["answers"][0]
    assert "no significant improvement" not in card["answers"][0]


def test_replicas_are_not_called_like_an_arm(tmp_path: Path) -> None:
    inputs = replicated(tmp_path, {"base": 0.2, "s0": 0.5, "s1": 0.51, "s2": 0.49})
    inputs = {{"base": "DP-LoRA at epsilon 8"}.get(name, name): folder for name, folder in inputs.items()}
    assert sorted(toys.build(inputs)["names"].values()) == [
        "DP-LoRA at epsilon 8", "DP-LoRA at epsilon 8 (s0)", "s0", "s1", "s2",
    ]  # fmt: skip


def test_a_method_whose_seeds_disagree_beats_nothing(tmp_path: Path) -> None:
    card = toys.build(replicated(tmp_path, {"base": 0.2, "s0": 0.3, "s1": 0.9, "s2": 0.6}))
    assert set(better(card).values()) == {None}


def test_another_parameter_makes_no_replica(tmp_path: Path) -> None:
    inputs = replicated(tmp_path, {"base": 0.2, "s0": 0.5, "s1": 0.51, "s2": 0.49})
    path = tmp_path / "sweep" / "10_finetune_dp_lora.s2" / "params.yaml"
    path.write_text(path.read_text().replace("steps: 9", "steps: 99"))
    assert len({entry["recipe"] for entry in toys.build(inputs)["arms"]}) == 3


GIVEN = {"corpus": "00_process_data", "a": "11_generate.a", "b": "12_aug_pe"}


def test_roles_follow_from_the_notebook() -> None:
    split = roles.split(GIVEN | {"x": "22_utility.long", "y": "21_fidelity"})
    assert split.arms == {"a": "11_generate.a", "b": "12_aug_pe"}
    assert split.measures == {"utility": "22_utility.long", "fidelity": "21_fidelity"}


@pytest.mark.parametrize(
    ("given", "code", "name"),
    [
        ({"a": "11_generate.a"}, "scorecard.no_corpus", "inputs"),
        ({"a": "50_private_records", "b": "11_generate.b"}, "scorecard.no_corpus", "inputs"),
        ({"a": "50_private_records", "x": "21_fidelity"}, "scorecard.no_corpus", "inputs"),
        ({"corpus": "11_generate.a"}, "stage.input_of_another_notebook", "corpus"),
        ({"corpus": "00_process_data"}, "scorecard.no_arm", "inputs"),
        (GIVEN | {"m": "10_finetune_dp_lora.a"}, "scorecard.input_without_role", "m"),
        (GIVEN | {"x": "21_fidelity", "y": "21_fidelity.more"}, "scorecard.measured_by_two", "y"),
        (GIVEN | {"again": "11_generate.a"}, "scorecard.arm_twice", "again"),
        (GIVEN | {"ceiling": "11_generate.c"}, "scorecard.name_reserved", "ceiling"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(given: dict[str, str], code: str, name: str) -> None:
    with refused(code, name=name, **({} if name in ("inputs",) else {"value": given[name]})):
        roles.split(given)


def made_up(run: Path) -> dict[str, str]:
    """Two arms that read no private record."""
    for id, inputs in (("50_private_records", {}), ("51_sanitize", {"records": "50_private_records"})):
        folder = toys.stage(run, id, inputs=inputs, author="grammar", rewriter="rules", model=None)
        write_json(folder / "privacy.json", Ledger(NO_UNIT, 0).statement(id))
        toys.close(folder, inputs)
    return {"records": "50_private_records", "clean": "51_sanitize"}


def test_arms_that_read_no_private_record_need_no_corpus(tmp_path: Path) -> None:
    card = scorecard.build(Run(tmp_path / "toy"), made_up(tmp_path / "toy"))
    assert [(entry["stage"], entry["privacy"]["epsilon"]) for entry in card["arms"]] == [
        ("50_private_records", 0), ("51_sanitize", 0),
    ]  # fmt: skip
    assert card["corpus"]["unit"] == NO_UNIT and card["missing"] == [] and card["together"] is None
    assert sum("read no private record, so they spent no epsilon" in answer for answer in card["answers"]) == 1
    assert conclusions.together(card) == "No private record was read, so no budget was spent."
    shown = scorecard.public(card)
    assert shown["corpus"]["units"] == 0 and conclusions.together(shown) == conclusions.together(card)


def test_an_arm_that_passes_on_private_ones_is_of_their_corpus(inputs: dict[str, Path], tmp_path: Path) -> None:
    run = inputs["corpus"].parent
    toys.stage(
        run,
        "51_sanitize",
        inputs={"arm": ARMS["eps8"]},
        target=8.0,
        metrics={"records": 300},
        rewriter="rules",
        model=None,
    )
    given = {"corpus": "00_process_data", "eps8": ARMS["eps8"], "clean": "51_sanitize"}
    private, clean = scorecard.build(Run(run), given)["arms"]
    assert clean["privacy"]["epsilon"] == private["privacy"]["epsilon"] and clean["method"] == "Sanitized"
    with refused("scorecard.no_corpus", name="inputs"):
        scorecard.build(Run(run), {"clean": "51_sanitize"})
    made_up(run)
    with refused("stage.another_corpus", name="50_private_records"):
        scorecard.build(Run(run), {"corpus": "00_process_data", "records": "50_private_records"})


def test_pre_flight_refuses_a_release_that_is_no_arm() -> None:
    given = {"inputs": {"corpus": "00_process_data", "eps8": "11_generate.eps8"}, "release": ["eps9"]}
    with refused("scorecard.release_of_no_arm", name="release", value="eps9") as error:
        stage_checks.CHECKS["30_compare"](given)
    assert "eps8" in error.value.remedy
    stage_checks.CHECKS["30_compare"](given | {"release": ["eps8"]})


def test_a_scorecard_of_another_format_is_refused(tmp_path: Path) -> None:
    toys.corpus(tmp_path)
    folder = toys.stage(tmp_path, "30_compare", inputs={"corpus": "00_process_data"})
    with refused("scorecard.absent"):
        scorecard.read(finished.read_stage(folder))
    for card in ({"format": 1}, {"format": 99}, {}, []):
        write_json(folder / "scorecard.json", card)
        with refused("scorecard.other_format", value=card["format"] if card else None):
            scorecard.read(finished.read_stage(folder))


def test_the_answers_advise_and_warn(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    card = toys.build(inputs)
    answers = card["answers"]

    def spent(name: str) -> str:
        return formatting.number(arm(card, name)["privacy"]["epsilon"])

    assert answers[0] == (
        "At epsilon 8, use eps8 (DP-LoRA): in headline metrics it beats the other private arms in 3 of 3 comparisons "
        "and loses none. Making it took 1\u00a0min\u00a050\u00a0s, 1,050 tokens and 10 GB of memory."
    )
    draws = {"base (prompt only)": "1 draw", "eps8 (DP-LoRA)": "2 draws", "evolved (Aug-PE)": "2 draws"}
    costs = {
        name: formatting.number(arm(card, name)["privacy"]["released"]["epsilon"])
        for name in toys.ARMS
        if name != "open"
    }
    sentences = [
        f"{name} guarantees epsilon {spent(name.split()[0])} at delta 0.00014 for each record; releasing it costs "
        f"epsilon {costs[name.split()[0]]}, that of everything charged to its corpus ({count}), since it was not named "
        "before it was made."
        for name, count in draws.items()
    ]
    free = "open (fine-tuned without privacy) has no privacy guarantee, so it must not be released."
    assert answers[1].startswith("Utility shows the price of privacy in Accuracy (mood by TF-IDF): there open, made ")
    assert answers[2:] == [*sentences[:2], free, sentences[2]]
    shutil.rmtree(inputs["audit"])
    toys.audited(tmp_path / "toy", verdict="violated")
    answers = toys.build(inputs)["answers"]
    refusal = "At epsilon 8, do not use evolved (Aug-PE): its audit showed a larger epsilon than it claims."
    assert answers[0].startswith(
        "At epsilon 8, eps8 (DP-LoRA) is the only private arm that can be used. Making it took"
    )
    assert answers[1] == refusal


def test_arms_of_which_the_same_can_be_said_share_a_sentence() -> None:
    shared = {"unit": "record", "delta": 1e-5, "not_for_release": [], "released": None}
    names = {f"11_generate.{name}": name for name in "abcd"}

    def said(**by_name: dict) -> list[str]:
        arms = [{"stage": f"11_generate.{n}", "method": "m", "privacy": shared | of} for n, of in by_name.items()]
        return conclusions.guarantees({"arms": arms, "names": names})

    scope = "at delta 1.0e-5 for each record"
    whole = {"covers": "all that was charged", "epsilon": 9.0, "charges": 4}
    assert said(a={"epsilon": 1.0, "released": whole}, b={"epsilon": None}, c={"epsilon": 2.0, "released": whole}) == [
        f"a (m) guarantees epsilon 1.00 and c (m) 2.00 {scope}; releasing any of them costs epsilon 9.00, that of "
        "everything charged to their corpus (4 draws), since none was named before it was made.",
        "b (m) has no privacy guarantee, so it must not be released.",
    ]
    own = [{"epsilon": value, "released": {"covers": "this arm", "epsilon": value}} for value in (1.0, 2.0)]
    assert said(a=own[0], b=own[1]) == [
        f"a (m) guarantees epsilon 1.00 and b (m) 2.00 {scope}; each was named for release before it was made, so that "
        "is what releasing any of them costs."
    ]
    assert len(said(a=own[0], b=own[1] | {"delta": 1e-6})) == 2  # other deltas are other guarantees
    assert said(a={"epsilon": 0.0, "not_for_release": ["its noise was seeded"]}, b={"epsilon": 1.0}) == [
        f"a (m) guarantees epsilon 0 {scope}, but it must not be released: its noise was seeded.",
        f"b (m) guarantees epsilon 1.00 {scope}.",
    ]
    assert said(a={"epsilon": None}, b={"epsilon": None}) == [
        "a (m) and b (m) have no privacy guarantee, so they must not be released."
    ]


def test_the_pairs_sum_up_every_comparison(inputs: dict[str, Path]) -> None:
    card = toys.build(inputs)
    assert pair(card, "eps8", "open", "fidelity") == {"worse": {"mauve", "coverage"}}
    assert pair(card, "eps8", "evolved", "utility") == {"better": {"accuracy"}}
    summed = [(*row["arms"], row["group"], metric["task"], metric["metric"], row["verdict"])
              for row in card["pairs"] for metric in row["metrics"]]  # fmt: skip
    expected = [
        (*row["arms"], row["group"], row["task"], row["metric"],
         {row["arms"][0]: "better", row["arms"][1]: "worse", None: "no difference"}[row["better"]])
        for row in card["comparisons"]
    ]  # fmt: skip
    assert sorted(summed) == sorted(expected)
    table = tables.pairs(card)
    assert table.loc[("eps8", "open", "fidelity"), "worse"] == "MAUVE (embeddings), Coverage (embeddings)"
    assert table.loc[("eps8", "open", "fidelity"), "better"] == "" and list(table.columns) == ["better", "worse"]


def test_a_metric_with_too_few_views_is_not_compared() -> None:
    row = {"group": "utility", "task": "mood", "metric": "accuracy", "arms": ["a", "b"], "better": None, "gain": 0.1}
    for kinds, verdict in (
        (("seed", "seed"), "not compared"),
        (("size", "size"), "not compared"),
        ((), "not compared"),
        (("size", "seed"), "no difference"),
    ):
        (pair,) = pairwise.verdicts([row | {"views": [{"kind": kind} for kind in kinds]}])
        assert pair["verdict"] == verdict and pair["metrics"] == [{"task": "mood", "metric": "accuracy"}]


def test_the_tables_have_display_names(inputs: dict[str, Path]) -> None:
    del inputs["audit"]
    card = toys.build(inputs)
    assert list(tables.arms(card).index) == list(ARMS) and set(ARMS) < {*tables.metrics(card).columns}
    shown = tables.differences(card)
    assert {*shown["first"], *shown["second"]} == set(ARMS) and {*shown["better"]} <= {*ARMS, "not shown"}
    assert list(tables.missing(card)["arm"]) == ["all"]


EQUAL = {"base": 0.2, "eps8": 0.2, "open": 0.8, "evolved": 0.2}


def test_equal_arms_are_not_ranked(tmp_path: Path) -> None:
    card = toys.build(toys.whole(tmp_path, fidelity=EQUAL, utility=EQUAL))
    first = card["answers"][0]
    assert first.startswith("At epsilon 8, no headline metric separates eps8 (DP-LoRA) and evolved (Aug-PE). ")
    for group, metrics in (("fidelity", {"mauve", "coverage"}), ("utility", {"accuracy"})):
        assert pair(card, "base", "eps8", group) == pair(card, "eps8", "evolved", group) == {"no difference": metrics}


def test_an_arm_that_does_not_beat_the_floor_is_recommended_with_a_warning(tmp_path: Path) -> None:
    levels = EQUAL | {"evolved": 0.05}
    card = toys.build(toys.whole(tmp_path, fidelity=levels, utility=levels))
    assert card["answers"][0].startswith("At epsilon 8, use eps8 (DP-LoRA): ")
    assert card["answers"][0].endswith("no significant improvement over the floor, base, at this sample size.")


def test_macro_f1_by_number_of_records_has_stage_ids_and_real_records_without_one(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    del inputs["open"]  # measured, and not compared
    card = toys.build(inputs)
    assert [row["arm"] for row in card["by_size"]] == [ARMS["base"], ARMS["eps8"], ARMS["evolved"], None]
    table = tables.by_size(card)
    assert [name for _, name in table.index] == ["base", "eps8", "evolved", "real records"]
    assert list(table.columns) == ["300 records"] and table.iloc[-1, 0].startswith("0.9")
    assert tables.by_size({"names": {}}).empty


def test_methods_stand_side_by_side_at_each_target() -> None:
    def arm(method: str, target: float | None, mauve: float | None) -> dict:
        metric = {"metric": "mauve", "task": "embeddings", "direction": "higher", "value": mauve, "headline": True}
        return {"method": method, "privacy": {"target_epsilon": target}, "metrics": [metric]}

    made = [("prompt only", None, 0.1), ("DP-LoRA", 8.0, 0.6), ("DP-LoRA", 8.0, 0.4), ("DP-LoRA", 2.0, 0.3)]
    made += [("Private prediction", 2.0, 0.25), ("fine-tuned without privacy", None, 0.9), ("Aug-PE", 1.0, None)]
    table = tables.by_epsilon({"arms": [arm(*one) for one in made]})
    name = "MAUVE (embeddings), higher is better"
    assert table.loc[(name, "DP-LoRA")].tolist() == ["0.300", "0.500 (0.400 to 0.600)", "0.900"]
    assert table.loc[(name, "Private prediction")].tolist() == ["0.250", "–", "–"]
    assert list(table.columns) == ["epsilon 2", "epsilon 8", "no privacy"] and len(table) == 2
    assert tables.by_epsilon({"arms": [arm(*one) for one in made[:3]]}).empty  # one target: nothing to compare


PRICE = "the price of privacy"


@pytest.mark.parametrize(("level", "says"), [(0.2, "nothing"), (0.1, "nothing"), (0.8, "shows")])
def test_utility_shows_the_price_of_privacy_where_the_arm_without_it_beats_the_floor(
    tmp_path: Path, level: float, says: str
) -> None:
    """Far better fidelity of that arm does not count."""
    card = toys.build(toys.whole(tmp_path, utility=toys.LEVELS | {"open": level}))
    (sentence,) = [sentence for sentence in card["answers"] if PRICE in sentence]
    if says == "shows":
        assert sentence == (
            f"Utility shows {PRICE} in Accuracy (mood by TF-IDF): there open, made without privacy, beats the floor, "
            "base, so what a private arm of the same method lacks beside open is what privacy costs."
        )
    else:
        assert sentence == (
            f"Utility says nothing about {PRICE} in Accuracy (mood by TF-IDF): there even open, made without privacy, "
            "is not shown to beat the floor, base. What a private arm lacks there cannot be blamed on privacy."
        )


def test_each_metric_says_for_itself_whether_it_shows_the_price_of_privacy(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    toys.measured(
        tmp_path / "toy",
        "utility",
        toys.LEVELS,
        metrics=[("mood by TF-IDF", "accuracy"), ("mood by TF-IDF", "macro_f1"), ("next token", "token_accuracy")],
        spread={"accuracy": 0.02, "macro_f1": 2.0, "token_accuracy": 0.02},
    )
    said = [sentence for sentence in toys.build(inputs)["answers"] if PRICE in sentence]
    assert [sentence.partition(":")[0] for sentence in said] == [
        f"Utility says nothing about {PRICE} in Macro-F1 (mood by TF-IDF)",
        f"Utility shows {PRICE} in Accuracy (mood by TF-IDF) and Next token (next token)",
    ]


def test_without_a_floor_or_an_arm_without_privacy_nothing_is_said_of_its_price(tmp_path: Path) -> None:
    inputs = toys.whole(tmp_path)
    for left_out in ("base", "open", "utility"):
        card = toys.build({name: folder for name, folder in inputs.items() if name != left_out})
        assert not any(PRICE in sentence for sentence in card["answers"]), left_out


def with_untuned(folder: Path, level: float, **levels: float) -> dict:
    """A scorecard with a second arm that is only prompted, whose utility has a level."""
    inputs = toys.whole(folder)
    inputs["untuned"] = toys.stage(
        folder / "toy", "11_generate.untuned", inputs={"corpus": "00_process_data"}, metrics={"records": 300},
        files={"synthetic.jsonl": "{}"}, base_model="toy-135m", prompt="{mood}:", chat=False,
    )  # fmt: skip
    named, utility = ARMS | {"untuned": "11_generate.untuned"}, toys.LEVELS | levels | {"untuned": level}
    toys.measured(folder / "toy", "utility", utility, metrics=[("mood by TF-IDF", "accuracy")], named=named)
    return toys.build(inputs)


def test_an_arm_that_is_as_good_for_less_epsilon_is_named(tmp_path: Path) -> None:
    """No metric shows eps8 to be better than it; evolved is."""
    card = with_untuned(tmp_path, 0.2, eps8=0.2, evolved=0.8)
    (sentence,) = [sentence for sentence in card["answers"] if "spent epsilon" in sentence]
    assert re.match(r"untuned spent epsilon [0-9.]+ alone, and no headline metric shows eps8 to be better: ", sentence)


@pytest.mark.parametrize("epsilon", [None, 100.0])
def test_an_arm_without_a_guarantee_or_with_a_larger_epsilon_is_not_named(
    tmp_path: Path, epsilon: float | None
) -> None:
    card = with_untuned(tmp_path, 0.2, eps8=0.2, evolved=0.8)
    arm(card, "untuned")["privacy"]["epsilon"] = epsilon
    assert not any(
        "spent epsilon" in sentence for sentence in conclusions.answers(card, pairwise.entrants(card["arms"]))
    )


def test_a_second_arm_that_is_only_prompted_stands_beside_the_floor(tmp_path: Path) -> None:
    """As a model that was not tuned, under the prompt of training: a row of its own, and no floor."""
    card = with_untuned(tmp_path, 0.1)
    assert card["floor"] == ARMS["base"] and arm(card, "untuned")["method"] == "prompt only"
    assert metric(card, "untuned", "accuracy")["floor"] == metric(card, "base", "accuracy")["value"]
    assert pair(card, "base", "untuned", "utility") == {"better": {"accuracy"}}
    assert not any("untuned" in sentence for sentence in card["answers"] if "guarantees" not in sentence)
    assert {"base", "untuned"} <= {*tables.metrics(card).columns}


@pytest.mark.parametrize(
    ("cost", "cheapest"),
    [
        ({"seconds": 221}, True),  # of 110, and the same tokens
        ({"seconds": 219}, False),  # a single measurement each
        ({"tokens": 1000}, False),  # of 1050
        ({"tokens": 2000}, True),
        ({"machines": ["another"]}, False),  # whose seconds do not compare
    ],
)
def test_of_equal_arms_the_cheapest_is_named_where_its_cost_is_clearly_the_least(
    tmp_path: Path, cost: dict, cheapest: bool
) -> None:
    card = toys.build(toys.whole(tmp_path, fidelity=EQUAL, utility=EQUAL))
    arm(card, "evolved")["cost"] = arm(card, "eps8")["cost"] | {"seconds": 400} | cost
    first = conclusions.answers(card, pairwise.entrants(card["arms"]))[0].replace("\u00a0", " ")
    assert (". eps8 (DP-LoRA) is the cheapest, in under half the time of any other: " in first) == cheapest
    assert (". None of them is clearly the cheapest, for each was timed once: " in first) != cheapest
    assert "eps8 (DP-LoRA) took 1 min 50 s, 1,050 tokens" in first and "; evolved (Aug-PE) took " in first


def test_an_arm_that_is_fast_but_paid_is_not_called_the_cheapest(tmp_path: Path) -> None:
    card = toys.build(toys.whole(tmp_path, fidelity=EQUAL, utility=EQUAL))
    arm(card, "evolved")["cost"] |= {"seconds": 10, "tokens": 10}
    first = conclusions.answers(card, pairwise.entrants(card["arms"]))[0]
    assert "None of them is clearly the cheapest, " in first and first.endswith("and $1.25.")


def test_the_notebook_compares_a_run_and_has_another_beside_it(here: Project) -> None:
    shutil.copytree(ROOT / "notebooks", here.root / "notebooks")
    inputs = toys.whole(here.root / "results")
    toys.whole(here.root / "results", "elsewhere")
    named = {name: folder.name for name, folder in inputs.items()}
    for run in ("elsewhere", "toy"):
        namespace = here.play("30_compare", run=run, inputs=named, runs=["elsewhere"] if run == "toy" else [])
    folder = here.stage("30_compare")
    card, public = scorecard.read(finished.read_stage(folder)), read_json(folder / "public.json")
    assert card["comparisons"] and card["pairs"] and public["comparisons"] == public["pairs"] == []
    pictures = {path.stem for path in (folder / "figures").iterdir()}
    assert pictures == {"frontier_epsilon", "frontier_seconds", "frontier_tokens"}
    assert {point.run for point in namespace["points"]} == {"toy", "elsewhere"}
    assert namespace["result"]["better"] is None and "other" in namespace["result"]["because"]  # the toy
    assert read_json(folder / "privacy.json")["epsilon"] is None  # what it inherits was evaluation only
    assert read_json(folder / "metrics.json")["eps8/fidelity/embeddings/mauve"] == 0.5
