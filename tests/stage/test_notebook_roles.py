"""Inputs of a notebook: each must be a stage of the notebooks that its name asks for."""

import pytest
from support.errors import refused

from lib.stage import notebook_roles
from lib.stage.notebook_roles import check_inputs, check_only_input, current_name, notebook_of, stands_for


def test_ids_and_names() -> None:
    assert notebook_of("11_generate.eps8.more") == "11_generate" == notebook_of("11_generate")
    assert current_name("02_generate") == "11_generate" == current_name("11_generate")
    assert stands_for("11_generate", "11_generate.eps8") and stands_for("11_generate.eps8", "11_generate.eps8")
    assert not stands_for("11_generate.eps8", "11_generate") and not stands_for("11_gen", "11_generate.eps8")


def inputs(**stages: str) -> dict[str, dict[str, str]]:
    return {"inputs": stages}


def test_inputs_of_the_right_notebooks_are_taken() -> None:
    check_inputs(inputs(corpus="00_process_data", model="10_finetune_dp_lora.a"), "corpus", "model")
    check_inputs(inputs(corpus="01_scrub.slots", mine="11_generate.a"), "corpus", others=["11_generate"])
    check_inputs(inputs(corpus="00_process_images"), "corpus", corpora=["00_process_images"])
    check_only_input(inputs(synthetic="40_pii_text.a"), "synthetic")


@pytest.mark.parametrize(
    ("given", "others", "code", "name"),
    [
        (inputs(model="10_finetune_dp_lora"), (), "stage.no_corpus_input", "inputs"),
        (inputs(corpus="11_generate"), (), "stage.input_of_another_notebook", "corpus"),
        (inputs(corpus="00_process_images"), (), "stage.input_of_another_notebook", "corpus"),
        (inputs(corpus="00_process_data", model="11_generate"), (), "stage.input_of_another_notebook", "model"),
        (inputs(corpus="00_process_data", modle="10_finetune_dp_lora"), (), "stage.unknown_input", "modle"),
        (inputs(corpus="00_process_data", mine="10_x"), ["11_generate"], "stage.input_of_another_notebook", "mine"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(given: dict, others: tuple, code: str, name: str) -> None:
    with refused(code, name=name) as error:
        check_inputs(given, "corpus", "model", others=others)
    assert name != "modle" or error.value.remedy == "did you mean model?"


@pytest.mark.parametrize("given", [inputs(), inputs(synthetic="40_pii_text", more="40_pii_text")])
def test_an_input_that_must_be_the_only_one(given: dict) -> None:
    with refused("stage.not_the_only_input", name="inputs", value=sorted(given["inputs"])):
        check_only_input(given, "synthetic")
    with refused("stage.input_of_another_notebook", name="synthetic", value="11_generate"):
        check_only_input(inputs(synthetic="11_generate"), "synthetic")


def test_every_notebook_that_measures_is_called_by_what_it_measures() -> None:
    assert set(notebook_roles.MEASURES.values()) == {"audit", "fidelity", "utility"}
    assert {notebook_roles.AUDIT, notebook_roles.VOTE_AUDIT} == {
        notebook for notebook, what in notebook_roles.MEASURES.items() if what == "audit"
    }
