"""The estimate of memory: against what autograd really keeps, and the adapters that PEFT really makes."""

import json

import pytest
import torch
from support.lora_toys import llama
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from lib.methods.dp_lora import adapters, gradients, memory, per_sample
from lib.methods.dp_lora.shapes import Shapes
from lib.models import architecture
from lib.models.architecture import Architecture
from lib.models.examples import Example

ROWS, WIDTH = 8, 64
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
GIVEN = {
    "dtype": "float32", "device": "cpu", "target_epsilon": 8.0, "average_from": None, "contrast": 0.0, "processes": 1,
    "split_weights": False,
    "lora": {"r": 4, "target_modules": ATTENTION}, "frozen_a": False, "gradient_checkpointing": False, "seed": 0,
    "expected_batch": 64.0 * ROWS, "tokens_per_micro_batch": ROWS * WIDTH,
    "prompt": "A review:", "chat": False, "max_tokens": 60,
}  # fmt: skip


def gpt2() -> PreTrainedModel:
    config = GPT2Config(n_embd=32, n_layer=3, n_head=2, vocab_size=50, attn_pdrop=0, resid_pdrop=0, embd_pdrop=0)
    return GPT2LMHeadModel(config)


def small() -> PreTrainedModel:
    return llama(hidden_size=64, intermediate_size=160, num_hidden_layers=6, num_attention_heads=4)


def sizes(model: PreTrainedModel) -> Architecture:
    return architecture.of_config(json.loads(model.config.to_json_string(use_diff=False)))


def kept(model: PreTrainedModel, given: dict) -> int:
    """Bytes that autograd keeps of one micro-batch, the model's own weights aside."""
    model.set_attn_implementation("eager")
    net = adapters.add(model, **{name: given[name] for name in adapters.PARAMETERS}).train()
    per_sample.attach(net)
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    held: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            held[storage.data_ptr()] = storage  # keeps it, so that no other gets its address
        return tensor

    draw = torch.Generator().manual_seed(0)
    rows = torch.randint(1, 50, (ROWS, WIDTH), generator=draw).tolist()
    units = [[Example(row[:1], row[1:], unit)] for unit, row in enumerate(rows)]
    shapes = Shapes(given["tokens_per_micro_batch"], given["expected_batch"])
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        shapes.loss(net, units, pad=gradients.PAD, split_head=True)
    return sum(storage.nbytes() for storage in held.values())


CHANGES = [
    {},
    {"frozen_a": True},
    {"gradient_checkpointing": True},
    {"lora": {"r": 4, "target_modules": "all-linear"}},
    {"lora": {"r": 4, "target_modules": ATTENTION, "lora_dropout": 0.1}},
]


@pytest.mark.parametrize("changes", CHANGES, ids=["usual", "frozen_a", "checkpointing", "all layers", "dropout"])
def test_activations_are_what_autograd_keeps(changes: dict) -> None:
    given = GIVEN | changes
    model = small()
    assert memory.kept(given, sizes(model), ROWS, WIDTH, 4, card=False) == pytest.approx(kept(model, given), rel=0.1)


def test_activations_of_gpt2_are_what_autograd_keeps() -> None:
    given = GIVEN | {"lora": {"r": 4, "target_modules": ["c_attn"], "fan_in_fan_out": True}}
    model = gpt2()
    assert memory.kept(given, sizes(model), ROWS, WIDTH, 4, card=False) == pytest.approx(kept(model, given), rel=0.1)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("targets", ["all-linear", ATTENTION, r".*\.mlp\.(gate|down)_proj"])
def test_adapters_are_those_of_peft(frozen: bool, targets: str | list[str]) -> None:
    given = GIVEN | {"lora": {"r": 4, "target_modules": targets}, "frozen_a": frozen}
    model = small()
    learn, drawn = memory.of_adapters(given, sizes(model))
    net = adapters.add(model, **{name: given[name] for name in adapters.PARAMETERS})
    trainable, total = net.get_nb_trainable_parameters()
    assert learn == trainable
    assert learn + drawn == total - sum(p.numel() for name, p in net.named_parameters() if "lora_" not in name)


def test_each_setting_moves_the_estimate_the_way_it_moves_memory() -> None:
    llama_8b = architecture.read("hub:meta-llama/Llama-3.1-8B")

    def of(card: bool = True, **changes: object) -> memory.Estimate:
        given = GIVEN | {"tokens_per_micro_batch": 4096} | changes
        return memory.estimate(given, llama_8b, width=300, card=card)

    usual = of(dtype="bfloat16")
    assert of(dtype="auto") == usual and of(dtype="auto", card=False).dtype == "float32"
    assert usual.weights == pytest.approx(16.06e9, rel=1e-3) and usual.per_sample > 0
    assert of(dtype="4bit").weights == pytest.approx(5.8e9, rel=0.02)  # of 7 billion weights in 4 bits, 1 in 16
    assert of(dtype="bfloat16", gradient_checkpointing=True).activations < usual.activations / 3
    assert of(dtype="bfloat16", target_epsilon=None).per_sample == 0
    assert of(dtype="bfloat16", frozen_a=True).adapters < usual.adapters
    assert of(dtype="bfloat16", average_from=3).adapters > usual.adapters
    assert of(dtype="bfloat16", lora={"r": 8, "target_modules": ATTENTION}).per_sample == 2 * usual.per_sample


def test_of_split_weights_each_process_has_its_part_whole_ends_and_two_layers() -> None:
    llama_8b = architecture.read("hub:meta-llama/Llama-3.1-8B")
    given = GIVEN | {"dtype": "bfloat16", "processes": 8, "tokens_per_micro_batch": 4096}
    whole, split = (
        memory.estimate(given | {"split_weights": split}, llama_8b, width=300, card=True) for split in (False, True)
    )
    ends, layer = 2 * 2 * 128256 * 4096, 2 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    assert split.weights == pytest.approx(whole.weights / 8 + ends + 2 * layer, rel=1e-3)
    assert split.weights < whole.weights / 3
    assert (split.adapters, split.activations, split.per_sample) == (
        whole.adapters, whole.activations, whole.per_sample,
    )  # fmt: skip


def test_the_longest_example_is_guessed_from_the_prompt() -> None:
    assert memory.expected_width(GIVEN) == 60 + 3 + 1
    assert memory.expected_width(GIVEN | {"chat": "bare"}) == 60 + 3 + 40
