"""Where the project lies on the disk."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # holds notebooks/, params/, results/
DATA = ROOT / "data"  # assets, caches and budgets
LIB = ROOT / "lib"
