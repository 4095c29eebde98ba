"""Grid files for tests of sweeps."""

from pathlib import Path

from lib.pipeline import grid, preflight
from lib.pipeline.graph import Graph
from support.project import ROOT

TINY = """
preset: test
grid: {target_epsilon: [2.0, 8], seed: [0, 1]}
stages: [10_finetune_dp_lora, 12_aug_pe]
without: [20_canary_privacy]
"""


def write(folder: Path, text: str, name: str = "grid") -> str:
    """The path of a new grid file."""
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return str(path)


def swept(folder: Path, text: str, *overrides: str) -> Graph:
    """The graph of a grid over one of the project's own presets; the grid file is written into ``folder``."""
    read = grid.read(write(folder, text), ROOT)
    return preflight.preflight(read.preset, "check", list(overrides), read)
