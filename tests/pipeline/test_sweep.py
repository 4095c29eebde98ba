"""Sweeps: what a grid is expanded into, what is refused, and real runs: two at a time, killed, taken up, extended."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from support.project import ROOT, Project, edit, until

from lib.common.errors import DoppelError
from lib.pipeline import grid, preflight, sweep
from lib.pipeline.budget_check import check_budget
from lib.pipeline.graph import Graph
from lib.stage.provenance import usable_cores

GRIDS = sorted(path.stem for path in (ROOT / "sweeps").glob("*.yaml"))


def write(folder: Path, text: str, name: str = "grid") -> str:
    """A grid file in some folder; its path."""
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return str(path)


def swept(folder: Path, text: str, *overrides: str) -> Graph:
    """The graph of a grid over one of the project's own presets."""
    read = grid.read(write(folder, text), ROOT)
    return preflight.preflight(read.preset, "check", list(overrides), read)


# What a grid is expanded into.

TINY = """
preset: test
grid: {target_epsilon: [2.0, 8], seed: [0, 1]}
stages: [10_finetune_dp_lora, 12_aug_pe]
without: [20_canary_privacy]
"""


def test_arms_are_copied_for_each_point_and_the_rest_is_there_once(tmp_path: Path) -> None:
    nodes = swept(tmp_path, TINY).nodes
    points = ["eps2-seed0", "eps2-seed1", "eps8-seed0", "eps8-seed1"]
    private = [f"{arm}.{at}" for arm in ("10_finetune_dp_lora", "11_generate", "12_aug_pe") for at in points]
    without = [f"{arm}.nonprivate-seed{n}" for arm in ("10_finetune_dp_lora", "11_generate") for n in (0, 1)]
    measures = {"21_fidelity", "22_utility", "30_compare"}
    assert set(nodes) == {"00_process_data", "11_generate.base", *measures, *private, *without}
    for id, node in nodes.items():
        values = node.parameters
        assert values["seed"] == int(id[-1] if "seed" in id else 0)
        if "target_epsilon" in values:
            assert values["target_epsilon"] == (float(id.partition("eps")[2][0]) if "eps" in id else None)
        if "-seed" in id and node.notebook == "11_generate":
            assert values["inputs"] == {
                "corpus": "00_process_data",
                "model": id.replace("11_generate", "10_finetune_dp_lora"),
            }
            assert values["samples"] == 12  # the rest is the preset's
    order = list(nodes)
    assert all(order.index(up) < order.index(id) for id, node in nodes.items() for up in node.inputs)


def test_a_stage_that_reads_arms_reads_all_their_copies(tmp_path: Path) -> None:
    utility = swept(tmp_path, TINY).nodes["22_utility"].parameters
    copies = [f"{kind}-seed{n}" for kind in ("eps2", "eps8", "nonprivate") for n in (0, 1)]
    once = {"corpus": "00_process_data", "base": "11_generate.base"}
    assert utility["inputs"] == once | {copy: f"11_generate.{copy}" for copy in copies}
    assert utility["floor"] == "base"
    # with the floor swept as well, its first copy is the floor, and the first without privacy the control
    wide = TINY.replace("[01_", "[11_generate, 01_").replace("without: [20_canary_privacy]", "")
    nodes = swept(tmp_path, wide).nodes
    assert nodes["22_utility"].parameters["floor"] == "base-seed0"
    audit = nodes["20_canary_privacy"].parameters
    assert audit["control"] == "nonprivate-seed0" and audit["inputs"]["aug_pe-eps2-seed1"] == "12_aug_pe.eps2-seed1"


def test_what_is_to_be_released_are_all_copies_of_it(tmp_path: Path) -> None:
    release = "30_compare.release=[eps8, base, eps9]"
    (told,) = refused(tmp_path, TINY, release)  # what --set names are copies
    assert "eps8" in told
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
    assert [id for id in nodes if id.startswith("03")] == [f"12_aug_pe.gpt2_eps{n}" for n in (1, 2, 4, 8)]
    before = preflight.preflight("yelp", "check").nodes  # so that a run of the preset has part of the sweep
    assert all(nodes[id].made == node.made for id, node in before.items() if not sweep.reads_arms(node.parameters))


def test_values_may_have_names_and_null_is_an_arm_without_privacy(tmp_path: Path) -> None:
    text = "preset: quick\ngrid: {target_epsilon: {eps8: 8.0, nonprivate: null}, schedule: [linear, cosine]}\n"
    nodes = swept(tmp_path, text + "stages: [10_finetune_dp_lora]\n").nodes
    trained = {id: node.parameters for id, node in nodes.items() if id.startswith("01")}
    assert list(trained) == [
        f"10_finetune_dp_lora.{a}-{b}" for a in ("eps8", "nonprivate") for b in ("linear", "cosine")
    ]
    assert trained["10_finetune_dp_lora.nonprivate-cosine"]["target_epsilon"] is None
    assert trained["10_finetune_dp_lora.nonprivate-cosine"]["schedule"] == "cosine"


# What is refused, before anything starts.


@pytest.mark.parametrize("name", GRIDS)
def test_every_committed_grid_passes_pre_flight(name: str) -> None:
    read = grid.read(name, ROOT)
    graph = preflight.preflight(read.preset, f"{name}-sweep", [], read)
    once = preflight.preflight(read.preset, "check").nodes
    copied = [id for id in graph.nodes if id not in once]
    assert "00_process_data" in graph.nodes and "11_generate.base" in graph.nodes
    assert not {id.partition(".")[0] for id in copied} - {"10_finetune_dp_lora", "11_generate", "12_aug_pe"}
    assert "20_canary_privacy" not in graph.nodes and len(copied) > 8
    assert {id for id in graph.nodes if "seed" in id} == set(graph.sweep["copies"])


def test_committed_grids_are_there() -> None:
    assert {"quick", "test", "yelp", "openreview", "pubmed"} <= set(GRIDS)


def refused(tmp_path: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(DoppelError) as refusal:
        swept(tmp_path, text, *overrides)
    return str(refusal.value).splitlines()


def test_every_fault_of_names_and_values_is_told_at_once(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        "preset: quick\ngrid: {target_epsilon: [1.0, 0.0], sede: [0], steps: [3, many]}\n"
        "stages: [10_finetune_dp_lora, 11_generate.nonprivat]\nwithout: [20_canary_privcy]\n",
        "00_process_data.limit=1",
    )
    where = f"{tmp_path}/grid.yaml: "
    assert found == [
        where + "without: 20_canary_privcy: no such stage or notebook; did you mean 20_canary_privacy?",
        where + "stages: 11_generate.nonprivat: no such stage in params/quick; did you mean 11_generate.nonprivate?",
        where + "grid: target_epsilon = 0.0; must be in (0, 1000]",
        where + "grid: sede: no parameter of 10_finetune_dp_lora that can be swept; did you mean seed?",
        where + "grid: steps = 'many' is str; must be int",
        "--set 00_process_data: limit = 1; must be in [2, inf)",
    ]


MISSHAPEN = {
    "[1, 2]": "holds list; write preset, grid, stages, without",
    "preset: test\ngird: {seed: [0]}\nstages: [12_aug_pe]": "unknown key 'gird'; did you mean grid?",
    "preset: test\nstages: [12_aug_pe]": "grid: must be PARAMETER: [VALUE, ...]",
    "grid: {seed: [0]}\nstages: [12_aug_pe]": "preset: must be the name of a folder in params/",
    "preset: test\ngrid: {seed: [0]}\nstages: 12_aug_pe": "stages: must list",
    "preset: test\ngrid: {seed: [0]}\nstages: []": "stages: must list",
    "preset: test\ngrid: {seed: [0]}\nstages: [12_aug_pe]\nwithout: 20_canary": "without: must list",
    "preset: test\ngrid: {seed: 0}\nstages: [12_aug_pe]": "grid: seed: must be a list of values",
    "preset: test\ngrid: {seed: []}\nstages: [12_aug_pe]": "grid: seed: has no value",
    "preset: test\ngrid: {seed: [1, 1]}\nstages: [12_aug_pe]": "grid: seed: seed1 is there twice",
    "preset: test\ngrid: {chat: [true]}\nstages: [12_aug_pe]": "True makes no name for a folder; write NAME: VALUE",
    "preset: test\ngrid: {model: ['hub:a/b']}\nstages: [12_aug_pe]": "'hub:a/b' makes no name for a folder",
    "preset: test\ngrid: {target_epsilon: [1e-1]}\nstages: [12_aug_pe]": "write 1.0e-1",
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), MISSHAPEN.items())
def test_a_file_that_is_no_grid_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DoppelError, match=re.escape(why)):
        grid.read(write(tmp_path, text), ROOT)


GPT2 = "{model: {one: 'hub:a/b', gpt2: 'hub:c/d', gpt2-large: 'hub:e/f'}}"
UNSOUND = [  # preset, grid, stages, and why not; None: the control, which is sound
    ("quick", "{run: [a]}", "[12_aug_pe]", "grid: run: no parameter of 12_aug_pe that can be swept"),
    ("quick", "{inputs: {a: {}}}", "[12_aug_pe]", "grid: inputs: no parameter of 12_aug_pe that can be swept"),
    ("quick", "{steps: [3]}", "[10_finetune_dp_lora, 12_aug_pe]", "stages: 12_aug_pe: takes no parameter of the grid"),
    ("quick", "{target_epsilon: [1.0]}", "[10_finetune_dp_lora.nonprivate]", "target_epsilon: null in every stage"),
    ("test", "{seed: [0, 1]}", "[22_utility]", "stages: 22_utility: reads the copies of all arms"),
    ("test", "{seed: [0, 1]}", "[00_process_data]", "22_utility lays arms beside each other on one 00_process_data"),
    ("yelp-gpt35", "{temperature: [1.0]}", "[12_aug_pe]", "OPENAI_API_KEY holds no key"),
    ("nowhere", "{seed: [0]}", "[12_aug_pe]", "no preset 'nowhere'"),
    ("pubmed", "{seed: [0]}", "[12_aug_pe]", None),
    ("pubmed", GPT2, "[12_aug_pe]", None),
]


@pytest.mark.parametrize(("preset", "axes", "stages", "why"), UNSOUND)
def test_a_grid_that_its_preset_cannot_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, axes: str, stages: str, why: str | None
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    text = f"preset: {preset}\ngrid: {axes}\nstages: {stages}\n"
    if why is None:
        assert swept(tmp_path, text).sweep["copies"]
    else:
        assert why in "\n".join(refused(tmp_path, text))


def test_a_stage_that_cannot_do_without_what_is_left_out_is_refused(tmp_path: Path) -> None:
    text = TINY.replace("[20_canary_privacy]", "[20_canary_privacy, 10_finetune_dp_lora.nonprivate]")
    told = "params/test/11_generate.nonprivate.yaml: without an input named model, base_model, prompt and chat must be"
    assert told in refused(tmp_path, text)[0]


def test_a_corpus_may_be_swept_where_nothing_compares(tmp_path: Path) -> None:
    text = "preset: test\ngrid: {limit: [200, 400]}\nstages: [00_process_data]\n"
    text += "without: [20_canary_privacy, 21_fidelity, 22_utility, 30_compare]\n"
    nodes = swept(tmp_path, text).nodes
    assert nodes["00_process_data.limit200"].parameters["limit"] == 200
    assert nodes["11_generate.eps8-limit400"].parameters["inputs"]["corpus"] == "00_process_data.limit400"
    assert all(id.endswith(("limit200", "limit400")) for id in nodes)


def test_copies_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    text = "preset: quick\ngrid: {target_epsilon: {nonprivate: 1.0}}\nstages: [10_finetune_dp_lora]\n"
    (told,) = refused(tmp_path, text)
    assert told.endswith(
        "copies of 10_finetune_dp_lora.eps8 and 10_finetune_dp_lora.nonprivate would both be "
        "10_finetune_dp_lora.nonprivate, and differ in target_epsilon; leave one out (without), or rename its file"
    )


def test_what_only_a_copy_has_wrong_names_the_copy(tmp_path: Path) -> None:
    text = "preset: quick\ngrid: {steps: [2, 7]}\nstages: [10_finetune_dp_lora.eps8]\n"
    assert refused(tmp_path, text, "10_finetune_dp_lora.warmup_steps=3") == [
        f"{tmp_path}/grid.yaml: 10_finetune_dp_lora.eps8-steps2: warmup_steps = 3 must be below steps = 2"
    ]


def test_what_the_grid_sets_is_not_set_beside_it(tmp_path: Path) -> None:
    where = f"{tmp_path}/grid.yaml"
    nodes = swept(tmp_path, TINY, "11_generate.samples=5", "11_generate.eps2-seed1.samples=7").nodes
    assert [nodes[f"11_generate.{at}"].parameters["samples"] for at in ("eps2-seed0", "eps2-seed1")] == [5, 7]
    for left in ("12_aug_pe.target_epsilon", "11_generate.eps2-seed1.target_epsilon", "10_finetune_dp_lora.seed"):
        told = f"--set {left}: the grid sets it; change {where}"
        assert told in refused(tmp_path, TINY, f"{left}=3")
    (told,) = refused(tmp_path, TINY, "11_generate.eps8.samples=5")  # the preset's id is none of the sweep's
    assert told.startswith(f"--set 11_generate.eps8.samples: no stage '11_generate.eps8' in {where}; did you mean")
    with pytest.raises(DoppelError, match=re.escape(f"--only 11_generate.eps8: no such stage in {where}")):
        swept(tmp_path, TINY).find("11_generate.eps8", "--only")


def test_a_copy_that_its_budget_cannot_reach_is_refused(tmp_path: Path) -> None:
    text = TINY.replace("[2.0, 8]", "[0.01, 8]")
    graph = swept(tmp_path, text, "00_process_data.delta=0.0001")
    with pytest.raises(DoppelError, match=r"target_epsilon = 0\.01 cannot be reached"):
        check_budget(graph, graph.nodes)


# Real runs, of toy notebooks.

POINTS = [f"eps{epsilon}-seed{seed}" for epsilon in (1, 8) for seed in (0, 1)]


def toy_sweep(project: Project, body: str = "") -> None:
    """00_make -> 01_train -> 02_write -> 06_table, and a floor. ``body`` is what a training does; ends are listed."""
    edit(project.root / "lib" / "preflight_checks.py", 'ARMS = ("11_generate", "12_aug_pe")', 'ARMS = ("02_write",)')
    ended = '\nwith (stage.folder.parent / "ended").open("a") as file:\n    file.write(f"{stage.id}\\n")'
    finish = 'stage.finish({"records": seed + 1}, {"epsilon": None})' + ended
    project.notebook("00_make", "seed: int = 0\n", finish)
    inputs = 'inputs: dict[str, str] = {"data": "00_make"}\nseed: int = 0\n'
    project.notebook("01_train", inputs + "target_epsilon: float | None = 8.0  # (0, 10]\n", body, finish)
    project.notebook("02_write", inputs, 'stage.path("synthetic.jsonl").write_text("{}")', finish)
    project.notebook(
        "06_table", inputs + 'floor: str = "base"\n', 'stage.path("read").write_text(" ".join(inputs))', finish
    )
    read = "inputs: {data: 00_make, model: 01_train.%s}\n"
    project.preset("toy", n00_make="", n01_train__eps8="", n01_train__nonprivate="target_epsilon: null\n")
    project.preset("toy", n02_write__base="", n02_write__eps8=read % "eps8", n02_write__nonprivate=read % "nonprivate")
    project.preset("toy", n06_table="inputs: {data: 00_make, base: 02_write.base, dp: 02_write.eps8}\n")
    (project.root / "sweeps").mkdir()
    write(
        project.root / "sweeps",
        "preset: toy\ngrid: {target_epsilon: [1, 8], seed: [0, 1]}\nstages: [01_train.eps8]\n",
        "toy",
    )


def ended(project: Project) -> list[str]:
    """Stages that came to their end, in order, each as often as it did."""
    path = project.stage("ended", "toy-sweep")
    return path.read_text().split() if path.is_file() else []


ONCE = ["00_make", "01_train.nonprivate", "02_write.base", "02_write.nonprivate", "06_table"]
STAGES = sorted([*ONCE, *(f"{arm}.{at}" for arm in ("01_train", "02_write") for at in POINTS)])

MEET = """
import time

waits = target_epsilon == 8.0  # two trainings that only end together
(stage.folder.parent / f"{seed}.{target_epsilon}").touch()
deadline = time.monotonic() + 60
while waits and not (stage.folder.parent / f"{1 - seed}.{target_epsilon}").exists():
    assert time.monotonic() < deadline
    time.sleep(0.05)
"""


@pytest.mark.skipif(usable_cores() < 2, reason="at most one stage a core runs at a time")
def test_a_sweep_runs_two_at_a_time_to_its_table_and_grows_with_its_grid(project: Project) -> None:
    toy_sweep(project, MEET)
    first = project.run("sweep", "toy", "--jobs", "2")
    assert first.returncode == 0, first.stderr
    assert sorted(ended(project)) == STAGES and first.stderr == ""
    table = [line.split()[0] for line in first.stdout.splitlines() if "results/toy-sweep/" in line]
    assert sorted(table) == [id for id in STAGES if id.startswith("02")]
    read = project.stage("06_table", "toy-sweep") / "read"
    assert read.read_text() == " ".join(["data", "base", *(f"dp-{at}" for at in POINTS)])
    recorded = json.loads(project.stage("chain.json", "toy-sweep").read_text())["sweep"]
    assert recorded["file"] == "sweeps/toy.yaml" and recorded["grid"]["target_epsilon"] == {"eps1": 1, "eps8": 8}
    copy = {"of": "02_write.eps8", "point": {"target_epsilon": 1, "seed": 1}}
    assert recorded["copies"]["02_write.eps1-seed1"] == copy and len(recorded["copies"]) == 8

    again = project.run("sweep", "sweeps/toy.yaml")
    assert "everything is up to date" in again.stdout and sorted(ended(project)) == STAGES

    edit(project.root / "sweeps" / "toy.yaml", "[0, 1]", "[0, 1, 2]")
    planned = project.run("sweep", "toy", "--dry-run", "--only", "02_write.eps1-seed2")
    assert "2 of 17 stages would run" in planned.stdout and "01_train.eps1-seed2" in planned.stdout
    project.stage("-1.8.0", "toy-sweep").touch()  # nobody waits for the third
    grown = project.run("sweep", "toy")
    assert grown.returncode == 0, grown.stderr
    new = [f"{a}.{at}-seed2" for a in ("01_train", "02_write") for at in ("eps1", "eps8")]
    assert sorted(ended(project)[len(STAGES) :]) == sorted([*new, "06_table"])
    assert "dp-eps8-seed2" in read.read_text()


def test_a_sweep_that_was_killed_does_nothing_twice(project: Project) -> None:
    wait = """
import time

(stage.folder.parent / f"began.{stage.id}").touch()
while stage.id == "01_train.eps8-seed1" and not (stage.folder.parent / "go").exists():
    time.sleep(0.05)
"""
    toy_sweep(project, wait)
    write(project.root / "sweeps", "preset: toy\ngrid: {seed: [0, 1]}\nstages: [01_train.eps8]\n", "toy")
    door = subprocess.Popen(project.command("sweep", "toy"), cwd=project.root, env=project.env, stdout=-3, stderr=-3)
    until(project.stage("began.01_train.eps8-seed1", "toy-sweep").exists)
    os.kill(door.pid, signal.SIGKILL)
    door.wait()
    before = ended(project)
    assert before and "01_train.eps8-seed1" not in before and "06_table" not in before
    project.stage("go", "toy-sweep").touch()
    again = project.run("sweep", "toy", "--jobs", "2")
    assert again.returncode == 0, again.stderr
    copies = [f"{a}.eps8-seed{n}" for a in ("01_train", "02_write") for n in (0, 1)]
    assert sorted(ended(project)) == sorted([*copies, *ONCE])  # over both runs


def test_a_grid_is_found_by_name_or_path_and_told_when_it_is_not(project: Project) -> None:
    toy_sweep(project)
    ended = project.run("sweep", "tyo")
    assert ended.returncode == 2 and "no grid file 'tyo' in sweeps/; did you mean toy?" in ended.stderr
    elsewhere = write(project.root, (project.root / "sweeps" / "toy.yaml").read_text(), "mine")
    ended = project.run("sweep", elsewhere, "--dry-run")
    assert ended.returncode == 0 and "13 of 13 stages would run" in ended.stdout
    project.preset("toy", n01_train__eps8="sede: 3\n")
    ended = project.run("sweep", "toy", "--run", "other", "--dry-run")  # once, though there are four copies
    assert ended.stderr.count("params/toy/01_train.eps8.yaml: unknown parameter 'sede'; did you mean seed?") == 1
    assert ended.returncode == 2 and "nothing was started" in ended.stderr


def test_a_grid_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, TINY)
    path = Path(path)
    path.write_bytes(path.read_bytes() + "# café\n".encode("latin-1"))
    with pytest.raises(DoppelError, match="not UTF-8; save it as UTF-8"):
        grid.read(str(path), ROOT)
