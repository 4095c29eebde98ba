"""The method of an arm, by its inputs or by what it was made from; and entries that can be used."""

import inspect
import re
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from support.project import ROOT

from lib.methods import registry
from lib.methods.registry import METHODS

CORPUS = {"corpus": "00_process_data"}
TUNED = CORPUS | {"model": "10_finetune_dp_lora.eps8"}


@pytest.mark.parametrize(
    ("stage", "inputs", "title"),
    [
        ("11_generate.eps8", TUNED, "DP-LoRA"),
        ("11_generate.steered", CORPUS | {"steer": "10_steer.eps8"}, "Steering"),
        ("11_generate.base", CORPUS, "prompt only"),
        ("12_aug_pe.eps8", CORPUS, "Aug-PE"),
        ("02_generate.eps8", TUNED, "DP-LoRA"),
        ("03_aug_pe", CORPUS, "Aug-PE"),
        ("13_select.eps8", CORPUS | {"eps8": "11_generate.eps8"}, "Hybrid: selected by votes"),
        ("14_private_prediction.eps8", CORPUS, "Private prediction"),
    ],
)
def test_the_method_of_an_arm_follows_from_its_inputs_and_its_ancestors(
    stage: str, inputs: Mapping[str, str], title: str
) -> None:
    assert registry.of_arm(stage, inputs).title == title
    method, spending = registry.of_stages(stage, [stage, *inputs.values()])
    assert method.title == title
    assert spending == inputs.get("model", inputs.get("steer", stage))


def test_stages_that_write_no_records_have_no_method() -> None:
    for stage in ("00_process_data", "10_finetune_dp_lora.eps8", "21_fidelity"):
        with pytest.raises(KeyError):
            registry.of_arm(stage, CORPUS)
        with pytest.raises(KeyError):
            registry.of_stages(stage, [stage, *CORPUS.values()])
    with pytest.raises(KeyError):
        registry.titled("DP-Lora")


@pytest.mark.parametrize(("target", "title"), [(8.0, "DP-LoRA"), (None, "fine-tuned without privacy")])
def test_a_finished_arm_is_described_by_the_stage_that_drew_its_noise(target: float | None, title: str) -> None:
    training = SimpleNamespace(parameters={"target_epsilon": target, "model": "bundled:tiny-random"})
    run = SimpleNamespace(stage={"10_finetune_dp_lora.eps8": training}.__getitem__)
    described = registry.describe(run, SimpleNamespace(id="11_generate.eps8", inputs=TUNED, parameters={}))
    assert (described.title, described.model, described.private) == (title, "bundled:tiny-random", target is not None)
    assert registry.titled(title) is described.method
    base = SimpleNamespace(id="11_generate.base", inputs=CORPUS, parameters={"base_model": "hub:a/b"})
    described = registry.describe(run, base)
    assert (described.title, described.model, described.private) == ("prompt only", "hub:a/b", False)


def test_the_models_of_a_hybrid_are_those_of_the_arms_that_it_selects_from() -> None:
    training = SimpleNamespace(parameters={"target_epsilon": 8.0, "model": "hub:a/b"})
    arms = {
        "10_finetune_dp_lora.eps8": training,
        "11_generate.eps8": SimpleNamespace(id="11_generate.eps8", inputs=TUNED, parameters={}),
        "11_generate.base": SimpleNamespace(id="11_generate.base", inputs=CORPUS, parameters={"base_model": "hub:c/d"}),
        "11_generate.more": SimpleNamespace(id="11_generate.more", inputs=TUNED, parameters={}),
    }
    inputs = CORPUS | {name: name for name in list(arms)[1:]}
    hybrid = SimpleNamespace(id="13_select.eps8", inputs=inputs, parameters={"target_epsilon": 8.0})
    described = registry.describe(SimpleNamespace(stage=arms.__getitem__), hybrid)
    assert (described.model, described.private) == ("hub:a/b, hub:c/d", True)
    _, spends = registry.of_stages("13_select.b", ["13_select.b", "13_select.a", "10_finetune_dp_lora.eps8"])
    assert spends == "13_select.b"  # not the selection that it selects from


def test_a_notebook_names_the_method_that_draws_its_noise_and_the_one_that_can_be_attacked() -> None:
    spending = {"10_finetune_dp_lora": "DP-LoRA", "01_finetune_dp_lora": "DP-LoRA", "12_aug_pe": "Aug-PE"}
    assert {notebook: registry.spending(notebook).title for notebook in spending} == spending
    assert registry.spending("11_generate") is None
    assert registry.spending("10_steer").title == "Steering"
    without_mechanism = {"40_pii_text", "50_private_records", "51_sanitize", "11_random_images"}
    assert set(registry.ARMS) - set(registry.ATTACKED) == without_mechanism


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.title)
def test_an_entry_names_what_is_there(method: registry.Method) -> None:
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    checked = {*method.checks, *method.corpus_checks, *method.input_checks}
    assert {method.arm, method.spends or method.arm, *checked} <= notebooks
    of_mechanism = (method.recipe, method.canaries, method.audit, method.control_score)
    assert {method.spends is None} == {named is None for named in of_mechanism}
    assert re.fullmatch("#[0-9a-f]{6}", method.colour)
    if method.audit is not None:
        assert list(inspect.signature(method.make_again()).parameters) == ["arm", "corpus", "folder", "bars"]
        sent = inspect.signature(method.send_canaries()).parameters
        assert list(sent)[:5] == ["access", "canaries", "rng", "fault", "progress"]


def test_titles_and_colours_tell_methods_apart() -> None:
    titles = [title for m in METHODS for title in (m.title, m.title_without_privacy) if title is not None]
    assert len(set(titles)) == len(titles)
    assert len({method.colour for method in METHODS}) == len(METHODS)
