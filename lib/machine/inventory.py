"""What the machine has: cards, memory, number types, and packages beyond those that are always installed."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from lib.models.loading import resolve_dtype
from lib.stage import provenance

EXTRAS = ("unsloth", "vllm", "bitsandbytes", "diffusers", "gliner", "faiss-cpu")
_FLAGS = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512f", "avx2")  # of the processor, what matters for bfloat16


def found(device: torch.device) -> dict[str, object]:
    """The machine, as one object for JSON.

    Args:
        device: that the checks run on.
    """
    cards = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return provenance.machine() | {
        "device": str(device),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "capabilities": [f"{card.major}.{card.minor}" for card in cards],
        "processor_flags": [flag for flag in _FLAGS if flag in _cpu_flags()],
        "auto_dtype": str(resolve_dtype("auto", device)).removeprefix("torch."),
        "packages": {name: _version(name) for name in EXTRAS},
    }


def told(machine: dict[str, object]) -> list[str]:
    """The same in lines for a reader.

    Args:
        machine: of `found`.
    """
    cards = [f"{card['name']}, {card['memory_gb']:g} GB" for card in machine["gpus"]] or ["none"]
    packages = [f"{name} {number}" for name, number in machine["packages"].items() if number] or ["none"]
    return [
        f"processor  {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:g} GB; "
        f"{', '.join(machine['processor_flags']) or 'no flags known'}",
        f"cards      {'; '.join(cards)}",
        f"torch      {machine['torch']}, CUDA {machine['cuda'] or 'none'}; dtype auto is {machine['auto_dtype']}",
        f"extras     {', '.join(packages)}",
    ]


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return set(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
