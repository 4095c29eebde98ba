"""Frozen weights in four bits: refused where they cannot be; else a DP step is that of the same weights made whole."""

from pathlib import Path

import pytest
import torch
from support.errors import refused
from support.lora_toys import adapted, examples, llama

from lib.models import four_bits, loading, pretrained


def test_four_bits_are_refused_without_a_card_and_without_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    with refused("models.four_bits_on_cpu", name="dtype", value="4bit"):
        four_bits.options(torch.device("cpu"))
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    with refused("models.no_bitsandbytes", name="dtype", value="4bit"):
        pretrained.check_four_bits("auto")


@pytest.fixture
def quantized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """A small Llama in four bits on the CPU, where only this test lets it, without the packing that has no gradient."""
    pytest.importorskip("bitsandbytes")
    monkeypatch.setattr(four_bits, "check_four_bits", lambda device: None)
    llama(hidden_size=64, intermediate_size=128).save_pretrained(tmp_path / "model")
    model = loading.load(str(tmp_path / "model"), dtype="4bit", device="cpu")
    for layer in model.modules():
        if hasattr(layer, "compute_dtype"):
            layer.support_avx512bf16_for_cpu = False
    return model


def whole(model: torch.nn.Module) -> torch.nn.Module:
    """The same weights, out of four bits, in float32."""
    from bitsandbytes.functional import dequantize_4bit

    plain = llama(hidden_size=64, intermediate_size=128)
    modules = dict(plain.named_modules())
    for name, layer in model.named_modules():
        if hasattr(layer, "compute_dtype"):
            modules[name].weight.data = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
        elif hasattr(layer, "weight"):
            modules[name].weight.data = layer.weight.data.float()
    plain.set_attn_implementation("eager")
    return plain


def test_a_dp_step_is_that_of_the_weights_made_whole(quantized: torch.nn.Module, tmp_path: Path) -> None:
    from lib.methods.dp_lora.settings import Settings
    from lib.methods.dp_lora.trainer import Trainer

    assert any(layer.weight.dtype == torch.uint8 for layer in quantized.modules() if hasattr(layer, "compute_dtype"))
    oracle = whole(quantized)
    four_bits.compute_in_float32(quantized)
    released = []
    for model in (quantized, oracle):
        settings = Settings(1e-12, steps=1, expected_batch=4, max_grad_norm=0.1, privacy_seed=0)
        seen: list[torch.Tensor] = []
        Trainer(adapted(model), examples(), settings, tmp_path / "none").step(
            range(8), lambda step, gradients, seen=seen: seen.extend(g.flatten().clone() for g in gradients)
        )
        released.append(torch.cat(seen))
    difference = (released[0] - released[1]).norm() / released[1].norm()
    assert difference < 0.01  # scales are rounded in another order


def test_in_bfloat16_no_record_moves_another(quantized: torch.nn.Module, tmp_path: Path) -> None:
    """Either the rows of a micro-batch are independent, or the model computes in float32 from then on."""
    from lib.methods.dp_lora.settings import Settings
    from lib.methods.dp_lora.shapes import rows_are_independent
    from lib.methods.dp_lora.trainer import Trainer

    made = Trainer(adapted(quantized), examples(), Settings(1.0, steps=1, expected_batch=4), tmp_path / "none")
    independent = rows_are_independent(made.model, made.shapes, split_head=made.split_head)
    computes = {layer.compute_dtype for layer in quantized.modules() if hasattr(layer, "compute_dtype")}
    assert independent or computes == {torch.float32}
