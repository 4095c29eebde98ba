"""How far one unit more moves the clipped sum of DP-SGD, in clipping norms, at batches up to 4,096.

    python benchmarks/one_unit.py [--model NAME] [--dtype TYPE] [--batches N ...] [--draws N] [--sides fixed free]

A batch of B + 1 records of the default corpus is summed with and without its first record. *Moved* is the norm of the
difference: differential privacy counts on at most 1. *Others* is how far the sum of the other B records moved, which
should not move at all. *Fixed* shapes are those of the product. *Free* ones are micro-batches as wide as their longest
record, the control: in bfloat16 records move each other there by rounding. A micro-batch that both sums have in common
is computed once, which is what makes 4,096 possible: some ten minutes a side on two cores.

The last line is one JSON object: the largest figures of each side.
"""

import argparse
import json
import sys
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from train import FreeShapes, adapted

from lib.common.progress import Bar
from lib.data import processing, sources
from lib.methods.dp_lora.optimizer import GRID
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.shapes import Shapes
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading
from lib.models.examples import Example, encode_all
from lib.models.prompt import Prompt

SIDES = {"fixed": Shapes, "free": FreeShapes}
RECORDS = 1536  # summed at each size, at most, unless one draw has more


class Sums:
    """Clipped sums of batches, without noise. Kept by micro-batch: they are whole numbers, so their order is free."""

    def __init__(self, trainer: Trainer):
        self.trainer, self.known = trainer, {}

    def of(self, batch: list[int], bar: Bar) -> torch.Tensor:
        """The sum of a batch in clipping norms, float64; ``bar`` counts records."""
        groups = list(map(tuple, self.trainer.micro_batches(batch)))
        self.known = {group: kept for group, kept in self.known.items() if group in groups}
        for group in groups:
            if group not in self.known:
                self.known[group] = self._clipped(group)
            bar.update(len(group))
        return sum(self.known[group] for group in groups).double() * GRID

    def _clipped(self, group: tuple[int, ...]) -> torch.Tensor:
        made = self.trainer
        for parameter in made.parameters:
            parameter.summed_grad = None
        made._gradients(group, private=True)
        made.optimizer.clip_and_accumulate()
        total = torch.cat([parameter.summed_grad.flatten() for parameter in made.parameters])
        for parameter in made.parameters:
            parameter.grad_sample = None
        return total


def moves(made: Trainer, units: int, batch: int, draws: int, title: str) -> tuple[float, float]:
    """How far one record more moves the sum, and the part of the others, at most."""
    whole, others, sums = [], [], Sums(made)
    with Bar(draws * (2 * batch + 2), title, unit="record") as bar:
        for seed in range(draws):
            drawn = np.random.default_rng(seed).choice(units, batch + 1, replace=False).tolist()
            moved = sums.of(drawn, bar) - sums.of(drawn[1:], bar)
            whole.append(float(moved.norm()))
            others.append(float((moved - sums.of(drawn[:1], bar)).norm()))
    return max(whole), max(others)


def corpus(model: str) -> list[Example]:
    domain = {"kind": ["positive review", "negative review", "plot summary"]}
    train = processing.process(sources.load("rotten-tomatoes"), label_domain=domain).train
    prompt = Prompt("Write one sentence from a {kind} of a film.", "bare")
    return encode_all(train, loading.load_tokenizer(model), prompt, max_tokens=64, unit="record")[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled:smollm2-135m-instruct")
    parser.add_argument("--dtype", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 64, 256, 1024, 4096])
    parser.add_argument("--draws", type=int, default=24, help="of each size, fewer of large ones")
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=SIDES)
    options = parser.parse_args()
    examples, most = corpus(options.model), {}
    for batch in options.batches:
        draws = max(1, min(options.draws, RECORDS // batch))
        for side in options.sides:
            with TemporaryDirectory() as folder:
                settings = Settings(1.0, steps=1, expected_batch=float(batch), tokens_per_micro_batch=512)
                made = Trainer(adapted(options.model, options.dtype), examples, settings, Path(folder) / "none")
                made.shapes = SIDES[side](*astuple(made.shapes))
                made.model.eval()  # without dropout, so that two sums are of the same thing
                whole, others = moves(made, len(examples), batch, draws, f"{side} {batch}")
            kinds = {str(p.dtype) for p in made.model.parameters()}
            print(f"{side:6} batch {batch:5} x {draws:2}: moved {whole:.9f}, others {others:.3g} ({', '.join(kinds)})")
            before = most.get(side, (0.0, 0.0))
            most[side] = max(whole, before[0]), max(others, before[1])
    print(json.dumps({side: {"moved": whole, "others": others} for side, (whole, others) in most.items()}))


if __name__ == "__main__":
    main()
