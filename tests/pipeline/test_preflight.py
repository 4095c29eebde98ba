"""Pre-flight: everything that is wrong with a preset is reported before any kernel starts. None is started here."""

import argparse
from pathlib import Path

import pytest
from support.errors import refused
from support.project import Project, toy_chain

from lib.cli import __main__, run
from lib.common.errors import DoppelError
from lib.pipeline import stage_checks
from lib.pipeline.preflight import preflight

FAULTS = {  # of preset bad: code, file, name
    ("stage.unknown_parameter", "00_make.yaml", "siez"),
    ("pipeline.reserved_parameter", "00_make.yaml", "run"),
    ("pipeline.unknown_input", "01_grow.fast.yaml", "data"),
    ("stage.out_of_range", "01_grow.slow.yaml", "factor"),
    ("stage.wrong_type", "01_grow.slow.yaml", "inputs"),
    ("stage.yaml_trap", "02_end.a.yaml, line 2", "samples"),
    ("pipeline.unknown_notebook", "02_ende.yaml", "02_ende"),
    ("pipeline.unknown_input", "02_end.b.yaml", "model"),  # of the default
    ("stage.secret", "02_end.b.yaml", "api_key"),
    ("pipeline.unknown_input", "02_end.c.yaml", "model"),
    ("stage.wrong_type", "02_end.c.yaml", "samples"),
}


def test_every_fault_of_every_file_is_reported_at_once(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    toy_chain(here)
    here.preset(
        "bad",
        n00_make="siez: 3\nrun: mine\n",
        n01_grow__fast="inputs: {data: 00_mak}\nfactor: 0.5e-3\n",
        n01_grow__slow="inputs: {data: 00_make, more: 7}\nfactor: 11\n",
        n02_end__a="inputs: {model: 01_grow.fsat}\nsamples: yes\n",
        n02_ende="",
        n02_end__b="api_key: sk-abcdEFGH1234ijklMNOP\n",
        n02_end__c="samples: 1.5\n",
    )
    with pytest.raises(DoppelError) as error:
        preflight("bad", "bad")
    faults = error.value.faults
    assert {(fault.code, fault.where.removeprefix("params/bad/"), fault.name) for fault in faults} == FAULTS
    remedies = {fault.name: fault.remedy for fault in faults}
    assert remedies["siez"] == "did you mean size?" and remedies["data"] == "did you mean 00_make?"
    assert remedies["02_ende"] == "did you mean 02_end?" and remedies["factor"] == "must be in (0, 10]"
    assert __main__.main(["bad"]) == 2
    shown = capsys.readouterr().err
    assert shown == f"{error.value}\nnothing was started\n" and "sk-abcd" not in shown
    assert not (here.root / "results").exists()


@pytest.mark.parametrize(
    ("preset", "override", "code", "facts"),
    [
        ("tyo", None, "pipeline.unknown_preset", {"name": "tyo", "remedy": "presets: bad, cycle, toy"}),
        ("../toy", None, "pipeline.unknown_preset", {"name": "../toy"}),
        ("cycle", None, "pipeline.cycle", {"name": "inputs", "where": "params/cycle"}),
        ("bad", None, "pipeline.yml", {"name": "00_make.yml", "remedy": "rename it to 00_make.yaml"}),
        (
            "toy",
            "01_grw.factor=1",
            "pipeline.set_unknown_stage",
            {"value": "01_grw", "remedy": "did you mean 01_grow?"},
        ),
        (
            "toy",
            "01_grow.fast.fctor=1",
            "stage.unknown_parameter",
            {"name": "fctor", "where": "--set 01_grow.fast", "remedy": "did you mean factor?"},
        ),
        ("toy", "01_grow.fast.factor=1e-4", "stage.yaml_trap", {"where": "--set 01_grow.fast.factor, line 1"}),
        ("toy", "01_grow.factor=11", "stage.out_of_range", {"name": "factor", "where": "--set 01_grow.fast"}),
        ("toy", "02_end.a.inputs={model: 01_grow}", "pipeline.unknown_input", {"name": "model", "value": "01_grow"}),
        ("toy", "00_make.tracking=online", "stage.tracking_without_key", {"name": "tracking"}),
        ("toy", "02_end.a.stage=x", "pipeline.reserved_parameter", {"name": "stage"}),
        ("toy", "samples=1", "pipeline.set_form", {"value": "samples"}),
        ("toy", "02_end.a.samples", "pipeline.set_form", {"value": "02_end.a.samples"}),
    ],
)
def test_what_pre_flight_refuses(
    here: Project, monkeypatch: pytest.MonkeyPatch, preset: str, override: str | None, code: str, facts: dict
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("NETRC", "none")
    toy_chain(here)
    here.preset("cycle", n01_grow__a="inputs: {data: 01_grow.b}\n", n01_grow__b="inputs: {data: 01_grow.a}\n")
    here.preset("bad", n00_make="")
    (here.root / "params" / "bad" / "00_make.yml").touch()
    with refused(code) as error:
        preflight(preset, "toy", [override] if override else [])
    assert {name: getattr(error.value, name) for name in facts} == facts


def test_a_run_that_is_no_folder_of_results_is_refused(here: Project) -> None:
    toy_chain(here)
    with refused("pipeline.run_name", name="--run", value="../toy"):
        preflight("toy", "../toy")
    with refused("pipeline.unknown_preset"):  # first, for the run is called like it
        preflight("a/b", "a/b")


def test_a_preset_is_given_by_name_or_by_a_path_to_its_folder(here: Project, capsys: pytest.CaptureFixture) -> None:
    toy_chain(here)
    linked = here.root.parent / f"{here.root.name}-linked"
    linked.symlink_to(here.root)
    paths = ("params/toy", "./params/toy/", f"{here.root}/params/toy", f"{linked}/params/toy/")
    for given in ("toy", "toy/", "./toy", *paths):
        assert __main__.main([given, "--dry-run"]) == 0, given
        assert "4 of 4 stages would run" in capsys.readouterr().out, given
    for given in ("/elsewhere/params/toy", "../params/toy", f"{here.root}/params", "params/toy/01", "."):
        assert __main__.main([given, "--dry-run"]) == 2, given
        shown = capsys.readouterr().err
        assert f"a preset is a folder of {here.root}/params" in shown and "--run" not in shown, given
        with refused("cli.no_preset_folder", value=given):
            run.run_preset(argparse.Namespace(preset=given, run=None, set=[]))
    for given in ("params", "..", "two words"):
        assert __main__.main([given]) == 2 and f"no preset {given!r}; presets: toy" in capsys.readouterr().err


def test_a_notebook_at_fault_is_reported_once(here: Project) -> None:
    toy_chain(here)
    here.notebook("02_end", "samples: int = 1 + 1\n")
    with refused("stage.no_literal", name="samples") as error:
        preflight("toy", "toy")
    assert len(error.value.faults) == 1 and error.value.where.startswith("notebooks/02_end.ipynb")


def test_a_check_of_a_notebook_is_asked(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(parameters: dict) -> None:
        raise DoppelError("pipeline.too_much", "cannot be reached", name="factor", value=parameters["factor"])

    toy_chain(here)
    monkeypatch.setitem(stage_checks.CHECKS, "01_grow", too_much)
    with refused("pipeline.too_much", name="factor", value=3.0) as error:
        preflight("toy", "toy")
    assert error.value.where == "params/toy/01_grow.fast.yaml"


def test_overrides_reach_one_variant_or_all(here: Project) -> None:
    toy_chain(here)
    nodes = preflight("toy", "toy", ["02_end.samples=5", "02_end.b.samples=6", "01_grow.fast.device=x=y"]).nodes
    assert [nodes[id].parameters["samples"] for id in ("02_end.a", "02_end.b")] == [5, 6]
    assert nodes["01_grow.fast"].parameters["device"] == "x=y"
    assert nodes["02_end.b"].parameters["stage"] == "02_end.b" and nodes["02_end.b"].parameters["run"] == "toy"


def test_a_preset_that_cannot_be_listed_is_told_so(here: Project) -> None:
    toy_chain(here)
    (here.root / "params" / "mine").write_text("a file")
    with refused("common.system", name=str(here.root / "params" / "mine"), value="ENOTDIR"):
        preflight("mine", "mine")


@pytest.mark.parametrize("place", ["results", "data"])
def test_outputs_and_budgets_that_cannot_be_written_are_refused_before_anything_starts(
    house: Project, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (house.root / place).touch()
    assert __main__.main(["quick", "--dry-run"]) == 2
    shown = capsys.readouterr().err
    assert f"{house.root / place}: Not a directory (ENOTDIR); " in shown and "nothing was started" in shown


def test_a_file_that_cannot_be_read_is_a_sentence(
    here: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_chain(here)
    notebook = here.root / "notebooks" / "00_make.ipynb"
    notebook.rename(notebook.with_suffix(".old"))
    notebook.symlink_to(notebook)  # it leads to itself
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    assert __main__.main(["toy", "--dry-run"]) == 2
    assert str(notebook) in (shown := capsys.readouterr().err) and "(ELOOP)" in shown


def test_a_folder_that_holds_no_model_is_refused_with_its_file(house: Project) -> None:
    (house.root / "my-model").mkdir()
    with refused("models.no_model", name="model", value="my-model") as error:
        preflight("quick", "quick", ["10_finetune_dp_lora.model=my-model"])
    assert "params/quick/10_finetune_dp_lora.eps8.yaml" in str(error.value)


def test_a_proxy_that_no_client_knows_is_refused_where_the_hub_is_asked(
    house: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://here:9")
    preflight("quick", "quick")
    with refused("common.proxy", name="ALL_PROXY"):
        preflight("quick", "quick", ["10_finetune_dp_lora.model=hub:gpt2"])
    for place in ("http://localhost:8000/v1", "https://api.openai.com/v1"):
        values = ("model=openai:small", f"base_url={place}", "top_k=0", "key_variable=NO_KEY")
        endpoint = [f"12_aug_pe.{value}" for value in values]
        if "localhost" in place:
            preflight("quick", "quick", endpoint)  # no proxy is used for it
        else:
            monkeypatch.setenv("NO_KEY", "a-key")
            with refused("common.proxy", name="ALL_PROXY"):
                preflight("quick", "quick", endpoint)


def test_a_warm_start_that_would_cost_epsilon_is_refused_before_anything_runs() -> None:
    training = "10_finetune_dp_lora.eps8"
    steps = f"{training}.warm_steps=3"
    for change, code in (
        ("inputs={corpus: 00_process_data, warm: 11_generate.nonprivate}", "methods.warm_start_saw_records"),
        ("warm_source=public:movie-snippets", "privacy.source_is_the_corpus"),
        ("warm_source=amazon-snippets", "privacy.source_not_declared"),
    ):
        with refused(code) as error:
            preflight("quick", "quick", [steps, f"{training}.{change}"])
        assert error.value.where == f"params/quick/{training}.yaml"
    for change in ("inputs={corpus: 00_process_data, warm: 11_generate.base}", "warm_source=public:amazon-snippets"):
        preflight("quick", "quick", [steps, f"{training}.{change}"])
