"""Engine vllm, against a stand-in (`support.vllm_stand_in`): it shows what vLLM is given, not what it does with it."""

from pathlib import Path

import pytest
from support import vllm_stand_in
from support.errors import refused
from support.lora_toys import saved_adapter

from lib.generation.engines.base import Completion, Sampling, line_breaks
from lib.generation.engines.vllm_engine import LONGEST
from lib.generation.generate import Engine, open_engine
from lib.models import loading

TINY = "bundled:tiny-random"
GREEDY = Sampling(temperature=0, max_new_tokens=12)
PROMPTS = [[72, 101], [7], [9, 9, 9, 40, 80]]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of the tiny model as 10_finetune_dp_lora saves one, which changes what it writes."""
    return saved_adapter(TINY, tmp_path_factory.mktemp("stage") / "adapter")


def completed(engine: Engine, sampling: Sampling, limits: list[int] | None = None) -> list[Completion]:
    done = dict(engine.complete(PROMPTS, sampling, limits))
    return [done[position] for position in range(len(PROMPTS))]


@pytest.mark.parametrize("change", [{}, {"min_new_tokens": 12}, {"one_line": True}])
def test_it_writes_what_transformers_writes_with_an_adapter_and_without(
    change: dict, adapter: Path, monkeypatch: pytest.MonkeyPatch
):
    sampling = Sampling(temperature=0, max_new_tokens=12, **change)
    expected = {
        given: completed(open_engine(TINY, given, engine="transformers", device="cpu", dtype="float32"), sampling)
        for given in (None, adapter)
    }
    vllm_stand_in.install(monkeypatch)
    for given, texts in expected.items():
        engine = open_engine(TINY, given, dtype="float32")
        assert engine.name == "vllm" and completed(engine, sampling) == texts
    assert expected[None] != expected[adapter]


def test_every_request_names_the_adapter_and_has_a_seed_of_its_own(adapter: Path, monkeypatch: pytest.MonkeyPatch):
    vllm = vllm_stand_in.install(monkeypatch)
    engine = open_engine(TINY, adapter, dtype="float32")
    completed(engine, Sampling(max_new_tokens=3, seed=4))
    asked, given, lora = vllm.calls[0]
    assert [one["prompt_token_ids"] for one in asked] == PROMPTS
    assert lora == vllm_stand_in.LoRARequest("adapter", 1, str(adapter.resolve()))
    assert given[0].seed != given[1].seed, "or equal prompts would get equal texts"


def test_vllm_gets_the_memory_that_is_free_and_a_context_that_fits(adapter: Path, monkeypatch: pytest.MonkeyPatch):
    vllm = vllm_stand_in.install(monkeypatch, free=40, total=80)
    engine = open_engine(TINY, adapter)
    assert vllm.options == {
        "model": str(loading.locate(TINY)),
        "dtype": "bfloat16",
        "max_model_len": engine.tokenizer.model_max_length,
        "gpu_memory_utilization": pytest.approx(0.45),
        "enable_lora": True,
        "max_lora_rank": 8,
    }
    assert engine.tokenizer.model_max_length <= LONGEST
    open_engine(TINY)
    assert vllm.options["enable_lora"] is False


def test_each_prompt_gets_its_own_limits(monkeypatch: pytest.MonkeyPatch):
    vllm = vllm_stand_in.install(monkeypatch)
    engine = open_engine(TINY, dtype="float32")
    completed(engine, Sampling(top_k=9, min_new_tokens=2, max_new_tokens=9), [1, 4, 3])
    given = vllm.calls[-1][1]
    assert [(one.max_tokens, one.min_tokens) for one in given] == [(1, 1), (4, 2), (3, 2)]
    assert (given[0].top_k, given[0].stop_token_ids, given[0].detokenize) == (9, [2], False)
    completed(engine, Sampling(one_line=True, max_new_tokens=3))
    given = vllm.calls[-1][1]
    assert set(given[0].stop_token_ids) == {2, *line_breaks(engine.tokenizer)} and given[0].min_tokens == 1


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("generation.sampling_unsupported", "repetition_penalty", 1.2),
        ("generation.sampling_unsupported", "no_repeat_ngram_size", 2),
        ("generation.guidance_unsupported", "guidance", 1.0),
    ],
)
def test_what_vllm_cannot_do_as_defined_here_is_refused(code, name, value, monkeypatch: pytest.MonkeyPatch):
    vllm_stand_in.install(monkeypatch)
    with refused(code, name=name, value=value):
        completed(open_engine(TINY, dtype="float32"), Sampling(**{name: value}))


def test_the_limit_of_ranks_covers_the_highest_of_any_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    vllm = vllm_stand_in.install(monkeypatch)
    config = tmp_path / "adapter_config.json"
    config.write_text('{"r": 4, "rank_pattern": {"q_proj": 24, "layers.1.v_proj": 2}}')
    open_engine(TINY, tmp_path, dtype="float32")
    assert vllm.options["max_lora_rank"] == 32
    config.write_text('{"r": 513, "rank_pattern": {}}')
    with refused("generation.adapter_rank_too_high", value=513):
        open_engine(TINY, tmp_path)
