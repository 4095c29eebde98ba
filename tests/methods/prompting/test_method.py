"""What pre-flight refuses about a stage that writes with a model, tuned or not; and what a card says."""

from collections.abc import Mapping

import pytest
from support.errors import refused

from lib.methods.prompting.method import METHOD, check_generate, check_prompt

CORPUS = {"corpus": "00_process_data"}
TUNED = CORPUS | {"model": "10_finetune_dp_lora.eps8"}
PROMPTED = {"base_model": "hub:a/b", "prompt": "A {mood} text:", "chat": False}
FILE = {"prompt": None, "prompts": "prompts/generic.yaml"}
NOTHING = {**dict.fromkeys(PROMPTED), "prompts": None}
AUTO = {"engine": "auto", "guidance": 0.0, "prompt_without_label": None, "prompts": None}
AUTO |= {"served_model": None, "base_url": None, "key_variable": "NO_KEY", "timeout": 9.0}


def test_a_model_comes_from_an_input_or_from_the_parameters() -> None:
    check_generate({"inputs": TUNED, **AUTO, **NOTHING})
    check_generate({"inputs": CORPUS, **AUTO, **PROMPTED})


@pytest.mark.parametrize("name", PROMPTED)
def test_two_models_are_refused_and_so_is_none(name: str) -> None:
    with refused("methods.two_models", name=name, value=PROMPTED[name]):
        check_generate({"inputs": TUNED, **AUTO, **NOTHING, name: PROMPTED[name]})
    with refused("methods.no_model", name=name):
        check_generate({"inputs": CORPUS, **AUTO, **PROMPTED, name: None})


def test_a_prompt_file_stands_in_place_of_a_prompt() -> None:
    asked = {"inputs": CORPUS, **AUTO, **PROMPTED, **FILE}
    check_generate(asked)
    check_generate(asked | {"chat": True})
    with refused("methods.two_prompts", name="prompt"):
        check_generate(asked | {"prompt": PROMPTED["prompt"]})
    with refused("methods.two_models", name="prompts", value=FILE["prompts"]):
        check_generate({"inputs": TUNED, **AUTO, **NOTHING, **FILE})
    for name, unfit in (("guidance", 1.0), ("chat", "bare")):
        with refused("methods.unfit_for_prompt_file", name=name, value=unfit):
            check_generate(asked | {name: unfit})


def test_a_prompt_file_must_fit_labels_and_topics_of_the_corpus() -> None:
    films = {"prompt": None, "prompts": "prompts/rotten-tomatoes.yaml"}
    corpus: Mapping = {"label_domain": {"kind": ["positive review", "negative review", "plot summary"]}}
    check_prompt(films, corpus)
    with refused("generation.prompt_label_unknown", name="kind"):
        check_prompt(films, {"label_domain": {"mood": ["good", "bad"]}})
    with refused("models.topic_unsaid", name="topic"):
        check_prompt(FILE | {"prompts": "prompts/pubmed.yaml"}, corpus | {"topics": 4})
    with refused("generation.prompt_file_missing", name="prompts"):
        check_prompt(FILE | {"prompts": "prompts/none.yaml"}, corpus)


def test_other_inputs_and_unknown_engines_are_refused() -> None:
    with refused("stage.unknown_input", name="arm"):
        check_generate({"inputs": TUNED | {"arm": "11_generate.base"}, **AUTO, **NOTHING})
    with refused("generation.engine_unknown", name="engine", value="steam"):
        check_generate({"inputs": TUNED, **AUTO, **NOTHING, "engine": "steam"})


def test_guidance_needs_an_engine_that_can_and_a_prompt_with_a_label() -> None:
    guided = {"inputs": CORPUS, **PROMPTED, **AUTO, "guidance": 1.0}
    check_generate(guided)
    check_generate(guided | {"prompt_without_label": "A text:"})
    check_generate({"inputs": TUNED, **AUTO, **NOTHING, "guidance": 1.0})  # the input model brings its prompt
    with refused("generation.guidance_unsupported", name="guidance", value=1.0):
        check_generate(guided | {"engine": "ctranslate2"})
    with refused("models.prompt_not_unlabelled", name="prompt_without_label", value="{mood}:"):
        check_generate(guided | {"prompt_without_label": "{mood}:"})
    with refused("models.prompt_without_labels", name="guidance"):
        check_generate(guided | {"prompt": "A text:"})


def test_a_prompt_may_name_the_labels_of_the_corpus_alone() -> None:
    corpus: Mapping = {"label_domain": {"mood": ["good", "bad"]}}
    check_prompt(PROMPTED, corpus)
    check_prompt(NOTHING, corpus)  # the input model brings its prompt
    with refused("models.placeholder_unknown", name="tone"):
        check_prompt({"prompt": "A {tone} text:"}, corpus)


def test_a_prompt_says_the_topics_that_records_have() -> None:
    corpus: Mapping = {"label_domain": {"mood": ["good", "bad"]}, "topics": 4}
    check_prompt({"prompt": "A {mood} text about {topic}:"}, corpus)
    check_prompt(NOTHING, corpus)
    with refused("models.topic_unsaid", name="topic"):
        check_prompt(PROMPTED, corpus)
    with refused("models.placeholder_unknown", name="topic"):
        check_prompt({"prompt": "A {mood} text about {topic}:"}, corpus | {"topics": None})
    check_prompt(
        PROMPTED, {"label_domain": {"mood": ["a"], "topic": ["b"]}}
    )  # a label of the corpus' own may be left out


def test_a_card_names_the_model_and_the_prompt() -> None:
    first, second = METHOD.making(PROMPTED, PROMPTED, "record")
    assert "`hub:a/b`" in first and PROMPTED["prompt"] in second
    _, second = METHOD.making(PROMPTED | FILE, PROMPTED | FILE, "record")
    assert FILE["prompts"] in second and "None" not in second


def test_servers_are_checked_before_anything_is_sent() -> None:
    url = "http://localhost:8000/v1"
    served = {"inputs": TUNED, **AUTO, **NOTHING, "served_model": "eps8", "base_url": [url]}
    check_generate(served)
    for half in ("served_model", "base_url"):
        with refused("methods.served_by_halves", name=half):
            check_generate(served | {half: None})
    with refused("generation.guidance_unsupported", name="guidance"):
        check_generate(served | {"guidance": 1.0})
    with refused("generation.base_url_twice", value=url):
        check_generate(served | {"base_url": [url, url]})


def test_a_steered_model_brings_its_own_prompt_and_runs_on_an_engine_that_can_steer() -> None:
    asked = {"inputs": CORPUS | {"steer": "10_steer.eps8"}, **AUTO, **NOTHING}
    check_generate(asked)
    with refused("methods.two_models", name="prompt", value=PROMPTED["prompt"]):
        check_generate(asked | {"prompt": PROMPTED["prompt"]})
    with refused("methods.two_models", name="steer"):
        check_generate(asked | {"inputs": TUNED | {"steer": "10_steer.eps8"}})
    with refused("generation.steering_unsupported", name="engine", value="ctranslate2"):
        check_generate(asked | {"engine": "ctranslate2"})
    with refused("generation.steering_unsupported", name="engine", value="vllm"):
        check_generate(asked | {"served_model": "m", "base_url": "http://127.0.0.1:1/v1"})
