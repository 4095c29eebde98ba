"""./run_all.sh PRESET: which preset and which stages the command line means. Whole runs are in tests/end_to_end."""

import pytest
from support.errors import refused
from support.project import Project, toy_chain

from lib.cli import run
from lib.pipeline.preflight import preflight


def test_a_forced_stage_that_only_leaves_out_is_refused(here: Project) -> None:
    toy_chain(here)
    graph = preflight("toy", "toy", [])
    assert run._forced(graph, ["01_grow", "02_end.a"], ["02_end.a"]) == ["01_grow.fast", "02_end.a"]
    with refused("cli.forced_stage_left_out", name="--force", value="02_end.b"):
        run._forced(graph, ["02_end"], ["02_end.a"])


@pytest.mark.parametrize("given", ["/elsewhere/params/toy", "../params/toy", "params/toy/01", "."])
def test_a_preset_outside_params_is_refused(here: Project, given: str) -> None:
    with refused("cli.no_preset_folder", name="PRESET", value=given):
        run._preset_name(given)


@pytest.mark.parametrize("given", ["toy", "toy/", "./toy", "params/toy", "./params/toy/"])
def test_a_preset_is_given_by_name_or_by_a_path_to_its_folder(here: Project, given: str) -> None:
    toy_chain(here)
    assert run._preset_name(given) == "toy"
