"""Adapters: what is trained, and that the model writes as before."""

from collections.abc import Sequence
from functools import partial

import pytest
import torch
from support.lora_toys import examples

from lib.methods.dp_lora import adapters
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading

LORA = {"target_modules": ["q_proj", "v_proj"], "lora_alpha": 8}


def adapted(**given) -> torch.nn.Module:
    base = loading.load("bundled:tiny-random", device="cpu", dtype="float32")
    return adapters.add(base, **{"lora": {"r": 4, **LORA}, "frozen_a": False, "gradient_checkpointing": False} | given)


def weights(model: torch.nn.Module, matrix: str) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for name, p in model.named_parameters() if f".lora_{matrix}." in name])


def test_the_seed_fixes_the_adapters_and_no_generator_is_left_changed() -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, again, other = (weights(adapted(seed=seed), "A") for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state) and not weights(adapted(seed=1), "B").any()


@pytest.mark.parametrize("rank", [2, 4])
def test_frozen_a_stays_as_it_was_drawn_and_b_gets_the_gradient_that_it_gets_anyway(tmp_path, rank) -> None:
    """A's own gradient is zero in the first step, as B is zero then, so clipping is the same for both."""
    gradients_of_b = []
    for frozen in (True, False):
        model = adapted(lora={"r": rank, **LORA}, frozen_a=frozen, seed=1)
        before, names = weights(model, "A"), [name for name, p in model.named_parameters() if p.requires_grad]
        seen: list[torch.Tensor] = []
        settings = Settings(1e-12, steps=1, expected_batch=4, learning_rate=0.01, privacy_seed=1)
        Trainer(model, examples(), settings, tmp_path / f"{frozen}.pt").run(on_gradient=partial(keep, seen))
        gradients_of_b.append(torch.cat([g for g, name in zip(seen, names, strict=True) if ".lora_B." in name]))
        noisy = Settings(1.0, steps=1, expected_batch=4, learning_rate=0.01, privacy_seed=1)
        Trainer(model, examples(), noisy, tmp_path / f"{frozen}-noisy.pt").run()
        assert torch.equal(weights(model, "A"), before) is frozen and weights(model, "B").any()
        assert sum(map(len, seen)) == len(weights(model, "B")) + (0 if frozen else len(before))
    torch.testing.assert_close(*gradients_of_b)


def keep(seen: list[torch.Tensor], step: int, gradients: Sequence[torch.Tensor]) -> None:
    seen.extend(gradient.flatten().clone() for gradient in gradients)
