"""Training speed: DP-SGD against the same training without privacy, other shapes, Opacus' hooks, and a plain loop.

    python benchmarks/train.py [--model NAME] [--dtype TYPE] [--chat] [--rounds N] [--records N]

All sides train the same adapters on the same records of the default corpus, in turn, round by round; ratios
are medians over the rounds. *Plain* is what a transformers + PEFT script does: float32, shuffled batches of 16
padded to their longest, loss on all positions that have a label. Tokens are real ones, padding is not counted.
*Free shapes* are micro-batches as wide as their longest record, whose records may move each other's gradients by
rounding: what fixed shapes cost is the ratio to them. *Head everywhere* has fixed shapes, and runs the output head at
the prompt's positions too.
The last line is one JSON object of ratios.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from opacus import GradSampleModule
from opacus.optimizers import DPOptimizer
from peft import LoraConfig, get_peft_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rounds import ratio

from lib.data import processing, sources
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.shapes import Shape, Shapes
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading
from lib.models.examples import Batch, Example, by_length, encode_all
from lib.models.losses import example_losses
from lib.models.prompt import Prompt

LORA = {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}
PLAIN_BATCH = 16


class HeadEverywhere(Shapes):
    """Fixed shapes whose output head starts at the first position."""

    def of(self, examples: Sequence[Example]) -> Shape:
        longest = max(examples, key=len)
        return super().of([Example([*longest.prompt[:1]], [*longest.prompt[1:], *longest.completion], 0)])


class FreeShapes(Shapes):
    """Micro-batches of records of similar length, as wide as the longest."""

    def groups(self, units: Sequence[Sequence[Example]]) -> list[list[int]]:
        return list(by_length([len(unit) for unit in units], [max(map(len, unit)) for unit in units], self.tokens))

    def loss(self, model: torch.nn.Module, units: Sequence[Sequence[Example]], *, pad: int, split_head: bool):
        batch = Batch.of([example for unit in units for example in unit], pad, next(model.parameters()).device)
        return example_losses(model, batch, split_head=split_head).sum()


def adapted(name: str, dtype: loading.Dtype) -> torch.nn.Module:
    torch.manual_seed(0)
    return get_peft_model(loading.load(name, dtype=dtype), LoraConfig(task_type="CAUSAL_LM", **LORA))


def plain_step(model: torch.nn.Module, pad: int) -> Callable[[list[Example]], None]:
    """One optimizer step of the usual loop: gradients of batches of 16 accumulated."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    device = next(model.parameters()).device

    def step(examples: list[Example]) -> None:
        for start in range(0, len(examples), PLAIN_BATCH):
            part = examples[start : start + PLAIN_BATCH]
            longest = max(map(len, part))
            rows = [[*e.prompt, *e.completion] + [pad] * (longest - len(e)) for e in part]
            labels = [[-100] * len(e.prompt) + list(e.completion) + [-100] * (longest - len(e)) for e in part]
            mask = [[1] * len(e) + [0] * (longest - len(e)) for e in part]
            ids, labels, mask = (torch.tensor(x, device=device) for x in (rows, labels, mask))
            model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def hooks_step(model: torch.nn.Module, trainer: Trainer) -> Callable[[list[int]], None]:
    """The same DP step with per-example gradients by Opacus' hooks, on the same micro-batches."""
    hooked = GradSampleModule(model, loss_reduction="sum")
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = DPOptimizer(
        torch.optim.AdamW(parameters, lr=1e-3), noise_multiplier=1.0, max_grad_norm=1.0, expected_batch_size=64
    )

    def step(units: list[int]) -> None:
        micro_batches = list(trainer.micro_batches(units))
        for number, part in enumerate(micro_batches, 1):
            examples = [example for unit in part for example in trainer.by_unit[unit]]
            batch = Batch.of(examples, 0, trainer.device)
            example_losses(hooked._module, batch, split_head=trainer.split_head).sum().backward()
            optimizer.signal_skip_step(number < len(micro_batches))
            optimizer.step()
            optimizer.zero_grad()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled:smollm2-135m-instruct")
    parser.add_argument("--dtype", default="auto", choices=["auto", "float32", "bfloat16"])
    parser.add_argument("--chat", action="store_true", help="train behind the model's chat template")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds, after one that is not")
    parser.add_argument("--records", type=int, default=96, help="records a step")
    options = parser.parse_args()

    domain = {"sentiment": ["negative", "neutral", "positive"]}
    train = processing.process(sources.load("amazon-snippets"), label_domain=domain).train
    tokenizer = loading.load_tokenizer(options.model)
    template = Prompt("A {sentiment} sentence from an electronics review:", options.chat)
    examples, _ = encode_all(train, tokenizer, template, max_tokens=64, unit="record")

    with TemporaryDirectory() as folder:

        def trainer(noise: float | None, shapes: type[Shapes] = Shapes) -> Trainer:
            settings = Settings(noise, steps=100, expected_batch=options.records, tokens_per_micro_batch=512)
            made = Trainer(adapted(options.model, options.dtype), examples, settings, Path(folder) / "none")
            if noise is not None:
                made.shapes = shapes(*astuple(made.shapes))
            return made

        plain = plain_step(adapted(options.model, "float32"), tokenizer.pad_token_id)
        without, private = trainer(None), trainer(1.0)
        hooked = hooks_step(adapted(options.model, options.dtype), without)
        sides: dict[str, Callable[[list[int]], None]] = {
            "plain loop, fp32": lambda units: plain([examples[unit] for unit in units]),
            "without privacy": without.step,
            "DP-SGD": private.step,
            "DP-SGD, free shapes": trainer(1.0, FreeShapes).step,
            "DP-SGD, head everywhere": trainer(1.0, HeadEverywhere).step,
            "DP-SGD, Opacus hooks": hooked,
        }
        print(f"{without.model.dtype}, {torch.get_num_threads()} threads, {options.records} records a step")
        times, tokens = measure(sides, examples, options.rounds, options.records)
    report(times, tokens)


def measure(
    sides: dict[str, Callable[[list[int]], None]], examples: list[Example], rounds: int, records: int
) -> tuple[dict[str, list[float]], list[int]]:
    """Seconds of each side in each round, and the real tokens of the round; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    tokens = []
    for number in range(rounds + 1):
        units = np.random.default_rng(number).choice(len(examples), records, replace=False).tolist()
        for name, step in sides.items():
            began = time.perf_counter()
            step(units)
            times[name].append(time.perf_counter() - began)
        tokens.append(sum(len(examples[unit]) for unit in units))
        print(f"round {number}: " + ", ".join(f"{name} {t[-1]:.1f} s" for name, t in times.items()), flush=True)
    return {name: one[1:] for name, one in times.items()}, tokens[1:]


def report(times: dict[str, list[float]], tokens: list[int]) -> None:
    print(f"\n{'':24}tokens a second   time over 'without privacy'")
    for name, one in times.items():
        speed = statistics.median(n / t for n, t in zip(tokens, one, strict=True))
        print(f"{name:24}{speed:15.0f}   {ratio(one, times['without privacy']):.3f}")
    ratios = {
        "dp_step_over_non_private": ratio(times["DP-SGD"], times["without privacy"]),
        "fixed_shapes_over_free": ratio(times["DP-SGD"], times["DP-SGD, free shapes"]),
        "head_everywhere_over_behind_the_prompt": ratio(times["DP-SGD, head everywhere"], times["DP-SGD"]),
        "opacus_hooks_step_over_non_private": ratio(times["DP-SGD, Opacus hooks"], times["without privacy"]),
        "dp_tokens_over_plain_fp32": ratio(times["plain loop, fp32"], times["DP-SGD"]),
        "non_private_tokens_over_plain_fp32": ratio(times["plain loop, fp32"], times["without privacy"]),
    }
    print(json.dumps({name: round(value, 3) for name, value in ratios.items()}))


if __name__ == "__main__":
    main()
