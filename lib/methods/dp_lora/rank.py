"""A process beside the first one of a training: it sums gradients, and draws, noises and keeps nothing.

    python -m lib.methods.dp_lora.rank JSON

`lib.methods.dp_lora.launch` starts it, and `lib.methods.dp_lora.ranks` says why the guarantee holds; unit, neighbours,
sampler and sensitivity are those of `lib.methods.dp_lora.trainer`.
"""

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from lib.methods.dp_lora import gradients, launch, per_sample
from lib.methods.dp_lora.optimizer import FixedPointOptimizer
from lib.methods.dp_lora.ranks import TOLD, Begin, Pass, Ranks, Step
from lib.models import split_weights
from lib.stage import redaction


class _Work:
    """One training, as this process sees it.

    Args:
        model: with its adapters.
        begun: what the first process says about the training.
        ranks: all processes.
    """

    def __init__(self, model: nn.Module, begun: Begin, ranks: Ranks):
        self.model, self.ranks = model, ranks
        self.settings, self.split_head = begun.settings, begun.split_head
        self.parameters = gradients.trainable(model)
        per_sample.detach(model)
        ranks.weights(self.parameters)
        self.private = self.settings.noise_multiplier is not None
        if self.private:
            self.shapes = gradients.shapes_of(model, self.settings, self.split_head, ranks)
            self.clipper = FixedPointOptimizer(
                torch.optim.SGD(self.parameters, lr=0.0),  # never takes a step
                noise_multiplier=self.settings.noise_multiplier,
                max_grad_norm=self.settings.max_grad_norm,
                expected_batch_size=self.settings.expected_batch,
            )

    def step(self, step: Step) -> None:
        """Sum the gradients of this process's micro-batches, clipped with privacy, and hand the sum over."""
        self.ranks.weights(self.parameters)
        self.model.train()
        device = next(self.model.parameters()).device
        with gradients.masks(self.settings, step.number, device, self.ranks.rank):
            for units in step.groups:
                self._add(units)
        self.ranks.own = sum(map(len, step.groups))
        self.ranks.gather(self._sums())
        for parameter in self.parameters:
            parameter.grad = parameter.grad_sample = parameter.summed_grad = None

    def _add(self, units: gradients.Units) -> None:
        if not self.private:
            gradients.summed(self.model, units, self.settings.contrast, split_head=self.split_head)
            return
        gradients.of_units(self.model, units, self.shapes, split_head=self.split_head)
        self.clipper.clip_and_accumulate()
        for parameter in self.parameters:
            parameter.grad_sample = None

    def _sums(self) -> Sequence[torch.Tensor]:
        return [parameter.summed_grad if self.private else parameter.grad for parameter in self.parameters]


def serve(ranks: Ranks, model: nn.Module) -> None:
    """Do what the first process asks, until it says that nothing follows.

    Args:
        ranks: all processes; this one is not the first.
        model: with adapters like those of the first process; their weights come from there.

    Raises:
        DoppelError: the first process is gone, or the processes do not compute alike.
    """
    work: _Work | None = None
    while (message := ranks.receive()) is not None:
        if isinstance(message, Begin):
            work = _Work(model, message, ranks)
        elif isinstance(message, Pass):
            with torch.no_grad():  # any text will do: nobody sees what comes of it
                model.eval()(input_ids=torch.zeros(1, 1, dtype=torch.int64, device=next(model.parameters()).device))
        else:
            work.step(message)


def main(given: Mapping) -> None:
    """Load the model and `serve`; an error goes into a file for the first process, without its message.

    Args:
        given: what `lib.methods.dp_lora.launch.start` has put on the command line.
    """
    redaction.install()
    threading.Thread(target=_end_with, args=[given["parent"]], daemon=True).start()
    torch.set_num_threads(given["threads"])
    folder = Path(given["folder"])
    try:
        team = launch.join(given, folder, given["rank"])
        serve(team, launch.load(given))
        split_weights.leave(together=True)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the first process is gone, and the folder with it
            (folder / TOLD.format(given["rank"])).write_text(redaction.rendered(error)[-1], "utf-8")
        raise


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, whatever it is waiting for."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
