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
gloo, on the CPU: eight bytes a trainable weight and step.

The frozen weights may be split over the processes (`lib.models.split_weights`). Nothing of the above changes: the first
process alone draws, adds noise and writes, adapters are whole in each, and what is gathered of a layer is public
weights. But now all processes must compute side by side. So each gets as many micro-batches, of which some have no
unit: there a made-up text is computed, and no row of it reaches the clipping, so nothing of it is in a sum
(`lib.methods.dp_lora.gradients`). While the first process evaluates, the others compute a made-up text at every pass.

The processes talk over the loopback interface alone, and cards exchange layers as NCCL does within a machine. What the
processes say holds token ids of records and sums without noise; what the cards exchange holds public weights alone.
"""

import pickle
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import torch
from torch import distributed, nn

from lib.common.errors import DoppelError
from lib.methods.dp_lora.alone import Alone
from lib.methods.dp_lora.gradients import Units
from lib.methods.dp_lora.settings import Settings
from lib.models import split_weights

TOLD = "rank{}.txt"  # what a process says before it ends by an error, without private text
WAIT = timedelta(days=1)  # for another process, which may evaluate for hours; one that has died is noticed at once


class Begin(NamedTuple):
    """The first process starts a training; the adapters' weights follow, here and behind a `Step`."""

    settings: Settings
    split_head: bool


class Step(NamedTuple):
    """The micro-batches of a step, counted from 0, that one process computes; at least one, which may have no unit."""

    number: int
    groups: Sequence[Units]


class Pass(NamedTuple):
    """The first process runs a model whose weights are split, without gradients: the others run theirs beside it."""


class Ranks(Alone):
    """The first of several processes, or one of the others.

    Args:
        folder: where they find each other, of this user alone.
        rank: of this process, from 0 on.
        size: how many there are, at least 2.
        processes: the others, where this one has started them.
        split_on: the device of frozen weights that are split over the processes; None: each has all of them.
    """

    def __init__(
        self,
        folder: Path,
        rank: int,
        size: int,
        processes: Sequence[subprocess.Popen] = (),
        split_on: torch.device | None = None,
    ):
        self.folder, self.rank, self.size, self.processes = folder, rank, size, processes
        self.split = split_on is not None
        self.store = distributed.FileStore(str(folder / "store"), size)
        self.own = self.awaited = 0  # units of a step that this process sums, and that all together sum
        self.busy = False  # the others are at work, not waiting for a message
        self.threads = torch.get_num_threads()
        self._await_others()
        options = distributed.ProcessGroupGloo._Options()
        options._devices = [distributed.ProcessGroupGloo.create_device(hostname="127.0.0.1")]  # nobody else listens
        options._timeout = WAIT
        self.group = distributed.ProcessGroupGloo(self.store, rank, size, options)
        if split_on is not None:
            split_weights.join(self.store, rank, size, split_on, WAIT)

    def begin(self, settings: Settings, split_head: bool, parameters: Sequence[nn.Parameter]) -> None:
        self._tell(Begin(settings, split_head))
        self.weights(parameters)

    def share(
        self, step: int, groups: Sequence[Units], costs: Sequence[int], parameters: Sequence[nn.Parameter]
    ) -> Sequence[int | None]:
        """As `Alone.share`; the dearest micro-batch goes first, each to the process with the least work so far.

        With split weights the processes compute side by side: each gets one micro-batch of every round, of like costs.
        """
        self._check_others_wait()
        self.busy = True
        loads, parts = [0] * self.size, [[] for _ in range(self.size)]
        for number, place in enumerate(sorted(range(len(groups)), key=lambda place: -costs[place])):
            rank = number % self.size if self.split else loads.index(min(loads))
            loads[rank] += costs[place]
            parts[rank].append(place)
        most = max(map(len, parts)) if self.split else 0
        parts = [(part if self.split else sorted(part)) + [None] * (max(1, most) - len(part)) for part in parts]
        for rank in range(1, self.size):
            self.send(Step(step, [[] if place is None else groups[place] for place in parts[rank]]), rank)
        self.weights(parameters)
        self.awaited = sum(map(len, groups))
        self.own = sum(len(groups[place]) for place in parts[0] if place is not None)
        return parts[0]

    def gather(self, sums: Sequence[torch.Tensor]) -> None:
        """As `Alone.gather`.

        Raises:
            DoppelError: another process has died, or the units that were summed are not those of the batch.
        """
        count = torch.tensor([self.own]).to(sums[0].dtype)
        flat = torch.cat([*(part.flatten().cpu() for part in sums), count])
        self._wait(self.group.reduce(flat, 0, distributed.ReduceOp.SUM))
        self.busy = False
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

    def all(self, holds: bool) -> bool:
        value = torch.tensor([int(holds)])
        self._wait(self.group.allreduce(value, distributed.ReduceOp.MIN))
        return bool(value)

    @contextmanager
    def evaluating(self, model: nn.Module) -> Iterator[None]:
        if not self.split:
            yield
            return
        self._check_others_wait()
        self.busy = True
        decoder = getattr(model, "get_base_model", lambda: model)().get_decoder()
        hook = decoder.register_forward_pre_hook(lambda *given: self._tell(Pass()), prepend=True)
        with self.working():
            yield
        hook.remove()
        self.busy = False

    @contextmanager
    def working(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError:
            time.sleep(self.split)  # a connection ends before its process does
            if any(process.poll() is not None for process in self.processes):
                raise self._died() from None
            raise

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

    def send(self, message: Begin | Step | Pass | None, rank: int) -> None:
        """Send a ``message`` to another process, by its ``rank``; None ends it."""
        content = torch.frombuffer(bytearray(pickle.dumps(message)), dtype=torch.uint8)
        self._wait(self.group.send([torch.tensor([len(content)])], rank, 0))
        self._wait(self.group.send([content], rank, 0))

    def receive(self) -> Begin | Step | Pass | None:
        """The next message of the first process."""
        length = torch.zeros(1, dtype=torch.int64)
        self._wait(self.group.recv([length], 0, 0))
        content = torch.zeros(int(length), dtype=torch.uint8)
        self._wait(self.group.recv([content], 0, 0))
        return pickle.loads(content.numpy().tobytes())  # of the process that started this one

    def close(self) -> None:
        """End the other processes, and give the first one its threads back."""
        if self.processes:
            processes, self.processes = self.processes, ()
            waiting = self.split and not self.busy and all(process.poll() is None for process in processes)
            if waiting:  # for a message: they leave the group of the weights together with this one
                with suppress(DoppelError):
                    self._tell(None)
            if self.split:
                split_weights.leave(together=waiting)
            for process in processes:
                process.kill()
                process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)
            torch.set_num_threads(self.threads)

    def _tell(self, message: Begin | Pass | None) -> None:
        """Send a message to all other processes."""
        for rank in range(1, self.size):
            self.send(message, rank)

    def _check_others_wait(self) -> None:
        """Refuse to go on where the other processes are within something that was interrupted here."""
        if self.busy:
            self.close()
            raise DoppelError(
                "methods.step_interrupted",
                "a step was interrupted, so the other processes are ended",
                name="processes",
                value=self.size,
                remedy="start the notebook again: it goes on from its last checkpoint",
            )

    def _await_others(self) -> None:
        """Wait until all processes are there. Raises DoppelError when one has died instead."""
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
