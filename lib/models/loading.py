"""Models by name: found or made once, loaded with a tokenizer, with or without an adapter; prompts as token ids."""

import hashlib
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from peft import PeftModel
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from lib.common.errors import DoppelError, nearest
from lib.common.files import sha256
from lib.common.paths import DATA
from lib.models import bundled

logging.disable_progress_bar()  # one bar a file of weights says nothing to a reader of a notebook or a log
# PEFT asks a model for an attribute that transformers renamed; nothing that a user could change
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)

Device = Literal["auto", "cpu", "cuda"]
Dtype = Literal["auto", "float32", "bfloat16"]
WORTH_IT = 1.3  # times faster, from where the coarser numbers are taken


def locate(name: str, root: Path = DATA) -> Path | str:
    """Where transformers finds a model: a folder, or for ``hub:OWNER/NAME`` the id on the hub.

    ``bundled:`` models are fetched and converted at the first call into ``root/models/<name>``; the folder
    appears whole, by a rename. Raises DoppelError for a name that is none of these.
    """
    kind, _, rest = name.partition(":")
    if kind == "hub" and rest:
        return rest
    if kind == "bundled" and rest in bundled.BUNDLED:
        folder = root / "models" / rest
        if not folder.is_dir():
            make_folder(folder, lambda made: bundled.make(rest, root, made))
        return folder
    if (Path(name) / "config.json").is_file():
        return Path(name)
    known = [*(f"bundled:{one}" for one in bundled.BUNDLED), "hub:OWNER/NAME", "a folder with a config.json"]
    raise DoppelError(f"unknown model {name!r}; {nearest(name, known)}")


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The model's tokenizer, with a pad token that is not EOS wherever the vocabulary has one to spare."""
    source = locate(name)
    tokenizer = from_pretrained(AutoTokenizer, source)
    if tokenizer.eos_token_id is None:
        raise DoppelError(f"model {name!r} has no EOS token, so its completions could not end; choose another model")
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        spare = [tokenizer.unk_token, *(t for t in tokenizer.all_special_tokens if "pad" in t.lower())]
        tokenizer.pad_token = next((t for t in spare if t not in (None, tokenizer.eos_token)), tokenizer.eos_token)
    return tokenizer


def load(name: str, *, dtype: Dtype = "auto", device: Device = "auto") -> PreTrainedModel:
    """The model in eval mode. Raises DoppelError when it cannot be found or fetched."""
    place = resolve_device(device)
    options: dict[str, object] = {"dtype": resolve_dtype(dtype, place)}
    if place.type == "cpu":  # there the fused attention's backward pass takes a sixth of a training step
        options["attn_implementation"] = "eager"
    model = from_pretrained(AutoModelForCausalLM, locate(name), **options)
    return model.to(place).eval()


def end_tokens(name: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Ids that end a completion: the tokenizer's EOS, and those that the model's authors name besides it."""
    try:
        named = from_pretrained(GenerationConfig, locate(name)).eos_token_id
    except DoppelError:  # a model need not have a generation config
        named = None
    return sorted({tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None})


def fingerprint(name: str) -> str:
    """A hash of a model's files; for a model of the hub, its commit."""
    source = locate(name)
    if isinstance(source, Path):
        return folder_hash(source)
    return f"{source}@{from_pretrained(AutoConfig, source)._commit_hash}"


def folder_hash(folder: Path) -> str:
    """Hex digest of the files directly in a folder, names and contents."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return hashlib.sha256("".join(f"{file.name} {sha256(file)}\n" for file in files).encode()).hexdigest()


def resolve_device(device: Device) -> torch.device:
    """``auto`` takes the GPU where there is one."""
    if device not in ("auto", "cpu", "cuda"):
        raise DoppelError(f"unknown device {device!r}; {nearest(device, ('auto', 'cpu', 'cuda'))}")
    if device == "cuda" and not torch.cuda.is_available():
        raise DoppelError(
            "device 'cuda' was asked for, but PyTorch sees no GPU; use device: auto, or install its CUDA build"
        )
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def resolve_dtype(dtype: Dtype, device: torch.device) -> torch.dtype:
    """``auto`` takes bfloat16 where it is faster: on GPUs that know it, on CPUs whose products are faster so."""
    if dtype not in ("auto", "float32", "bfloat16"):
        raise DoppelError(f"unknown dtype {dtype!r}; {nearest(dtype, ('auto', 'float32', 'bfloat16'))}")
    if dtype != "auto":
        return getattr(torch, dtype)
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = _bfloat16_gain() > WORTH_IT
    return torch.bfloat16 if native else torch.float32


@cache
def _bfloat16_gain() -> float:
    """How many times faster this CPU multiplies in bfloat16 than in float32, on a layer of a small model.

    Measured (some 50 ms, once a process), for no flag tells it: AVX-512's bfloat16 took half of float32's time on one
    processor and twice on another. The fastest of several turns counts, so other work beside it matters little.
    """
    rows, weights = torch.ones(512, 576), torch.ones(1536, 576)
    sides = [(rows.to(kind), weights.to(kind)) for kind in (torch.float32, torch.bfloat16)]
    seconds = [[], []]
    for turn in range(9):
        for times, side in zip(seconds, sides, strict=True):
            began = time.perf_counter()
            torch.nn.functional.linear(*side)
            if turn:  # the first one sets up
                times.append(time.perf_counter() - began)
    return min(seconds[0]) / min(seconds[1])


def with_adapter(model: PreTrainedModel, adapter: Path) -> PeftModel:
    """The model with a saved PEFT adapter on it, in eval mode. The adapter's weights stay apart from the model's."""
    if not (adapter / "adapter_config.json").is_file():
        raise DoppelError(f"{adapter}: no adapter_config.json there; run the stage that trains the adapter")
    try:
        return PeftModel.from_pretrained(model, str(adapter)).eval()
    except (RuntimeError, ValueError) as error:  # other shapes, or other names of layers
        reason = str(error).splitlines()[0]
        raise DoppelError(f"{adapter} does not fit the model ({reason}); use the model it was trained on") from None


def merged(model: PeftModel) -> PreTrainedModel:
    """The plain model whose weights include the adapter's. In bfloat16 small updates would be rounded away."""
    if any(p.dtype != torch.float32 for p in model.parameters()):
        raise DoppelError("an adapter is merged in float32 only; load the model with dtype float32")
    return model.merge_and_unload()


def from_pretrained(kind: type, source: Path | str, **options: object) -> object:
    """transformers' loader of a ``kind`` (AutoModel, AutoTokenizer, ...); a folder is never looked up on the network.

    Raises DoppelError when nothing can be loaded from ``source``.
    """
    try:
        return kind.from_pretrained(source, local_files_only=isinstance(source, Path), **options)
    except OSError as error:
        raise DoppelError(
            f"model {str(source)!r} cannot be loaded ({str(error).splitlines()[0]}). Check its name, the network and, "
            "for a gated model, your login; or give a folder with the model in it"
        ) from None


def make_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside the wanted one, then rename: it is whole or absent, whoever else makes it too."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        made = Path(scratch) / "made"
        fill(made)
        try:
            made.rename(folder)
        except OSError:  # another process was faster: its folder is as good as ours
            if not folder.is_dir():
                raise
