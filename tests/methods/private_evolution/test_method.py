"""The entry of Aug-PE: its mechanism is what an evolution runs, and pre-flight refuses what cannot evolve."""

from pathlib import Path

import numpy as np
import pytest
from support import aws
from support.errors import refused
from support.evolution_toys import PROMPTS, on_plane
from support.project import ROOT

from lib.generation import prompt_checks
from lib.generation.prompt_file import PromptFile, load
from lib.methods.private_evolution import evolution
from lib.methods.private_evolution.method import METHOD, check_evolution, check_prompts, recipe
from lib.methods.private_evolution.voting import VOTE
from lib.privacy.accounting import Gaussian
from lib.stage.parameters import read_spec

DEFAULTS = {name: p.default for name, p in read_spec(ROOT / "notebooks" / "12_aug_pe.ipynb").items()}


def test_the_recipe_is_what_an_evolution_runs(
    prompts: PromptFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One release an iteration, and the noise is the multiplier times the sensitivity sqrt(k_nn)."""
    drawn, draw = [], evolution.noisy_votes
    monkeypatch.setattr(evolution, "noisy_votes", lambda *a, **k: drawn.append(k) or draw(*a, **k))
    mechanism = recipe({"iterations": 3}, 400, 1.5)
    assert mechanism == Gaussian(1.5, count=3) and mechanism.sampling_probability == 1
    on_plane(prompts, tmp_path, iterations=3, k_nn=4, noise_multiplier=1.5).run()
    assert len(drawn) == mechanism.count
    for release in drawn:
        assert release["noise_multiplier"] == mechanism.noise_multiplier
        assert release["sensitivity"] == pytest.approx(2 * VOTE)


def test_the_defaults_of_the_notebook_can_evolve() -> None:
    check_evolution(DEFAULTS)
    check_evolution(DEFAULTS | {"inputs": {"corpus": "00_process_data", "start": "11_generate.eps8"}})
    domain = {"kind": ["positive review", "negative review", "plot summary"]}
    check_prompts(DEFAULTS | {"prompts": ROOT / DEFAULTS["prompts"]}, {"label_domain": domain})


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"inputs": {}}, "stage.no_corpus_input", "inputs"),
        ({"inputs": {"corpus": "00_process_data", "begin": "11_generate.eps8"}}, "stage.unknown_input", "begin"),
        (
            {"inputs": {"corpus": "00_process_data", "start": "10_finetune_dp_lora.eps8"}},
            "stage.input_of_another_notebook",
            "start",
        ),
        ({"engine": "steam"}, "generation.engine_unknown", "engine"),
        ({"variants": 1}, "methods.nothing_varied", "variants"),
        ({"k_nn": 601}, "methods.k_nn_too_large", "k_nn"),
        ({"schedule": [1]}, "methods.schedule_does_not_fit", "schedule"),
        ({"base_url": "http://localhost:1/v1"}, "methods.address_of_local_model", "base_url"),
        ({"prices": {"in": 1.0}}, "methods.unknown_price", "prices"),
        ({"model": "openai:some-model", "key_variable": "NO_SUCH_KEY"}, "generation.key_missing", None),
        ({"model": aws.MODEL, "top_k": 0, "max_cost": 5.0}, "generation.max_cost_without_prices", "max_cost"),
        ({"model": aws.MODEL, "top_k": 0}, "generation.aws_region_missing", "AWS_DEFAULT_REGION"),
    ],
)
def test_what_cannot_evolve_is_refused(
    change: dict, code: str, name: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    aws.configure(monkeypatch, tmp_path, AWS_DEFAULT_REGION="")
    with refused(code) as error:
        check_evolution(DEFAULTS | change)
    assert name is None or error.value.name == name


def test_a_prompt_file_that_does_not_fit_the_corpus_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plane.yaml"
    path.write_text(PROMPTS)
    given, domain = DEFAULTS | {"prompts": path}, {"label_domain": {"side": ["left", "right"]}}
    check_prompts(given, domain)
    with refused("generation.prompt_label_unknown", name="side"):
        check_prompts(given, {"label_domain": {"edge": ["left", "right"]}})
    with refused("models.topic_unsaid", name="topic"):
        check_prompts(given, domain | {"topics": 4})
    check_prompts(given | {"prompts": ROOT / "prompts" / "generic.yaml"}, domain | {"topics": 4})
    with refused("generation.prompt_file_missing"):
        check_prompts(given | {"prompts": tmp_path / "none.yaml"}, {"label_domain": {}})
    for name in ("good_shots", "bad_shots"):
        with refused("generation.shown_without_place", name=name):
            check_prompts(given | {name: 1}, domain)


def test_every_prompt_file_has_a_place_for_shown_candidates() -> None:
    for file in (ROOT / "prompts").glob("*.yaml"):
        for variation in ("rephrase", "fill"):
            prompt_checks.check_shown(load(file), variation, prompt_checks.SHOWN)


def test_a_card_says_how_often_records_voted_and_through_which_encoder() -> None:
    settings = {"model": "hub:a/b", "encoder": "withheld", "iterations": np.int64(3), "inputs": {"corpus": "c"}}
    (words,) = METHOD.making(settings, settings, "record")
    assert "It wrote texts from labels alone;" in words
    assert "`hub:a/b`" in words and "voted 3 times" in words and "as seen by a local model" in words
    settings["inputs"]["start"] = "11_generate.a"
    assert "It began with the texts of another arm;" in next(METHOD.making(settings, settings, "record"))
