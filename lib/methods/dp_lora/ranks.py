"""Several processes that share the work of one DP-SGD step, one a graphics card or a few cores each.

**Only the first process draws anything.** It draws the Poisson sample, splits the batch into micro-batches as it would
by itself, deals these out, adds up what the others have summed, adds the noise once, takes the optimizer's step and
writes the checkpoint. The others hold the frozen model; in each step they get the adapters' weights and their
micro-batches, and give back one sum. They know neither the other units nor the noise, and keep nothing. So the released
noisy sum, the batch sizes that are checked, and a checkpoint are those of one process, and a training may go on with
another number of processes.

Unit: one record, or one user with all records; a unit is never split, so its records are summed and clipped in one
process. Neighbours: add or remove one unit. Sampler: the one Poisson draw of the first process. Sensitivity with k
processes: clipped gradients are summed in whole numbers, so the total has the same bits however the units are dealt
out, and one unit changes it by at most ``max_grad_norm``, provided that it changes no other unit's gradient. One more
unit may send others to another process. So all processes must compute a gradient alike to the bit: that is measured
before the training on made-up text, and refused where it does not hold. Each process draws masks of dropout of its own,
for every unit anew, as `lib.methods.dp_lora.trainer` needs it.

Opacus' ``DistributedDPOptimizer`` adds the noise in its first process too, but then adds up floating-point numbers,
whose rounding depends on how units are dealt out. Here the integers of `lib.methods.dp_lora.optimizer` are added up, by
gloo, on the CPU: eight bytes a trainable weight and step. Weights are not split over cards: a model must fit on each.

The processes talk over the loopback interface alone. What they say holds token ids of records and sums without noise.
"""

import atexit
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import torch
from torch import distributed, nn

from lib.common.errors import DoppelError
from lib.methods.dp_lora import adapters
from lib.methods.dp_lora.gradients import Units
from lib.methods.dp_lora.settings import Settings

MODEL = ("model", "device", "dtype", *adapters.PARAMETERS)  # parameters of 10_finetune_dp_lora that a rank needs
TOLD = "rank{}.txt"  # what a process says before it ends by an error, without private text
WAIT = timedelta(days=1)  # for another process, which may evaluate for hours; one that has died is noticed at once
ROOT = Path(__file__).resolve().parents[3]


class Begin(NamedTuple):
    """The first process starts a training; the adapters' weights follow, here and behind a `Step`."""

    settings: Settings
    split_head: bool


class Step(NamedTuple):
    """The micro-batches of a step, counted from 0, that one process computes."""

    number: int
    groups: Sequence[Units]


class Alone:
    """A single process: it does all the work itself, and there is nothing to agree on."""

    size = 1

    def begin(self, settings: Settings, split_head: bool, parameters: Sequence[nn.Parameter]) -> None:
        """Tell the other processes of a training: its ``settings``, ``split_head``, and the weights that learn."""

    def share(
        self, step: int, groups: Sequence[Units], costs: Sequence[int], parameters: Sequence[nn.Parameter]
    ) -> Sequence[int]:
        """Deal out the micro-batches of a step.

        Args:
            step: counted from 0.
            groups: the units of each micro-batch.
            costs: tokens of each micro-batch, padding counted.
            parameters: the weights that learn, as they are before the step.

        Returns:
            Places in ``groups``, in order, of those that this process computes.
        """
        return range(len(groups))

    def gather(self, sums: Sequence[torch.Tensor]) -> None:
        """Add what the other processes have summed to ``sums``, one tensor a parameter, in place."""

    def all(self, holds: bool) -> bool:
        """Whether something ``holds`` in all processes."""
        return holds

    def close(self) -> None:
        """End the other processes."""


ALONE = Alone()


class Ranks(Alone):
    """The first of several processes, or one of the others.

    Args:
        folder: where they find each other, of this user alone.
        rank: of this process, from 0 on.
        size: how many there are, at least 2.
        processes: the others, where this one has started them.
    """

    def __init__(self, folder: Path, rank: int, size: int, processes: Sequence[subprocess.Popen] = ()):
        self.folder, self.rank, self.size, self.processes = folder, rank, size, processes
        self.store = distributed.FileStore(str(folder / "store"), size)
        self.own = self.awaited = 0  # units of a step that this process sums, and that all have still to sum
        self.threads = torch.get_num_threads()
        self._await_others()
        options = distributed.ProcessGroupGloo._Options()
        options._devices = [distributed.ProcessGroupGloo.create_device(hostname="127.0.0.1")]  # nobody else listens
        options._timeout = WAIT
        self.group = distributed.ProcessGroupGloo(self.store, rank, size, options)

    def begin(self, settings: Settings, split_head: bool, parameters: Sequence[nn.Parameter]) -> None:
        for rank in range(1, self.size):
            self.send(Begin(settings, split_head), rank)
        self.weights(parameters)

    def share(
        self, step: int, groups: Sequence[Units], costs: Sequence[int], parameters: Sequence[nn.Parameter]
    ) -> Sequence[int]:
        """As `Alone.share`; the dearest micro-batch goes first, each to the process with the least work so far."""
        if self.awaited:
            self.close()
            raise DoppelError(
                "methods.step_interrupted",
                "a step was interrupted, so the other processes are ended",
                name="processes",
                value=self.size,
                remedy="start the notebook again: it goes on from its last checkpoint",
            )
        loads, parts = [0] * self.size, [[] for _ in range(self.size)]
        for place in sorted(range(len(groups)), key=lambda place: -costs[place]):
            rank = loads.index(min(loads))
            loads[rank] += costs[place]
            parts[rank].append(place)
        for rank in range(1, self.size):
            self.send(Step(step, [groups[place] for place in sorted(parts[rank])]), rank)
        self.weights(parameters)
        self.awaited, self.own = sum(map(len, groups)), sum(len(groups[place]) for place in parts[0])
        return sorted(parts[0])

    def gather(self, sums: Sequence[torch.Tensor]) -> None:
        """As `Alone.gather`.

        Raises:
            DoppelError: another process has died, or the units that were summed are not those of the batch.
        """
        count = torch.tensor([self.own]).to(sums[0].dtype)
        flat = torch.cat([*(part.flatten().cpu() for part in sums), count])
        self._wait(self.group.reduce(flat, 0, distributed.ReduceOp.SUM))
        if self.rank == 0:
            *totals, units = flat.split([*(part.numel() for part in sums), 1])
            if int(units) != self.awaited:
                raise DoppelError(
                    "methods.units_lost",
                    f"{self.size} processes summed {int(units)} units, and the batch has {self.awaited}",
                    name="processes",
                    value=self.size,
                )
            for part, total in zip(sums, totals, strict=True):
                part.copy_(total.view_as(part))
            self.awaited = 0

    def all(self, holds: bool) -> bool:
        value = torch.tensor([int(holds)])
        self._wait(self.group.allreduce(value, distributed.ReduceOp.MIN))
        return bool(value)

    def same(self, value: int) -> bool:
        """Whether all processes have the same ``value``, below 2^62."""
        values = torch.tensor([value, -value])
        self._wait(self.group.allreduce(values, distributed.ReduceOp.MAX))
        return bool(values.sum() == 0)

    def weights(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give all processes the weights of the first, ``parameters``; the others' are changed in place."""
        flat = torch.cat([parameter.detach().flatten().cpu() for parameter in parameters])
        self._wait(self.group.broadcast(flat, 0))
        if self.rank:
            with torch.no_grad():
                for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
                    parameter.copy_(part.view_as(parameter))

    def send(self, message: Begin | Step | None, rank: int) -> None:
        """Send a ``message`` to another process, by its ``rank``; None ends it."""
        content = torch.frombuffer(bytearray(pickle.dumps(message)), dtype=torch.uint8)
        self._wait(self.group.send([torch.tensor([len(content)])], rank, 0))
        self._wait(self.group.send([content], rank, 0))

    def receive(self) -> Begin | Step | None:
        """The next message of the first process."""
        length = torch.zeros(1, dtype=torch.int64)
        self._wait(self.group.recv([length], 0, 0))
        content = torch.zeros(int(length), dtype=torch.uint8)
        self._wait(self.group.recv([content], 0, 0))
        return pickle.loads(content.numpy().tobytes())  # of the process that started this one

    def close(self) -> None:
        """End the other processes, and give the first one its threads back."""
        if self.processes:
            for process in self.processes:
                process.kill()
                process.wait()
            self.processes = ()
            shutil.rmtree(self.folder, ignore_errors=True)
            torch.set_num_threads(self.threads)

    def _await_others(self) -> None:
        """Wait until all processes have loaded the model. Raises DoppelError when one has died instead."""
        self.store.set(f"ready{self.rank}", "")
        while not self.store.check([f"ready{rank}" for rank in range(self.size)]):
            if any(process.poll() is not None for process in self.processes):
                raise self._died()
            time.sleep(0.05)

    def _wait(self, work: distributed.Work) -> None:
        try:
            work.wait()
        except RuntimeError:  # the other end of a connection is gone
            raise self._died() from None

    def _died(self) -> DoppelError:
        """Why another process is gone, after all of them are ended."""
        gone, until = [(0, None)], time.monotonic() + 10  # a connection ends before its process does
        while self.processes and gone[-1][1] is None and time.monotonic() < until:
            gone += [(rank, p.poll()) for rank, p in enumerate(self.processes, 1) if p.poll() is not None]
            time.sleep(0.05)
        rank, code = gone[-1]
        told = self.folder / TOLD.format(rank)
        why = told.read_text("utf-8") if told.is_file() else f"code {code}: killed, or out of memory"
        self.close()
        return DoppelError(
            "methods.rank_died",
            f"process {rank + 1} of {self.size} ended ({why}), so all of them are ended",
            name="processes",
            value=self.size,
            remedy="run the stage again: it goes on from its last checkpoint, also with another number of processes",
        )


def start(parameters: Mapping[str, object], model: nn.Module) -> Alone:
    """Start the processes that share a training, and wait until they have loaded the model.

    Args:
        parameters: of 10_finetune_dp_lora; ``processes`` and those of `MODEL` are read.
        model: that the first process, this one, trains; the others get its number type, and the same share of cores.

    Returns:
        The first of them; `Alone` where ``processes`` is 1.

    Raises:
        DoppelError: there are fewer graphics cards, or a process cannot load the model.
    """
    size = parameters["processes"]
    if size == 1:
        return ALONE
    device = next(model.parameters()).device
    if device.type == "cuda" and size > torch.cuda.device_count():
        raise DoppelError(
            "methods.too_few_cards",
            f"processes = {size}, but PyTorch sees {torch.cuda.device_count()} graphics cards; each process needs one",
            name="processes",
            value=size,
            remedy="lower processes",
        )
    threads, folder = max(1, torch.get_num_threads() // size), tempfile.mkdtemp(prefix="doppel-ranks-")
    cards = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(torch.cuda.device_count())))
    given = {"threads": threads, "size": size, "folder": folder, "parent": os.getpid()}
    given |= {name: parameters[name] for name in MODEL}
    if parameters["dtype"] == "auto":  # measured, so that another process might find another one
        given["dtype"] = str(model.get_base_model().dtype).removeprefix("torch.")
    processes = []
    for rank in range(1, size):
        own = {"OMP_NUM_THREADS": str(threads)}
        own["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        if device.type == "cuda":
            own["CUDA_VISIBLE_DEVICES"] = cards.split(",")[rank]
        command = [sys.executable, "-m", "lib.methods.dp_lora.rank", json.dumps(given | {"rank": rank})]
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        # a session of its own: whoever interrupts the notebook's kernel means its step, not this process
        processes.append(subprocess.Popen(command, env=os.environ | own, start_new_session=True, **silent))
    team = Ranks(Path(folder), 0, size, processes)
    atexit.register(team.close)
    if device.type == "cpu":
        torch.set_num_threads(threads)
    return team
