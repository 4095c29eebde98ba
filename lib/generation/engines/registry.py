"""The engines: one entry each, beside the engine's own file ``<name>_engine.py``."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lib.common.errors import DoppelError
from lib.generation.engines.base import Engine
from lib.generation.engines.names import GUIDING
from lib.models import loading


@dataclass(frozen=True)
class EngineEntry:
    """An engine and when ``auto`` takes it.

    Attributes:
        load: imports the engine's file and returns its class, whose constructor takes ``model``, ``adapter`` and the
            keywords ``device``, ``dtype`` and ``batch_size`` (see `open_entry`).
        fits: whether ``auto`` may take the engine, given the device ("cpu", "cuda") and the parameter ``dtype``.
        package: the package that the engine needs beyond those that are always installed.
        install: how to install that package.
        needs_gpu: whether the engine runs on a GPU alone.
    """

    load: Callable[[], Callable[..., Engine]]
    fits: Callable[[str, loading.Dtype], bool]
    package: str | None = None
    install: str = ""
    needs_gpu: bool = False

    @property
    def installed(self) -> bool:
        """Whether the engine's package is there."""
        return self.package is None or find_spec(self.package) is not None


def _vllm() -> Callable[..., Engine]:
    from lib.generation.engines.vllm_engine import VllmEngine

    return VllmEngine


def _ctranslate2() -> Callable[..., Engine]:
    from lib.generation.engines.ctranslate2_engine import CTranslate2Engine

    return CTranslate2Engine


def _transformers() -> Callable[..., Engine]:
    from lib.generation.engines.transformers_engine import TransformersEngine

    return TransformersEngine


ENGINES = {  # in the order in which `auto` tries them: the fastest first, the one that runs every model last
    "vllm": EngineEntry(
        _vllm,
        fits=lambda device, dtype: device == "cuda",
        package="vllm",
        install="on a GPU machine: pip install 'doppel[vllm]'",
        needs_gpu=True,
    ),
    "ctranslate2": EngineEntry(
        _ctranslate2,
        fits=lambda device, dtype: device != "cuda" and dtype != "bfloat16",
        package="ctranslate2",
        install="pip install ctranslate2, or use engine: auto",
    ),
    "transformers": EngineEntry(_transformers, fits=lambda device, dtype: True),
}


def fitting(device: str, dtype: loading.Dtype, guidance: float = 0.0) -> list[str]:
    """Names of the engines that ``auto`` tries, in this order; the last runs every model.

    Args:
        device: "cpu" or "cuda".
        dtype: as in `lib.generation.generate.open_engine`, and so is ``guidance``.
        guidance: above 0, only engines that can mix the logits of two prompts.
    """
    return [
        name
        for name, entry in ENGINES.items()
        if entry.installed and entry.fits(device, dtype) and (guidance == 0 or name in GUIDING)
    ]


def open_entry(
    name: str, model: str, adapter: Path | None, *, device: str, dtype: loading.Dtype, batch_size: int
) -> Engine:
    """Open an engine by name; only this engine's packages are imported.

    Args:
        name: a key of `ENGINES`.
        model: as in `lib.generation.generate.open_engine`, and so are ``adapter``, ``dtype`` and ``batch_size``.
        adapter: folder of a LoRA adapter, or None.
        device: "cpu" or "cuda".
        dtype: "auto", "float32" or "bfloat16".
        batch_size: most sequences that are computed at once.

    Raises:
        NotConvertible: the engine does not support the model's architecture.
        DoppelError: the engine lacks a GPU or its package, or does not support ``dtype`` or the adapter.
    """
    entry = ENGINES[name]
    if entry.needs_gpu and device != "cuda":
        raise DoppelError(
            "generation.engine_needs_gpu",
            f"engine {name} needs a GPU",
            name="engine",
            value=name,
            remedy="use engine: auto",
        )
    if not entry.installed:
        raise DoppelError(
            "generation.engine_not_installed",
            f"engine {name} is not installed",
            name="engine",
            value=name,
            remedy=entry.install,
        )
    return entry.load()(model, adapter, device=device, dtype=dtype, batch_size=batch_size)
