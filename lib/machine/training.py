"""Checks of DP-SGD on the device: the clipped sum, its noise, the masks of dropout, and a step of the bundled model.

The first three are about privacy. They compare what the device computes with a loop in float64 on the processor, with
the distribution that the accountant assumes, and with the generator that the masks must come from.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from scipy.stats import chi2
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from lib.machine.check import Differs, Figures, timed
from lib.methods.dp_lora import gradients
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.shapes import rows_are_independent
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading
from lib.models.examples import Example
from lib.models.losses import held_out_losses

MODEL = "bundled:smollm2-135m-instruct"
NOISELESS = 1e-12  # a noise multiplier that leaves nothing but the clipping to see
EXPECTED_BATCH = 4
FALSE_ALARM = 1e-6  # chance that right noise is called wrong


def tiny(**lora: object) -> torch.nn.Module:
    """Two layers of Llama and a vocabulary of 50, with adapters none of whose weights are zero; float32, on the CPU.

    Args:
        lora: settings of PEFT's LoraConfig.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1,
        )  # fmt: skip
        model = get_peft_model(
            LlamaForCausalLM(config), LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj", "down_proj"], **lora)
        )
        with torch.no_grad():  # LoRA's B starts at zero, which would hide half of the gradients
            for parameter in gradients.trainable(model):
                parameter.normal_(0, 0.2)
    return model


def made_up(count: int, vocabulary: int, prompt: int, longest: int) -> list[Example]:
    """Examples of random tokens, each of its own unit.

    Args:
        count: how many.
        vocabulary: ids are below it.
        prompt: tokens of each prompt.
        longest: the most tokens of a completion, at least 2.
    """
    draw = np.random.default_rng(0)
    return [
        Example(
            draw.integers(1, vocabulary, prompt).tolist(),
            draw.integers(1, vocabulary, draw.integers(2, longest + 1)).tolist(),
            unit,
        )
        for unit in range(count)
    ]


def mean_loss(model: torch.nn.Module, examples: Sequence[Example]) -> float:
    """Nats per completion token.

    Args:
        model: a causal language model.
        examples: at least one.
    """
    nats, tokens = held_out_losses(model, examples).sum(0)
    return float(nats / tokens)


def clipped_sum(device: torch.device) -> Figures:
    """The clipped sum of a batch is that of a loop over single examples in float64.

    Args:
        device: where it is computed.
    """
    single = [_loop_gradient(example) for example in made_up(12, 50, 3, 9)]
    clip = min(float(gradient.norm()) for gradient in single) / 2  # clips every one
    expected = sum(gradient * min(1.0, clip / float(gradient.norm())) for gradient in single) / EXPECTED_BATCH
    got = released(device, range(12), noise_multiplier=NOISELESS / clip, max_grad_norm=clip)
    error = float((got.double() - expected).norm() / expected.norm())
    if not error < 1e-4:
        raise Differs(f"the clipped sum differs from a loop over single examples by {error:.1e} of its length")
    return {"relative error": error}


def noise(device: torch.device) -> Figures:
    """The noise on the sum has the variance that the accountant assumes, whoever is in the batch.

    Args:
        device: where the sum is computed.
    """
    multiplier, clip, clean = 2.0, 0.3, {}
    drawn = []  # draws of several steps
    for batch in ([], list(range(12))) * 4:
        if len(batch) not in clean:
            clean[len(batch)] = released(device, batch, noise_multiplier=NOISELESS, max_grad_norm=clip)
        noisy = released(device, batch, noise_multiplier=multiplier, max_grad_norm=clip, privacy_seed=None)
        drawn.append((noisy - clean[len(batch)]).double() * EXPECTED_BATCH / (multiplier * clip))
    return judged_noise(torch.cat(drawn))


def judged_noise(standard: torch.Tensor) -> Figures:
    """Refuse draws that are not of mean 0 and variance 1.

    Args:
        standard: the noise over the standard deviation that it must have, (draws,).
    """
    count, total = len(standard), float((standard**2).sum())
    low, high = chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], count)
    if not low < total < high:
        raise Differs(f"the noise has {(total / count) ** 0.5:.3f} times the standard deviation that it must have")
    if not abs(float(standard.mean())) < 5 / count**0.5:
        raise Differs(f"the noise has the mean {float(standard.mean()):.3f} of its standard deviation, not 0")
    return {"standard deviation over stated": (total / count) ** 0.5, "draws": count}


def masks(device: torch.device) -> Figures:
    """Dropout draws its masks by the generator that is seeded for a step, at the rate that it must have.

    Args:
        device: whose generator it is.
    """
    rate, count = 0.3, 1_000_000
    first, again, other = (_kept(device, rate, count, seed) for seed in (5, 5, 6))
    if not torch.equal(first, again):
        raise Differs("one seed gave two masks: dropout does not draw by the generator that is seeded for it")
    if torch.equal(first, other):
        raise Differs("two seeds gave one mask: dropout does not draw by the generator that is seeded for it")
    share = float(first.double().mean())
    if not abs(share - (1 - rate)) < 5 * (rate * (1 - rate) / count) ** 0.5:
        raise Differs(f"dropout at {rate} keeps a share of {share:.4f}")
    steps = [released(device, range(12), lora_dropout=rate, privacy_seed=seed) for seed in (5, 5, None, None)]
    if not torch.equal(steps[0], steps[1]) or torch.equal(steps[2], steps[3]):
        raise Differs("a training step's masks do not follow from its seed alone")
    return {"share kept": share}


def real_step(device: torch.device) -> Figures:
    """A private step of the bundled model, beside the same step on the processor where the device is a card.

    Args:
        device: where it is computed.
    """
    seconds, tokens, independent = _step(device)
    figures = {"tokens a second": tokens / seconds, "rows independent in its dtype": float(independent)}
    if device.type == "cuda":
        slow, _, _ = _step(torch.device("cpu"))
        figures["times the processor"] = slow / seconds
    return figures


def released(device: torch.device, batch: Sequence[int], **changes: object) -> torch.Tensor:
    """What the trainer releases of a step of the tiny model: the clipped sum with noise over the expected batch.

    Args:
        device: where it is computed.
        batch: numbers of the units.
        changes: settings of the training, or ``lora_dropout``.

    Returns:
        All gradients as one vector, on the processor.
    """
    lora = {"lora_dropout": changes.pop("lora_dropout")} if "lora_dropout" in changes else {}
    settings = {"noise_multiplier": NOISELESS, "steps": 1, "expected_batch": EXPECTED_BATCH, "privacy_seed": 5}
    seen: list[torch.Tensor] = []
    with tempfile.TemporaryDirectory() as folder:
        model = tiny(**lora).to(device)
        trainer = Trainer(model, made_up(12, 50, 3, 9), Settings(**settings | changes), Path(folder, "state"))
        trainer.step(list(batch), lambda _, sums: seen.extend(one.flatten().cpu().clone() for one in sums))
    return torch.cat(seen)


def _loop_gradient(example: Example) -> torch.Tensor:
    """Gradient of an example's mean loss by the plain model, float64: the oracle."""
    model = tiny().double()
    logits = model(input_ids=torch.tensor([[*example.prompt, *example.completion]])).logits[0]
    of_completion = logits[len(example.prompt) - 1 : -1]
    F.cross_entropy(of_completion, torch.tensor(example.completion)).backward()
    return torch.cat([parameter.grad.flatten() for parameter in gradients.trainable(model)])


def _kept(device: torch.device, rate: float, count: int, seed: int) -> torch.Tensor:
    """Which entries dropout keeps in the first step of a training with privacy."""
    settings = Settings(noise_multiplier=1.0, steps=1, expected_batch=EXPECTED_BATCH, privacy_seed=seed)
    with gradients.masks(settings, 0, device):
        return F.dropout(torch.ones(count, device=device), rate).ne(0).cpu()


def _step(device: torch.device) -> tuple[float, int, bool]:
    """Seconds of a private step of the bundled model, its tokens, and whether rows are independent in its dtype."""
    model = loading.load(MODEL, dtype="auto", device=device.type)
    model = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    data = made_up(8, 1000, 8, 24)
    settings = Settings(noise_multiplier=1.0, steps=1, expected_batch=8, tokens_per_micro_batch=512)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model, data, settings, Path(folder, "state"))
        independent = rows_are_independent(trainer.model, trainer.shapes, split_head=trainer.split_head)
        seconds = timed(lambda: trainer.step(list(range(8))), device, turns=1)
    return seconds, sum(map(len, data)), independent
