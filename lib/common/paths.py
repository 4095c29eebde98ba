"""Where the project lies on the disk."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # holds notebooks/, params/, results/
DATA = ROOT / "data"  # assets, caches and budgets
LIB = ROOT / "lib"
HOME = DATA / "cache" / "home"  # for programs whose user has no home folder that can be written
