"""The files of a preset: which stages they are, what ``--set`` changes, and what is wrong with each at once."""

from pathlib import Path

import pytest
from support.errors import codes, refused
from support.project import Project, toy_chain

from lib.common.errors import DoppelError, Faults
from lib.pipeline import preset


@pytest.fixture
def toys(project: Project) -> Path:
    toy_chain(project)
    return project.root


def read(root: Path, name: str = "toy") -> preset.Preset:
    faults = Faults()
    made = preset.read(name, root, faults)
    faults.raise_any()
    return made


def changes(root: Path, *options: str, **given) -> dict:
    faults = Faults()
    found = read(root).changes(options, faults, **given)
    faults.raise_any()
    return found


def test_stages_are_the_files_with_what_their_notebooks_declare(toys: Path) -> None:
    made = read(toys)
    assert made.ids == ["00_make", "01_grow.fast", "02_end.a", "02_end.b"] and made.origin == "params/toy"
    assert made.stages["02_end.b"].values == {"inputs": {"model": "01_grow.fast"}, "samples": 2}
    assert made.stages["02_end.b"].where == "params/toy/02_end.b.yaml"
    assert made.defaults("01_grow.fast")["factor"] == 2.0 and made.spec("03_more") == {}


def test_what_is_left_out_is_no_input_either(toys: Path) -> None:
    made = read(toys).without({"01_grow.fast", "02_end.b"})
    assert made.ids == ["00_make", "02_end.a"] == list(made.stages)
    assert made.stages["02_end.a"].values["inputs"] == {}
    assert read(toys).without({"00_make"}).stages["01_grow.fast"].values["inputs"] == {}  # of the default, too


def test_a_change_is_of_one_stage_or_of_all_of_a_notebook(toys: Path) -> None:
    found = changes(toys, "02_end.samples=3", "02_end.a.samples=4", "00_make.size='5'")
    assert found == {"02_end.a": {"samples": 4}, "02_end.b": {"samples": 3}, "00_make": {"size": "5"}}


def test_all_wrong_changes_are_told_at_once(toys: Path) -> None:
    with pytest.raises(DoppelError) as error:
        changes(toys, "02_end", "02_ende.samples=1", "samples=1", "02_end.a.samples=[", "02_end.a.samples=1")
    assert codes(error.value)[:3] == ["pipeline.set_form", "pipeline.set_unknown_stage", "pipeline.set_form"]
    assert len(codes(error.value)) == 4 and "02_end" in str(error.value)
    with refused("pipeline.set_by_grid", value="02_end.samples"):
        changes(toys, "02_end.samples=1", fixed={"02_end.a": ["samples"], "02_end.b": []})


def test_files_that_are_none_are_refused_with_their_names(toys: Path) -> None:
    folder = toys / "params" / "toy"
    (folder / "00_make.yaml").write_text("- size\n")
    (folder / "01_grow.fast.yaml").write_text("stage: other\n")
    (folder / "03_more.yaml").write_text("")
    with pytest.raises(DoppelError) as error:
        read(toys)
    assert sorted(codes(error.value)) == [
        "pipeline.no_mapping",
        "pipeline.reserved_parameter",
        "pipeline.unknown_notebook",
    ]
    (folder / "02_end.c.yml").write_text("")
    with refused("pipeline.yml", name="02_end.c.yml"):
        read(toys)
    with refused("pipeline.unknown_preset", name="toys") as error:
        read(toys, "toys")
    assert "toy" in error.value.remedy
