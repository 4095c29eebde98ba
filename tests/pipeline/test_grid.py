"""Grid files: what they may hold, how they are named, and every fault at once. No kernel is started here."""

from pathlib import Path

import pytest
from support.errors import refused
from support.grids import TINY, swept, write
from support.project import ROOT, Project, toy_chain

from lib.cli import __main__
from lib.common.errors import DoppelError
from lib.methods.registry import ARMS
from lib.pipeline import grid, preflight

pytestmark = pytest.mark.usefixtures("unfingerprinted")

GRIDS = sorted(path.stem for path in (ROOT / "sweeps").glob("*.yaml"))


@pytest.mark.parametrize("name", GRIDS)
def test_every_committed_grid_passes_pre_flight(name: str) -> None:
    read = grid.read(name, ROOT)
    graph = preflight.preflight(read.preset, f"{name}-sweep", [], read)
    once = preflight.preflight(read.preset, "check").nodes
    copied = [id for id in graph.nodes if id not in once]
    assert "00_process_data" in graph.nodes and "11_generate.base" in graph.nodes
    assert not {id.partition(".")[0] for id in copied} - {"10_finetune_dp_lora", "10_steer", *ARMS}
    assert "20_canary_privacy" not in graph.nodes and len(copied) > 8
    at_each = "seed" if "seed" in read.axes else "eps"
    assert {id for id in graph.nodes if at_each in id} == set(graph.sweep["copies"])


def test_committed_grids_are_there() -> None:
    assert {"quick", "test", "yelp", "openreview", "pubmed"} <= set(GRIDS)


def test_every_fault_of_names_and_values_is_reported_at_once(tmp_path: Path) -> None:
    text = (
        "preset: quick\ngrid: {target_epsilon: [1.0, 0.0], sede: [0], steps: [3, many]}\n"
        "stages: [10_finetune_dp_lora, 11_generate.nonprivat]\nwithout: [20_canary_privcy]\n"
    )
    with pytest.raises(DoppelError) as error:
        swept(tmp_path, text, "00_process_data.share=0.0")
    where = f"{tmp_path}/grid.yaml"
    assert [(fault.code, fault.where, fault.name, fault.value) for fault in error.value.faults] == [
        ("pipeline.grid_without_unknown", where, "20_canary_privcy", None),
        ("pipeline.grid_stage_unknown", where, "11_generate.nonprivat", None),
        ("stage.out_of_range", f"{where}: grid", "target_epsilon", 0.0),
        ("pipeline.grid_parameter_unknown", where, "sede", None),
        ("stage.wrong_type", f"{where}: grid", "steps", "many"),
        ("stage.out_of_range", "--set 00_process_data", "share", 0.0),
    ]
    nearest = [fault.remedy for fault in error.value.faults if fault.remedy.startswith("did you mean")]
    names = ("20_canary_privacy", "11_generate.nonprivate", "seed")
    assert nearest == [f"did you mean {name}?" for name in names]


MISSHAPEN = {  # text, and the code and name of its fault
    "[1, 2]": ("pipeline.grid_no_mapping", None),
    "preset: test\ngird: {seed: [0]}\nstages: [12_aug_pe]": ("pipeline.grid_unknown_key", "gird"),
    "preset: test\nstages: [12_aug_pe]": ("pipeline.grid_grid", "grid"),
    "grid: {seed: [0]}\nstages: [12_aug_pe]": ("pipeline.grid_preset", "preset"),
    "preset: test\ngrid: {seed: [0]}\nstages: 12_aug_pe": ("pipeline.grid_stages", "stages"),
    "preset: test\ngrid: {seed: [0]}\nstages: []": ("pipeline.grid_stages", "stages"),
    "preset: test\ngrid: {seed: [0]}\nstages: [12_aug_pe]\nwithout: 20_canary": ("pipeline.grid_without", "without"),
    "preset: test\ngrid: {seed: 0}\nstages: [12_aug_pe]": ("pipeline.grid_values", "seed"),
    "preset: test\ngrid: {seed: []}\nstages: [12_aug_pe]": ("pipeline.grid_empty", "seed"),
    "preset: test\ngrid: {seed: [1, 1]}\nstages: [12_aug_pe]": ("pipeline.grid_label_twice", "seed"),
    "preset: test\ngrid: {chat: [true]}\nstages: [12_aug_pe]": ("pipeline.grid_label", "chat"),
    "preset: test\ngrid: {model: ['hub:a/b']}\nstages: [12_aug_pe]": ("pipeline.grid_label", "model"),
    "preset: test\ngrid: {target_epsilon: [1e-1]}\nstages: [12_aug_pe]": ("stage.yaml_trap", "target_epsilon"),
}


@pytest.mark.parametrize(("text", "fault"), MISSHAPEN.items())
def test_a_file_that_is_no_grid_is_refused(tmp_path: Path, text: str, fault: tuple[str, str | None]) -> None:
    code, name = fault
    with refused(code, name=name) as error:
        grid.read(write(tmp_path, text), ROOT)
    assert error.value.faults[0].where.startswith(f"{tmp_path}/grid.yaml")


def test_a_grid_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    path = Path(write(tmp_path, TINY))
    path.write_bytes(path.read_bytes() + "# café\n".encode("latin-1"))
    with refused("stage.yaml_not_utf8") as error:
        grid.read(str(path), ROOT)
    assert error.value.where == str(path)


def test_a_grid_is_found_by_name_or_path_and_reported_when_it_is_not(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    toy_chain(here)
    (here.root / "sweeps").mkdir()
    text = "preset: toy\ngrid: {factor: [1, 4]}\nstages: [01_grow.fast]\n"
    path = write(here.root / "sweeps", text, "toy")
    for given in ("toy", "sweeps/toy.yaml", path, write(here.root, text, "mine")):
        assert __main__.main(["sweep", given, "--dry-run"]) == 0
        assert "7 of 7 stages would run" in capsys.readouterr().out, given
    with refused("pipeline.unknown_grid", name="tyo") as error:
        grid.read("tyo", here.root)
    assert error.value.remedy == "did you mean toy?"
    here.preset("toy", n01_grow__fast="fcator: 3\n")
    with refused("stage.unknown_parameter", name="fcator") as error:
        preflight.preflight("toy", "toy", [], grid.read("toy", here.root))
    assert len(error.value.faults) == 1  # though there are two copies
    assert error.value.where == "params/toy/01_grow.fast.yaml"
    assert __main__.main(["sweep", "toy", "--run", "other", "--dry-run"]) == 2
    assert capsys.readouterr().err == f"{error.value}\nnothing was started\n"
