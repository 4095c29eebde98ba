"""Where a result comes from: commit, packages, machine, and the memory that it took."""

import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import psutil

from lib.stage import notebook_file


def commit(root: Path) -> dict:
    """Git commit of the code, and whether files under version control differ from it; nulls without git.

    A notebook that JupyterLab opened differs in its kernel's metadata alone, one that was run by hand in its outputs:
    neither is a change of the code.

    Args:
        root: the project's folder.
    """
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        status = [*git, "status", "--porcelain", "-uno", "-z"]
        lines = subprocess.run(status, capture_output=True, text=True, check=True).stdout.split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):  # no git, or code unpacked from an archive
        return {"commit": None, "dirty": None}
    return {"commit": head, "dirty": any(not _only_shown(root, git, line[3:]) for line in lines)}


def _only_shown(root: Path, git: Sequence[str], name: str) -> bool:
    """Whether a changed file is a notebook whose cells are those of the commit, outputs and metadata aside."""
    if not name.endswith(".ipynb"):
        return False
    before = subprocess.run([*git, "show", f"HEAD:./{name}"], capture_output=True, text=True)
    try:
        texts = before.stdout, (root / name).read_text("utf-8")
        was, now = ([_written(cell) for cell in notebook_file.cells(text)] for text in texts)
    except (OSError, ValueError, KeyError, TypeError):  # new, gone, or no notebook
        return False
    return was == now


def _written(cell: dict) -> tuple[str, str, bool]:
    return cell["cell_type"], cell["source"], notebook_file.is_parameters(cell)


def packages() -> dict[str, str]:
    """Version of every installed package that this process imported."""
    imported = {name.partition(".")[0] for name in list(sys.modules)}
    owners = _owners()
    used = sorted({package for name in imported for package in owners.get(name, [])}, key=str.lower)
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in used}


@cache
def _owners() -> Mapping[str, list[str]]:
    """Packages by the names that they can be imported by; reading them takes a third of a second."""
    return importlib.metadata.packages_distributions()


def machine() -> dict:
    """Processor, usable cores, memory in GB, and graphics cards (of torch, where the stage imported it)."""
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _processor(),
        "cores": usable_cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpus": [],
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        cards = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        found["gpus"] = [{"name": card.name, "memory_gb": round(card.total_memory / 1e9, 1)} for card in cards]
        found["gpu_peak_mb"] = round(max(torch.cuda.max_memory_allocated(i) for i in range(len(cards))) / 1e6)
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def usable_cores() -> int:
    """Cores that this process may use, which in a container is fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class PeakMemory:
    """Largest resident memory in MB of this process and its children together, looked at twice a second.

    Pages that processes share are counted in each, so the sum errs upwards.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._stop = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        process = psutil.Process()
        while not self._stop.wait(0.5):
            total = 0
            for one in [process, *process.children(recursive=True)]:
                try:
                    total += one.memory_info().rss
                except psutil.Error:  # ended meanwhile
                    continue
            self._seen = max(self._seen, total)

    def stop(self) -> float:
        self._stop.set()
        unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on a Mac, in KiB elsewhere
        return round(max(self._seen, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit) / 1e6, 1)
