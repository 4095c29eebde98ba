"""RANDOM_API and VARIATION_API: draws of their own for each sample, checks of replies, adaptive lengths."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from support.evolution_toys import CELLS, PROMPTS, Plane
from support.project import ROOT

from lib.generation import generate, prompt_file
from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.engines.base import Completion, Sampling
from lib.generation.prompt_file import PromptFile
from lib.generation.prompt_parts import Shown
from lib.methods.private_evolution import text_api
from lib.methods.private_evolution.text_api import Api, Writing
from lib.stage.parameters import read_spec


def test_keywords_are_drawn_for_each_sample_and_again_for_each_redraw(prompts: PromptFile) -> None:
    model = Plane()
    model.scripted = [Completion("", 1, True)] * 40
    Api(model, prompts, Writing(Sampling(), max_new_tokens=16)).random([CELLS[0]] * 40, 0)
    first, second = ([request.messages[-1][1] for request in call] for call in model.asked)
    assert len(set(first)) >= 7 and len(first) == len(second) == 40
    assert sum(a != b for a, b in zip(first, second, strict=True)) > 25


def test_what_is_no_text_is_drawn_again_and_never_replaced_by_the_prompt(prompts: PromptFile) -> None:
    model = Plane()
    parents = ["at 1.0 and 1.0", "at 2.0 and 2.0"]
    model.scripted = [
        Completion(' "At 2.0 and 2.0." ', 4, True),  # the second parent again
        Completion("at 7.0 and", 4, False),
        Completion("", 0, True, refused=True),
        Completion("at 1.0, and 1.0", 9, True),
        *[Completion("", 1, True)] * 6,
    ]
    drawn = Api(model, prompts, Writing(Sampling(), max_new_tokens=16)).vary(parents, CELLS, 1)
    assert drawn.items == {}
    assert sum(drawn.rejected.values()) == 10 and drawn.requested == 2
    assert drawn.rejected == {"copy of its parent": 2, "truncated": 1, "refusal": 1, "empty": 6}
    model.reply = lambda requests, sampling: (
        (n, Completion(f"Yes: {request.messages[-1][1]}", 9, True)) for n, request in enumerate(requests)
    )
    drawn = Api(model, prompts, Writing(Sampling(), max_new_tokens=16)).vary(parents, CELLS, 1)
    assert drawn.rejected == {"echo of the prompt": 10}
    drawn = Api(model, prompts, Writing(Sampling(), max_new_tokens=16)).random(CELLS, 1)
    assert drawn.items == {} and drawn.rejected == {"echo of the prompt": 10}


def test_a_redrawn_reply_is_checked_against_its_own_parent(prompts: PromptFile) -> None:
    model = Plane()
    model.scripted = [
        Completion("", 1, True),  # replies come last request first
        Completion("at 5.0 and 5.0", 4, True),
        Completion("at 1.0 and 1.0", 4, True),  # the first parent's text, for the second
    ]
    writing = Writing(Sampling(), max_new_tokens=16)
    drawn = Api(model, prompts, writing).vary(["at 1.0 and 1.0", "at 2.0 and 2.0"], CELLS, 1)
    assert drawn.items == {0: "at 5.0 and 5.0", 1: "at 1.0 and 1.0"} and drawn.rejected == {"empty": 1}


def test_examples_and_blanks_that_come_back_are_drawn_again(prompts: PromptFile, tmp_path: Path) -> None:
    shots = "shots: [{labels: {side: left}, draws: {colour: red}, text: at 9.0 and 9.0, again: at 8.0 and 8.0}]\n"
    (tmp_path / "shots.yaml").write_text(PROMPTS + shots)
    model = Plane()
    model.scripted = [
        Completion("At 9.0 and 9.0!", 4, True),
        Completion("at 8.0 and 8.0", 4, True),
        Completion("at _ and 1.0", 4, True),
    ]
    writing = Writing(Sampling(), max_new_tokens=16, variation="fill", mask_probability=0.3)
    drawn = Api(model, prompt_file.load(tmp_path / "shots.yaml"), writing).vary(["at 1.0 and 1.0"], CELLS[:1], 1)
    assert drawn.rejected == {"copy of an example": 2, "blanks left": 1} and len(drawn.items) == 1


@pytest.mark.parametrize("variation", ["rephrase", "fill"])
def test_prompts_show_candidates_and_their_copies_are_drawn_again(tmp_path: Path, variation: str) -> None:
    place = "[Good:\\n{good}\\n][Bad:\\n{bad}\\n]"
    changed = PROMPTS.replace("In a", f"{place}In a").replace("Fill:", f"{place}Fill:")
    (tmp_path / "shown.yaml").write_text(changed)
    model = Plane()
    model.scripted = [Completion("at 5.0 and 5.0", 4, True), Completion("at 6.0 and 6.0", 4, True)]
    shown = [Shown(("at 5.0 and 5.0", "at 6.0 and 6.0"), ("at 7.0 and 7.0",)), Shown(("at 8.0 and 8.0",))]
    writing = Writing(Sampling(), max_new_tokens=16, variation=variation)
    api = Api(model, prompt_file.load(tmp_path / "shown.yaml"), writing)
    drawn = api.vary(["at 1.0 and 1.0", "at 2.0 and 2.0"], CELLS, 1, shown=shown)
    first, second = (request.messages[-1][1] for request in model.asked[0])
    assert first.startswith("Good:\n- at 5.0 and 5.0\n- at 6.0 and 6.0\nBad:\n- at 7.0 and 7.0\n")
    assert second.startswith("Good:\n- at 8.0 and 8.0\n") and "Bad" not in second
    # 5.0 is shown to the first alone, to which it would be a copy
    assert drawn.items[1] == "at 5.0 and 5.0" and drawn.rejected == {"copy of an example": 1}
    api.vary(["at 1.0 and 1.0"], CELLS[:1], 1)
    assert "Good" not in model.asked[-1][0].messages[-1][1]


def test_cut_replies_can_end_at_their_last_sentence(prompts: PromptFile) -> None:
    model = Plane()
    writing = Writing(Sampling(), max_new_tokens=16, unfinished="trim", max_attempts=1)
    model.scripted = [
        Completion('It is at 1.0. "Truly so." And th', 9, False),
        Completion("no end at 4.5 of it", 9, False),
    ]
    drawn = Api(model, prompts, writing).random(CELLS, 0)
    assert drawn.items == {1: 'It is at 1.0. "Truly so."'} and drawn.rejected == {"truncated": 1}


def test_of_a_reasoning_model_the_answers_are_kept_and_reasoning_alone_is_no_text(prompts: PromptFile) -> None:
    model = Plane()
    writing = Writing(Sampling(), max_new_tokens=16, unfinished="trim", max_attempts=1)
    model.scripted = [
        Completion("<think>At 9.0. Surely</think>It is at 1.0. Truly so. And th", 9, False),
        Completion("<think>It could be at 4.5. Or not. Perha", 9, False),
    ]
    drawn = Api(model, prompts, writing).random(CELLS, 0)
    assert drawn.items == {1: "It is at 1.0. Truly so."} and drawn.rejected == {"truncated": 1}


def test_cut_replies_of_any_script_end_at_their_last_sentence(prompts: PromptFile) -> None:
    writing = Writing(Sampling(), max_new_tokens=16, unfinished="trim", max_attempts=1)
    model = Plane()
    model.scripted = [Completion("他说：“很好！”下次", 9, False), Completion("กล้องนี้ดีมาก แบตเตอ", 9, False)]
    assert Api(model, prompts, writing).random(CELLS, 0).items == {1: "他说：“很好！”", 0: "กล้องนี้ดีมาก"}


def test_a_length_without_spaces_is_in_characters(prompts: PromptFile) -> None:
    api = Api(Plane(), prompts, Writing(Sampling(), max_new_tokens=64, word_var_scale=0.01, min_words=8))
    assert api.length("这家店的菜很好吃，下次还来。", np.random.default_rng(0)) == (12, 16)


def test_lengths_adapt_to_the_parent(prompts: PromptFile) -> None:
    api = Api(Plane(), prompts, Writing(Sampling(), max_new_tokens=64, word_var_scale=5.0, min_words=8))
    rng = np.random.default_rng(0)
    lengths = [api.length("word " * 30, rng) for _ in range(2000)]
    words, limits = map(np.array, zip(*lengths, strict=True))
    assert words.mean() == pytest.approx(30, abs=0.4) and words.std() == pytest.approx(5, abs=0.3)
    assert (limits >= np.minimum(words * 1.2, 64)).all() and (limits <= 64).all() and len(set(limits.tolist())) <= 4
    assert min(api.length("one", rng)[0] for _ in range(100)) == 8
    fixed = Api(Plane(), prompts, Writing(Sampling(), max_new_tokens=64))
    assert fixed.length("word " * 30, rng) == (None, 64)


def test_fill_masks_the_parent(prompts: PromptFile) -> None:
    model = Plane()
    writing = Writing(Sampling(), max_new_tokens=16, variation="fill", mask_probability=0.5, max_attempts=1)
    Api(model, prompts, writing).vary(["some words at 1.0 and 1.0"] * 20, [CELLS[0]] * 20, 1)
    asked = {request.messages[-1][1] for request in model.asked[0]}
    assert len(asked) > 10 and all("_" in text for text in asked)


def test_the_parameters_of_an_endpoint_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict] = []
    monkeypatch.setattr(text_api, "open_chat", lambda model, **given: seen.append(given["server"]))
    parameters = {name: p.default for name, p in read_spec(ROOT / "notebooks" / "12_aug_pe.ipynb").items()}
    parameters |= {"timeout": 9.0, "send_seed": False, "prompts": ROOT / parameters["prompts"]}
    text_api.open_api(parameters)
    text_api.open_api({name: value for name, value in parameters.items() if name != "max_retries"})  # of an older arm
    assert seen[0] == {name: parameters[name] for name in generate.SERVER}
    assert seen[0].keys() - seen[1].keys() == {"max_retries"}
    assert seen[0].keys() <= inspect.signature(Endpoint).parameters.keys()
