"""Sizes from a config.json, against the weights of models that are made from it."""

import json
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, PreTrainedConfig

from lib.models import architecture

CONFIGS = [
    LlamaConfig(vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
                num_key_value_heads=1, tie_word_embeddings=True),
    LlamaConfig(vocab_size=70, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
                num_key_value_heads=2, head_dim=16, tie_word_embeddings=False),
    GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32),
]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS, ids=["tied", "untied", "gpt2"])
def test_sizes_are_those_of_the_model(config: PreTrainedConfig) -> None:
    model = AutoModelForCausalLM.from_config(config)
    sizes = architecture.of_config(json.loads(config.to_json_string(use_diff=False)))
    matrices = {name: tuple(p.shape) for name, p in model.named_parameters() if p.dim() == 2}
    for name, size in sizes.linear.items():
        shape = matrices[f"{name}.weight"]
        assert size == (shape if config.model_type == "gpt2" else shape[::-1])  # GPT-2's are the other way round
    weights = sum(p.numel() for name, p in model.named_parameters() if name.endswith(".weight"))  # biases are left out
    assert weights == sizes.in_layers + sizes.others


def test_a_model_of_an_unknown_kind_or_without_a_config_has_no_sizes(tmp_path: Path) -> None:
    assert architecture.of_config({"model_type": "mixtral"}) is None
    assert architecture.read(str(tmp_path)) is None
    assert architecture.read("bundled:nothing", tmp_path) is None
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert architecture.read(str(tmp_path)) is None


def test_the_published_sizes_of_llama_8b_give_its_eight_billion_weights() -> None:
    sizes = architecture.read("hub:meta-llama/Llama-3.1-8B")
    assert sizes.in_layers + sizes.others == 8_030_261_248
