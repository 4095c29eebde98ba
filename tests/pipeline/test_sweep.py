"""What a grid is expanded into, and which grids a preset cannot take. No kernel is started here."""

from pathlib import Path

import pytest
from support.errors import refused
from support.grids import TINY, swept, write
from support.project import ROOT

from lib.pipeline import grid, preflight, sweep
from lib.pipeline.budget_check import check_budget

pytestmark = pytest.mark.usefixtures("unfingerprinted")

# What a grid is expanded into.


ARMS = ("10_finetune_dp_lora", "11_generate", "12_aug_pe", "13_select")


def test_arms_are_copied_for_each_point_and_the_rest_is_there_once(tmp_path: Path) -> None:
    nodes = swept(tmp_path, TINY).nodes
    points = ["eps2-seed0", "eps2-seed1", "eps8-seed0", "eps8-seed1"]
    private = [f"{arm}.{at}" for arm in ARMS for at in points]
    without = [f"{arm}.nonprivate-seed{n}" for arm in ("10_finetune_dp_lora", "11_generate") for n in (0, 1)]
    once = {
        "00_process_data",
        "10_steer.eps8",
        "11_generate.base",
        "11_generate.steered",
        "14_private_prediction.eps8",
        "21_fidelity",
        "22_utility",
        "30_compare",
    }
    assert set(nodes) == {*once, *private, *without}
    for id, node in nodes.items():
        values = node.parameters
        assert values.get("seed", 0) == int(id[-1] if "seed" in id else 0)
        if "target_epsilon" in values:
            assert values["target_epsilon"] == (float(id.partition("eps")[2][0]) if "eps" in id else None)
        if "-seed" in id and node.notebook == "11_generate":
            assert values["inputs"] == {
                "corpus": "00_process_data",
                "model": id.replace("11_generate", "10_finetune_dp_lora"),
            }
            assert values["samples"] == 12  # the rest is the preset's
        if node.notebook == "13_select":  # an arm, although it reads arms: it is copied, and reads those at its point
            trained = id.replace("13_select", "11_generate")
            assert values["inputs"] == {"corpus": "00_process_data", "eps8": trained, "base": "11_generate.base"}
    order = list(nodes)
    assert all(order.index(up) < order.index(id) for id, node in nodes.items() for up in node.inputs)


def test_the_chain_records_what_each_copy_is_a_copy_of(tmp_path: Path) -> None:
    recorded = swept(tmp_path, TINY).sweep
    assert recorded["file"] == f"{tmp_path}/grid.yaml"
    assert recorded["grid"] == {"target_epsilon": {"eps2": 2.0, "eps8": 8}, "seed": {"seed0": 0, "seed1": 1}}
    copy = {"of": "11_generate.eps8", "point": {"target_epsilon": 2.0, "seed": 1}}
    assert recorded["copies"]["11_generate.eps2-seed1"] == copy and len(recorded["copies"]) == 20


def test_a_stage_that_reads_arms_reads_all_their_copies(tmp_path: Path) -> None:
    utility = swept(tmp_path, TINY).nodes["22_utility"].parameters
    copies = [f"{arm}-seed{n}" for arm in ("eps2", "eps8", "nonprivate") for n in (0, 1)]
    once = {"corpus": "00_process_data", "base": "11_generate.base"}
    assert utility["inputs"] == once | {copy: f"11_generate.{copy}" for copy in copies}
    assert utility["floor"] == "base"
    # with the floor swept as well, its first copy is the floor, and the first without privacy the control
    wide = TINY.replace("[10_", "[11_generate, 10_").replace("without: [20_canary_privacy]", "")
    nodes = swept(tmp_path, wide).nodes
    assert nodes["22_utility"].parameters["floor"] == "base-seed0"
    audit = nodes["20_canary_privacy"].parameters
    assert audit["control"] == "nonprivate-seed0" and audit["inputs"]["aug_pe-eps2-seed1"] == "12_aug_pe.eps2-seed1"


def test_what_is_to_be_released_are_all_copies_of_it(tmp_path: Path) -> None:
    with refused("scorecard.release_of_no_arm", name="release", value="eps9"):
        swept(tmp_path, TINY, "30_compare.release=[eps8, base, eps9]")
    preset = sweep.expand(grid.read(write(tmp_path, TINY), ROOT), tiny(release=["eps8", "base", "eps9", "eps8"]))
    copies = [f"eps{epsilon}-seed{seed}" for epsilon in (2, 8) for seed in (0, 1)]
    assert preset["30_compare"].values["release"] == [*copies, "base", "eps9"]


def tiny(**compare: object) -> dict[str, dict[str, object]]:
    """The stages of preset test that a grid keeps, and other parameters of its 30_compare."""
    nodes = preflight.preflight("test", "check").nodes
    stages = {id: dict(node.parameters) for id, node in nodes.items() if node.notebook != "20_canary_privacy"}
    inputs = {name: up for name, up in stages["30_compare"]["inputs"].items() if up != "20_canary_privacy"}
    return stages | {"30_compare": stages["30_compare"] | {"inputs": inputs} | compare}


def test_a_stage_that_is_not_named_takes_no_value_that_it_alone_would_take(tmp_path: Path) -> None:
    text = "preset: quick\ngrid: {steps: [3, 7], temperature: [0.5, 1.0]}\n"
    nodes = swept(tmp_path, text + "stages: [10_finetune_dp_lora.eps8, 12_aug_pe]\n").nodes
    assert nodes["11_generate.eps8-steps3"].parameters["temperature"] == 0.9
    nodes = swept(tmp_path, text + "stages: [10_finetune_dp_lora.eps8, 11_generate.eps8]\n").nodes
    assert nodes["11_generate.eps8-steps3-temperature0.5"].parameters["temperature"] == 0.5
    assert "10_finetune_dp_lora.eps8-steps3" in nodes


def test_a_stage_left_out_is_read_by_none(tmp_path: Path) -> None:
    text = TINY.replace(
        "[20_canary_privacy]", "[20_canary_privacy, 10_finetune_dp_lora.nonprivate, 11_generate.nonprivate]"
    )
    nodes = swept(tmp_path, text).nodes
    assert not [id for id in nodes if "nonprivate" in id]
    assert not [up for node in nodes.values() for up in node.inputs if "nonprivate" in up]


@pytest.mark.parametrize(
    ("name", "point", "spelled"),
    [
        ("eps8", {"target_epsilon": "eps1"}, "eps1"),
        ("gpt2_eps4", {"target_epsilon": "eps0.5", "seed": "seed3"}, "gpt2_eps0.5-seed3"),
        ("gpt2-large_eps1", {"model": "gpt2"}, "gpt2_eps1"),
        ("gpt2_eps1-seed7", {"model": "gpt2-large", "seed": "seed0"}, "gpt2-large_eps1-seed0"),
        ("nonprivate", {"seed": "seed1"}, "nonprivate-seed1"),
        ("steps8", {"target_epsilon": "eps1"}, "steps8-eps1"),
        ("", {"target_epsilon": "eps1", "seed": "seed0"}, "eps1-seed0"),
    ],
)
def test_an_id_says_its_point_and_nothing_else(name: str, point: dict, spelled: str) -> None:
    axes = {"target_epsilon": ["eps1"], "model": ["gpt2", "gpt2-large"], "seed": ["seed0"]}
    made = grid.Grid("g", "g", "p", {key: dict.fromkeys(labels) for key, labels in axes.items()}, [], [])
    id = f"11_generate.{name}".removesuffix(".")
    assert sweep._Expansion(made, {}).renamed(id, point) == f"11_generate.{spelled}"


def test_files_that_differ_only_in_what_is_swept_are_one_arm(tmp_path: Path) -> None:
    text = "preset: yelp\ngrid: {target_epsilon: [1, 2, 4, 8]}\nstages: [10_finetune_dp_lora, 12_aug_pe]\n"
    nodes = swept(tmp_path, text).nodes
    assert [id for id in nodes if id.startswith("12")] == [f"12_aug_pe.gpt2_eps{n}" for n in (1, 2, 4, 8)]
    before = preflight.preflight("yelp", "check").nodes  # so that a run of the preset has part of the sweep
    assert all(nodes[id].made == node.made for id, node in before.items() if not sweep.reads_arms(id, node.parameters))


def test_values_may_have_names_and_null_is_an_arm_without_privacy(tmp_path: Path) -> None:
    text = "preset: test\ngrid: {target_epsilon: {eps8: 8.0, nonprivate: null}, schedule: [linear, cosine]}\n"
    nodes = swept(tmp_path, text + "stages: [10_finetune_dp_lora]\n").nodes
    trained = {id: node.parameters for id, node in nodes.items() if id.startswith("10_finetune")}
    assert list(trained) == [
        f"10_finetune_dp_lora.{a}-{b}" for a in ("eps8", "nonprivate") for b in ("linear", "cosine")
    ]
    assert trained["10_finetune_dp_lora.nonprivate-cosine"]["target_epsilon"] is None
    assert trained["10_finetune_dp_lora.nonprivate-cosine"]["schedule"] == "cosine"


# What is refused, before anything starts.

GPT2 = "{model: {one: 'hub:a/b', gpt2: 'hub:c/d', gpt2-large: 'hub:e/f'}}"
UNSOUND = [  # preset, grid, stages, and why not: code, name; None: the control, which is sound
    ("quick", "{run: [a]}", "[12_aug_pe]", "pipeline.grid_parameter_unknown", "run"),
    ("quick", "{inputs: {a: {}}}", "[12_aug_pe]", "pipeline.grid_parameter_unknown", "inputs"),
    ("quick", "{steps: [3]}", "[10_finetune_dp_lora, 12_aug_pe]", "pipeline.stage_of_no_axis", "12_aug_pe"),
    (
        "quick",
        "{target_epsilon: [1.0]}",
        "[10_finetune_dp_lora.nonprivate]",
        "pipeline.axis_of_no_stage",
        "target_epsilon",
    ),
    ("test", "{seed: [0, 1]}", "[22_utility]", "pipeline.sweep_of_measure", "22_utility"),
    ("test", "{seed: [0, 1]}", "[00_process_data]", "pipeline.several_corpora", "22_utility"),
    ("yelp-gpt35", "{temperature: [1.0]}", "[12_aug_pe]", "generation.key_missing", "OPENAI_API_KEY"),
    ("nowhere", "{seed: [0]}", "[12_aug_pe]", "pipeline.unknown_preset", "nowhere"),
    ("pubmed", "{seed: [0]}", "[12_aug_pe]", None, None),
    ("pubmed", GPT2, "[12_aug_pe]", None, None),
]


@pytest.mark.parametrize(("preset", "axes", "stages", "code", "name"), UNSOUND)
def test_a_grid_that_its_preset_cannot_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, axes: str, stages: str, code: str | None, name: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    text = f"preset: {preset}\ngrid: {axes}\nstages: {stages}\n"
    if code is None:
        assert swept(tmp_path, text).sweep["copies"]
    else:
        with refused(code, name=name):
            swept(tmp_path, text)


def test_a_stage_that_cannot_do_without_what_is_left_out_is_refused(tmp_path: Path) -> None:
    text = TINY.replace("[20_canary_privacy]", "[20_canary_privacy, 10_finetune_dp_lora.nonprivate]")
    with refused("methods.no_model", name="base_model") as error:
        swept(tmp_path, text)
    assert error.value.where == "params/test/11_generate.nonprivate.yaml"


def test_a_corpus_may_be_swept_where_nothing_compares(tmp_path: Path) -> None:
    text = "preset: test\ngrid: {max_words: [30, 60]}\nstages: [00_process_data]\n"
    text += "without: [20_canary_privacy, 21_fidelity, 22_utility, 30_compare]\n"
    nodes = swept(tmp_path, text).nodes
    assert nodes["00_process_data.max_words30"].parameters["max_words"] == 30
    assert nodes["11_generate.eps8-max_words60"].parameters["inputs"]["corpus"] == "00_process_data.max_words60"
    assert all(id.endswith(("max_words30", "max_words60")) for id in nodes)


def test_copies_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    text = "preset: test\ngrid: {target_epsilon: {nonprivate: 1.0}}\nstages: [10_finetune_dp_lora]\n"
    with refused("pipeline.copies_of_one_name", name="10_finetune_dp_lora.nonprivate") as error:
        swept(tmp_path, text)
    assert len(error.value.faults) == 1 and error.value.sentence.endswith("differ in target_epsilon")
    assert all(f"10_finetune_dp_lora.{arm}" in error.value.sentence for arm in ("eps8", "nonprivate"))


def test_what_only_a_copy_has_wrong_names_the_copy(tmp_path: Path) -> None:
    text = "preset: quick\ngrid: {steps: [2, 7]}\nstages: [10_finetune_dp_lora.eps8]\n"
    with refused("methods.warmup_too_long", name="warmup_steps", value=3) as error:
        swept(tmp_path, text, "10_finetune_dp_lora.warmup_steps=3")
    assert len(error.value.faults) == 1 and "steps = 2" in error.value.sentence
    assert error.value.where == f"{tmp_path}/grid.yaml: 10_finetune_dp_lora.eps8-steps2"


def test_what_the_grid_sets_is_not_set_beside_it(tmp_path: Path) -> None:
    where = f"{tmp_path}/grid.yaml"
    nodes = swept(tmp_path, TINY, "11_generate.samples=5", "11_generate.eps2-seed1.samples=7").nodes
    assert [nodes[f"11_generate.{at}"].parameters["samples"] for at in ("eps2-seed0", "eps2-seed1")] == [5, 7]
    for left in ("12_aug_pe.target_epsilon", "11_generate.eps2-seed1.target_epsilon", "10_finetune_dp_lora.seed"):
        with refused("pipeline.set_by_grid", name="--set", value=left) as error:
            swept(tmp_path, TINY, f"{left}=3")
        assert error.value.remedy == f"change {where}"
    with refused("pipeline.set_unknown_stage", value="11_generate.eps8") as error:  # the preset's id, not the sweep's
        swept(tmp_path, TINY, "11_generate.eps8.samples=5")
    assert where in error.value.sentence and error.value.remedy.startswith("did you mean 11_generate.eps8-seed")
    with refused("pipeline.unknown_stage", name="--only", value="11_generate.eps8") as error:
        swept(tmp_path, TINY).find("11_generate.eps8", "--only")
    assert where in error.value.sentence


def test_a_copy_that_its_budget_cannot_reach_is_refused(tmp_path: Path) -> None:
    text = TINY.replace("[2.0, 8]", "[0.01, 8]")
    graph = swept(tmp_path, text, "00_process_data.delta=0.0001")
    with refused("pipeline.target_below_histogram", name="target_epsilon", value=0.01):
        check_budget(graph, graph.nodes)
