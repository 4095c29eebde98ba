"""Loads the model with its adapters, in this process and in those that share the training with it."""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from peft import PeftModel

from lib.common.errors import DoppelError
from lib.methods.dp_lora import adapters
from lib.methods.dp_lora.alone import ALONE, Alone
from lib.methods.dp_lora.ranks import Ranks
from lib.models import loading, split_weights

MODEL = ("model", "device", "dtype", "processes", "split_weights", *adapters.PARAMETERS)  # what a rank needs to know
ROOT = Path(__file__).resolve().parents[3]


def start(parameters: Mapping[str, object]) -> tuple[Alone, PeftModel]:
    """Start the processes that share a training, and load the model in each.

    Args:
        parameters: of 10_finetune_dp_lora; those of `MODEL` are read. The others get this one's number type, and the
            same share of cores.

    Returns:
        The first of the processes, this one, or `ALONE` where ``processes`` is 1; and its model with new adapters.

    Raises:
        DoppelError: there are fewer graphics cards, weights cannot be split here, or a process cannot load the model.
    """
    given = {name: parameters[name] for name in MODEL}
    size, device = given["processes"], loading.resolve_device(given["device"])
    if size == 1:
        return ALONE, load(given)
    if device.type == "cuda" and size > torch.cuda.device_count():
        raise DoppelError(
            "methods.too_few_cards",
            f"processes = {size}, but PyTorch sees {torch.cuda.device_count()} graphics cards; each process needs one",
            name="processes",
            value=size,
            remedy="lower processes",
        )
    if given["split_weights"]:
        split_weights.check(device)
    threads, folder = max(1, torch.get_num_threads() // size), tempfile.mkdtemp(prefix="doppel-ranks-")
    cards = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(torch.cuda.device_count())))
    given |= {"threads": threads, "folder": folder, "parent": os.getpid()}
    if given["dtype"] == "auto":  # measured, so that another process might find another one
        given["dtype"] = str(loading.resolve_dtype("auto", device)).removeprefix("torch.")
    if given["split_weights"]:  # nobody else listens; without it both would ask for the name of this machine
        loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
        os.environ |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
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
    team = join(given, Path(folder), 0, processes)
    atexit.register(team.close)
    if device.type == "cpu":
        torch.set_num_threads(threads)
    with team.working():
        return team, load(given)


def join(given: Mapping[str, object], folder: Path, rank: int, processes: list[subprocess.Popen] = ()) -> Ranks:
    """Join the processes that share a training.

    Args:
        given: as `load` takes it.
        folder: where the processes find each other.
        rank: of this process, from 0 on.
        processes: the others, where this one has started them.

    Raises:
        DoppelError: one of the others has died.
    """
    split_on = loading.resolve_device(given["device"]) if given["split_weights"] else None
    return Ranks(folder, rank, given["processes"], processes, split_on)


def load(given: Mapping[str, object]) -> PeftModel:
    """Load the model with new adapters; with split weights this process's part of it, beside the others.

    Args:
        given: parameters of 10_finetune_dp_lora; those of `MODEL` are read.

    Raises:
        DoppelError: the model cannot be loaded.
    """
    named = {name: given[name] for name in ("dtype", "device")}
    if given["split_weights"]:
        base = split_weights.load(given["model"], **named, size=given["processes"])
    else:
        base = loading.load(given["model"], **named)
    return adapters.add(base, **{name: given[name] for name in adapters.PARAMETERS})
