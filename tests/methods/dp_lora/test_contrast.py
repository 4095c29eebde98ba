"""The loss against a wrong prompt: its gradients, one example at a time, and the draw of the prompts."""

from collections import Counter

import numpy as np
import pytest
import torch
from support.audit_toys import TINY
from support.lora_toys import adapted, examples, tiny
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.dp_lora import contrast, gradient_attack
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading
from lib.models.examples import Example
from lib.models.prompt import Prompt

WEIGHT, NOISELESS = 3.0, 1e-12
CELLS = [{"mood": mood} for mood in ("good", "bad", "so-so")]


def pairs(count: int = 12, units: int | None = None) -> list[Example]:
    """Random examples, each with a wrong prompt of 3 to 9 tokens."""
    draw = np.random.default_rng(7)
    return [
        Example(e.prompt, e.completion, e.unit, draw.integers(1, 50, draw.integers(3, 10)).tolist())
        for e in examples(count, units)
    ]


def loop_gradient(model: torch.nn.Module, data: list[Example]) -> torch.Tensor:
    """Gradient of the summed losses, an example at a time by autograd through the formula: the oracle."""
    model.zero_grad()
    for e in data:
        target = torch.tensor(e.completion)
        summed = []
        for prompt in (e.prompt, e.wrong_prompt):
            logits = model(input_ids=torch.tensor([[*prompt, *e.completion]])).logits[0, len(prompt) - 1 : -1]
            summed.append(F.cross_entropy(logits, target, reduction="sum"))
        ((summed[0] + WEIGHT * F.softplus(summed[0] - summed[1])) / len(target)).backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad])
    model.zero_grad()
    return gradient


def step_gradient(tmp_path, data: list[Example], **changes: object) -> torch.Tensor:
    settings = {"noise_multiplier": NOISELESS, "steps": 1, "expected_batch": 4, "contrast": WEIGHT, "privacy_seed": 1}
    trainer = Trainer(tiny(), data, Settings(**settings | changes), tmp_path / "checkpoint.pt")
    seen: list[torch.Tensor] = []
    trainer.step(range(trainer.units), lambda step, gradients: seen.extend(g.flatten().clone() for g in gradients))
    assert trainer.progress.records == len(data)
    return torch.cat(seen)


@pytest.mark.parametrize("tokens", [1, 60, 10_000])  # one example a micro-batch, a few, all
@pytest.mark.parametrize("units", [12, 4])  # records, and users with three records each
def test_clipped_sums_equal_a_loop_over_single_units(tmp_path, tokens, units):
    data = pairs(12, units)
    single = [loop_gradient(tiny(), [e for e in data if e.unit == unit]) for unit in range(units)]
    assert min(g.norm() for g in single) > 0.1  # so that every one is clipped
    expected = sum(g * (0.1 / g.norm()) for g in single) / 4
    found = step_gradient(tmp_path, data, max_grad_norm=0.1, tokens_per_micro_batch=tokens)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_without_privacy_and_for_an_attacker_the_gradient_is_the_same_one(tmp_path):
    data = pairs()
    expected = loop_gradient(tiny(), data) / 4
    found = step_gradient(tmp_path, data, noise_multiplier=None, tokens_per_micro_batch=60)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    known, nats = gradient_attack.of_examples(tiny(), data, max_grad_norm=1e3, contrast=WEIGHT)
    torch.testing.assert_close(known.float().sum(0) / 4, expected, rtol=1e-2, atol=1e-2)
    plain = [Example(e.prompt, e.completion, e.unit) for e in data]
    np.testing.assert_allclose(
        nats, gradient_attack.of_examples(tiny(), plain, max_grad_norm=1.0, contrast=0.0)[1], 1e-5
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_one_unit_more_moves_the_sum_by_its_own_gradient_alone(tmp_path, dtype):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4
    )
    settings = Settings(1.0, 1, 6, max_grad_norm=0.1, contrast=WEIGHT, tokens_per_micro_batch=96, privacy_seed=1)
    trainer = Trainer(adapted(LlamaForCausalLM(config).to(dtype)), pairs(24), settings, tmp_path / "checkpoint.pt")

    def total(units: list[int]) -> torch.Tensor:
        for parameter in trainer.parameters:
            parameter.summed_grad = None
        for group in trainer.micro_batches(units):
            trainer._gradients(group, private=True)
            trainer.optimizer.clip_and_accumulate()
            for parameter in trainer.parameters:
                parameter.grad_sample = None
        return torch.cat([parameter.summed_grad.flatten() for parameter in trainer.parameters])

    for seed in range(6):
        batch = np.random.default_rng(seed).choice(24, 9, replace=False).tolist()
        assert torch.equal(total(batch), total(batch[:1]) + total(batch[1:]))


def test_the_pull_fades_once_the_text_tells_its_label_and_never_exceeds_the_weight():
    (example,) = pairs(1)
    rows = list(contrast.rows([example]))
    for difference, expected in ((0.0, 0.5), (50.0, 0.0), (-50.0, 1.0), (1e6, 0.0), (-1e6, 1.0)):
        own, wrong = contrast.factors(rows, [3.0, 3.0 + difference], WEIGHT)
        assert own == pytest.approx(1 + WEIGHT * expected) and wrong == pytest.approx(-WEIGHT * expected)
    assert contrast.factors([*rows, *examples(1)], [3.0, 3.0, 2.0], WEIGHT)[2] == 1


def test_wrong_prompts_follow_from_the_record_alone_and_are_even_among_the_others():
    tokenizer, prompt = loading.load_tokenizer(TINY), Prompt("{mood}:")
    texts = [f"the box {n} came late" for n in range(90)]
    made = [Record(f"r{n}", PrivateText(text), CELLS[n % 3]) for n, text in enumerate(texts)]

    def encoded(records: list[Record], seed: int = 0) -> dict[str, str]:
        rows, _ = contrast.encode(
            records, tokenizer, prompt, CELLS, max_tokens=60, unit="record", contrast=1.0, seed=seed
        )
        return {r.text.reveal(): tokenizer.decode(e.wrong_prompt) for r, e in zip(records, rows, strict=True)}

    whole = encoded(made)
    drawn = Counter((record.labels["mood"], whole[record.text.reveal()]) for record in made)
    assert len(drawn) == 6 and all(own != wrong.rstrip(":") for own, wrong in drawn) and min(drawn.values()) >= 5
    fewer = encoded(made[1:][::-1])  # a neighbour, in another order
    assert all(whole[text] == wrong for text, wrong in fewer.items())
    assert encoded(made, seed=1) != whole
    none, _ = contrast.encode(made, tokenizer, prompt, [], max_tokens=60, unit="record", contrast=0.0, seed=0)
    assert none[0].wrong_prompt is None
