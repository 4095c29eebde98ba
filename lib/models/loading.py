"""Models by name: located, or converted at first use, and loaded with a tokenizer and an adapter."""

import hashlib
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from lib.common import network
from lib.common.errors import DoppelError, nearest
from lib.common.files import sha256
from lib.common.paths import DATA
from lib.models import bundled, four_bits
from lib.models.pretrained import from_pretrained

logging.disable_progress_bar()  # a bar for every file of weights tells the reader of a notebook or a log nothing
# PEFT reads an attribute that transformers has renamed; users can do nothing about it
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)

Device = Literal["auto", "cpu", "cuda"]
Dtype = Literal["auto", "float32", "bfloat16"]
Weights = Dtype | Literal["4bit"]
MIN_BFLOAT16_GAIN = 1.3  # times faster than float32 on a CPU, for "auto" to accept bfloat16's lower precision


def locate(name: str, root: Path = DATA) -> Path | str:
    """Where transformers finds a model.

    Args:
        name: ``bundled:NAME`` (a key of `lib.models.bundled.BUNDLED`), ``hub:OWNER/NAME``, or a model's folder. A
            bundled model is fetched and converted at the first call.
        root: the data folder; bundled models are kept in its ``models/NAME``.

    Returns:
        A folder, or for a model of the hub its id OWNER/NAME.

    Raises:
        DoppelError: ``name`` is none of these, or what is said to be on the hub is a folder here.
    """
    kind, _, rest = name.partition(":")
    if kind == "hub" and rest:
        network.check_hub_name(rest, "model")
        return rest
    if kind == "bundled" and rest in bundled.BUNDLED:
        folder = root / "models" / rest
        if not folder.is_dir():
            make_folder(folder, lambda target: bundled.make(rest, root, target))
        return folder
    if (Path(name) / "config.json").is_file():
        return Path(name)
    known = [*(f"bundled:{model}" for model in bundled.BUNDLED), "hub:OWNER/NAME", "a folder with a config.json"]
    raise DoppelError(
        "models.model_unknown", f"unknown model {name!r}", name="model", value=name, remedy=nearest(name, known)
    )


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer. Its pad token differs from EOS wherever the vocabulary has a token to spare.

    Args:
        name: a model as `locate` takes it.

    Raises:
        DoppelError: the model is unknown, cannot be loaded, or has no EOS token.
    """
    tokenizer = from_pretrained(AutoTokenizer, locate(name))
    if tokenizer.eos_token_id is None:
        raise DoppelError(
            "models.eos_missing",
            f"model {name!r} has no EOS token, so its completions could not end",
            name="model",
            value=name,
            remedy="choose another model",
        )
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        candidates = [tokenizer.unk_token, *(t for t in tokenizer.all_special_tokens if "pad" in t.lower())]
        spare = (token for token in candidates if token not in (None, tokenizer.eos_token))
        tokenizer.pad_token = next(spare, tokenizer.eos_token)
    return tokenizer


def load(name: str, *, dtype: Weights = "auto", device: Device = "auto", **options: object) -> PreTrainedModel:
    """Load a model, in eval mode.

    Args:
        name: a model as `locate` takes it.
        dtype: of the weights, as `resolve_dtype` takes it; or ``4bit`` (`lib.models.four_bits`), on a card.
        device: where the model runs, as `resolve_device` takes it.
        **options: more arguments of ``from_pretrained`` (`lib.models.split_weights`).

    Raises:
        DoppelError: the model is unknown, cannot be loaded or lacks weights, or the device or dtype is refused.
    """
    resolved = resolve_device(device)
    # on CPUs the backward pass of fused attention takes a sixth of a training step
    options |= {"attn_implementation": "eager"} if resolved.type == "cpu" else {}
    quantized = dtype == "4bit"
    options |= four_bits.options(resolved) if quantized else {"dtype": resolve_dtype(dtype, resolved)}
    model, report = from_pretrained(AutoModelForCausalLM, locate(name), output_loading_info=True, **options)
    if missing := sorted(report["missing_keys"]):  # transformers would go on with random ones
        raise DoppelError(
            "models.weights_missing",
            f"model {name!r}: its files hold no weights for {missing[0]} and {len(missing) - 1} more",
            name="model",
            value=name,
            remedy="give a model whose weights are of the architecture that its config.json names",
        )
    return (model if quantized else model.to(resolved)).eval()


def end_tokens(name: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Ids of the tokens that end a completion, ascending.

    Args:
        name: a model as `locate` takes it; end tokens of its generation config are included, where it has one.
        tokenizer: the model's own; its EOS is included.
    """
    try:
        configured = from_pretrained(GenerationConfig, locate(name)).eos_token_id
    except DoppelError:  # a model need not have a generation config
        configured = None
    return sorted({tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])} - {None})


def fingerprint(name: str) -> str:
    """A hash of the files of model ``name`` (as `locate` takes it); for a model of the hub, its id and commit."""
    source = locate(name)
    if isinstance(source, Path):
        return folder_hash(source)
    return f"{source}@{from_pretrained(AutoConfig, source)._commit_hash}"


def folder_hash(folder: Path, *, recursive: bool = False) -> str:
    """SHA-256 of the names and contents of a folder's files, as hex digits.

    Args:
        folder: an existing folder.
        recursive: whether files of its subfolders count too, under their paths.
    """
    files = sorted(file for file in (folder.rglob("*") if recursive else folder.iterdir()) if file.is_file())
    listing = "".join(f"{file.relative_to(folder).as_posix()} {sha256(file)}\n" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def resolve_device(device: Device) -> torch.device:
    """The device to run on.

    Args:
        device: ``cpu``, ``cuda``, or ``auto``: the GPU where there is one, else the CPU.

    Raises:
        DoppelError: ``device`` is unknown, or is ``cuda`` and PyTorch sees no GPU.
    """
    _check_choice("device", device, get_args(Device))
    if device == "cuda" and not torch.cuda.is_available():
        raise DoppelError(
            "models.gpu_missing",
            "device is 'cuda', but PyTorch sees no GPU",
            name="device",
            value=device,
            remedy="use device: auto, or install the CUDA build of PyTorch",
        )
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def resolve_dtype(dtype: Dtype, device: torch.device) -> torch.dtype:
    """The number type of a model's weights.

    Args:
        dtype: ``float32``, ``bfloat16``, or ``auto``: bfloat16 where it is faster, else float32. That is on GPUs which
            support it natively, and on CPUs whose matrix products gain more than `MIN_BFLOAT16_GAIN` (measured).
        device: where the model runs.

    Raises:
        DoppelError: ``dtype`` is unknown.
    """
    _check_choice("dtype", dtype, get_args(Dtype))
    if dtype != "auto":
        return getattr(torch, dtype)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if _bfloat16_gain() > MIN_BFLOAT16_GAIN else torch.float32


def _check_choice(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise DoppelError(
            "models.choice_unknown", f"unknown {name} {value!r}", name=name, value=value, remedy=nearest(value, known)
        )


@cache
def _bfloat16_gain() -> float:
    """How many times faster this CPU multiplies a small model's layer in bfloat16 than in float32.

    Measured (about 50 ms, once per process), because no CPU flag predicts it: bfloat16 under AVX-512 took half the time
    of float32 on one processor and twice on another. The fastest run counts, so that other processes matter little.
    """
    inputs, weights = torch.ones(512, 576), torch.ones(1536, 576)
    operands = [(inputs.to(dtype), weights.to(dtype)) for dtype in (torch.float32, torch.bfloat16)]
    seconds: list[list[float]] = [[], []]
    for turn in range(9):
        for times, pair in zip(seconds, operands, strict=True):
            began = time.perf_counter()
            torch.nn.functional.linear(*pair)
            if turn:  # the first run includes set-up
                times.append(time.perf_counter() - began)
    return min(seconds[0]) / min(seconds[1])


def with_adapter(model: PreTrainedModel, adapter: Path) -> PeftModel:
    """The model with a saved PEFT adapter on it, in eval mode. The adapter's weights stay apart from the model's.

    Args:
        model: the model that the adapter was trained on.
        adapter: the adapter's folder.

    Raises:
        DoppelError: the folder holds no adapter, or the adapter does not fit the model.
    """
    if not (adapter / "adapter_config.json").is_file():
        raise DoppelError(
            "models.adapter_missing",
            "no adapter_config.json there",
            name="adapter",
            value=str(adapter),
            remedy="run the stage that trains the adapter",
            where=str(adapter),
        )
    try:
        return PeftModel.from_pretrained(model, str(adapter)).eval()
    except (RuntimeError, ValueError) as error:  # layers of other shapes or other names
        raise DoppelError(
            "models.adapter_mismatch",
            f"the adapter does not fit the model ({str(error).splitlines()[0]})",
            name="adapter",
            value=str(adapter),
            remedy="use the model that it was trained on",
            where=str(adapter),
        ) from None


def merged(model: PeftModel) -> PreTrainedModel:
    """The plain model whose weights include the adapter's.

    Args:
        model: a float32 model with an adapter: in bfloat16 small updates would be rounded away. It is changed in place.

    Raises:
        DoppelError: a weight is not float32.
    """
    if any(weight.dtype != torch.float32 for weight in model.parameters()):
        raise DoppelError(
            "models.merge_not_float32",
            "an adapter is merged in float32 only",
            name="dtype",
            remedy="load the model with dtype float32",
        )
    plain = model.get_base_model()
    head, words = plain.get_output_embeddings(), plain.get_input_embeddings()
    if isinstance(head, BaseTunerLayer) or isinstance(words, BaseTunerLayer):
        # where both share one matrix, merging into the one would change the other as well
        base = head.get_base_layer() if isinstance(head, BaseTunerLayer) else head
        base.weight = torch.nn.Parameter(base.weight.detach().clone(), requires_grad=False)
        plain.config.tie_word_embeddings = False
    return model.merge_and_unload()


def make_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder that is complete or absent, also where several processes make it at once: the first one wins.

    Args:
        folder: the folder to make; its parents are created.
        fill: called with another path, beside ``folder``, where it makes the folder; then that is renamed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part") as scratch:
        target = Path(scratch) / "made"
        fill(target)
        try:
            target.rename(folder)
        except OSError:  # another process was faster: its folder is as good as ours
            if not folder.is_dir():
                raise
