"""Frozen weights that several processes hold together, each a part: PyTorch's FSDP2, as transformers applies it.

Every matrix of a decoder layer is cut along its first dimension (Zhao et al. 2023, arXiv:2304.11277), and each process
reads its part alone from safetensors. Before a layer computes, forward or backward, the parts are gathered; afterwards
the gathered layer is let go. The numbers are those of the file, so what is computed is that of a whole model, to the
bit. Nothing private is gathered: the weights that are split are the public ones.

Embeddings, last norm and output head are whole in each process. `lib.models.losses` multiplies with the head's matrix
itself, a tied head is the embedding, and of two processes with one of these gathered neither would hold less at a peak.

**All processes must compute as many forward and backward passes, in one order**, or each waits for the others without
end. The batches may differ. What must not be called on such a model: ``state_dict`` and ``load_state_dict``, which
would cut the ends up again, and a change of its number type.
"""

from datetime import timedelta

import torch
from torch import distributed, nn
from torch.distributed.fsdp import FSDPModule
from transformers import AutoConfig, PreTrainedModel
from transformers.distributed import DistributedConfig

from lib.common.errors import DoppelError
from lib.models import architecture, loading
from lib.models.pretrained import from_pretrained


def check(device: torch.device) -> None:
    """Refuse weights that are split on processors by a PyTorch that is built for cards: transformers would use these.

    Args:
        device: of the weights.

    Raises:
        DoppelError: it is so.
    """
    accelerator = torch.accelerator.current_accelerator()
    if device.type == "cpu" and accelerator is not None:
        raise DoppelError(
            "models.split_on_processors",
            f"PyTorch is built for {accelerator.type} here, so weights cannot be split on processors",
            name="split_weights",
            value=True,
            remedy="use cards (device: auto), or the CPU build of PyTorch (./run_all.sh setup --cpu)",
        )


def join(store: distributed.Store, rank: int, size: int, device: torch.device, patience: timedelta) -> None:
    """Join the processes that hold a model together: PyTorch's default group, nccl on cards and gloo on processors.

    Args:
        store: where they find each other.
        rank: of this process, from 0 on.
        size: how many there are.
        device: of the weights.
        patience: how long one may wait for another on processors, where the end of one is noticed at once; on cards
            PyTorch's ten minutes hold, since only a timeout tells there.
    """
    options = {"backend": "gloo", "timeout": patience} if device.type == "cpu" else {"backend": "nccl"}
    distributed.init_process_group(store=store, rank=rank, world_size=size, **options)


def leave(*, together: bool) -> None:
    """Leave the group, if this process is in it.

    Args:
        together: the other processes leave too; else they may be gone, and what is in flight is dropped.
    """
    if distributed.is_initialized():
        if not together and distributed.get_backend() == "nccl":
            distributed.group.WORLD.abort()
        distributed.destroy_process_group()


def load(name: str, *, dtype: loading.Dtype, device: loading.Device, size: int) -> PreTrainedModel:
    """Load this process's part of a model, in eval mode; all processes call it at once.

    Args:
        name: a model as `lib.models.loading.locate` takes it.
        dtype: of the weights, as `lib.models.loading.resolve_dtype` takes it.
        device: where the model runs, as `lib.models.loading.resolve_device` takes it.
        size: how many processes there are, at least 2; they have called `join`.

    Raises:
        DoppelError: as `lib.models.loading.load` does, or the model is of a kind whose layers cannot be split.
    """
    from_pretrained(AutoConfig, loading.locate(name))  # so that its config.json is here, from the hub too
    architecture.check_splits(name)
    # the decoder as an entry of its own makes each part of it a group; else norm and head would be gathered together
    config = DistributedConfig(fsdp_size=size, fsdp_plan={"model": "keep_full_weight"})
    model = loading.load(name, dtype=dtype, device=device, distributed_config=config)
    layers = set(model.get_decoder().layers)
    for part in (module for module in model.modules() if isinstance(module, FSDPModule) and module not in layers):
        part.unshard()
        part.set_reshard_after_forward(False, recurse=False)
        part.set_reshard_after_backward(False, recurse=False)
    if model.config.tie_word_embeddings:  # FSDP takes the one matrix for two, and gathers both
        spare = model.get_output_embeddings().weight
        model.tie_weights()
        if type(spare) is nn.Parameter and spare is not model.get_output_embeddings().weight:
            spare.untyped_storage().resize_(0)
    return model


def is_split(model: nn.Module) -> bool:
    """Whether the layers of a ``model``, with adapters or without, are held by several processes together."""
    return any(isinstance(module, FSDPModule) for module in model.modules())
