"""docs/architecture.png: the rooms of lib from the top, and which imports which; read from the code.

    python docs/architecture.py

Prints the counts that docs/architecture.md states.
"""

import sys
import tomllib
from pathlib import Path

import grimp
import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch, Rectangle

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib.plots.style import DP, GREY  # noqa: E402

HOLDS = {
    "cli": "the commands of run_all.sh",
    "machine": "a check of the machine, each path in small",
    "pipeline": "presets, sweeps, pre-flight, Snakemake, papermill",
    "sanitization": "texts without what they should not tell",
    "private_records": "texts about made-up people",
    "pii": "made-up persons, values, their checks",
    "report": "the pages of a run",
    "release": "gate, certificate, card, pack, verify",
    "plots": "the pictures of the notebooks",
    "scorecard": "arms side by side, and what differs for sure",
    "evaluation": "fidelity, utility, judgements of people",
    "methods": "DP-LoRA, private evolution, prompting",
    "audit": "canaries, scores, bounds, verdicts",
    "generation": "engines, endpoints, prompts, rejection",
    "models": "loading, prompts, token ids, losses, encoders",
    "privacy": "accountant, mechanisms, ledger, budget",
    "data": "records, sources, cleaning, labels",
    "stage": "parameters, fingerprints, folders of stages",
    "common": "errors, files, locks, progress, numbers",
}
WIDTH, ROW = 6.6, 0.48  # of a room, and from one to the next, in inches


def rooms() -> list[str]:
    """The rooms from the top, as the import contract in pyproject.toml lists them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return next(contract["layers"] for contract in contracts if contract["type"] == "layers")


def imports(graph: grimp.ImportGraph, names: list[str]) -> dict[tuple[str, str], int]:
    """Number of imports from one room to another, by (importer, imported)."""
    counts: dict[tuple[str, str], int] = {}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = (module.split(".")[1:2], imported.split(".")[1:2])
            if all(pair) and pair[0] != pair[1] and pair[0][0] in names and pair[1][0] in names:
                counts[pair[0][0], pair[1][0]] = counts.get((pair[0][0], pair[1][0]), 0) + 1
    return counts


def draw(names: list[str], files: dict[str, int], counts: dict[tuple[str, str], int]) -> plt.Figure:
    """The rooms as boxes, and beside each how often it imports each room below it."""
    figure, panel = plt.subplots(figsize=(12.9, len(names) * ROW + 1.3), layout="constrained")
    most, left = max(counts.values()), WIDTH + 0.35
    for row, name in enumerate(names):
        y = (len(names) - row - 0.5) * ROW
        shape = {"boxstyle": "round,pad=0.02,rounding_size=0.06", "fc": "#f4f6f7", "ec": DP}
        panel.add_patch(FancyBboxPatch((0, y - 0.21), WIDTH, 0.42, **shape))
        panel.text(0.12, y, name, va="center", fontsize=11, fontweight="bold", color=DP)
        panel.text(2.0, y, HOLDS[name], va="center", fontsize=9)
        panel.text(WIDTH - 0.08, y, f"{files[name]} files", va="center", ha="right", fontsize=8, color=GREY)
        for column, below in enumerate(names[1:]):
            x = left + column * ROW
            if row == 0:
                panel.text(x, y + 0.36, below, rotation=50, ha="left", va="bottom", fontsize=9, color=DP)
            if row <= column:
                count = counts.get((name, below), 0)
                shade = 0.12 + 0.75 * (count / most) ** 0.5 if count else 0.0
                cell = {"fc": DP, "alpha": shade} if count else {"fc": "none", "ec": "#e3e6e8"}
                panel.add_patch(Rectangle((x - 0.21, y - 0.21), 0.42, 0.42, **cell))
                colour = "white" if shade > 0.5 else "black"
                panel.text(x, y, count or "", ha="center", va="center", fontsize=8.5, color=colour)
    caption = "a row says how often its room imports\nthe room at the head of each column"
    panel.text(left - 0.2, 0.35, caption, fontsize=8.5, color=GREY, va="center")
    panel.set(xlim=(-0.05, left + len(names) * ROW), ylim=(-0.1, len(names) * ROW + 1.0))
    panel.axis("off")
    return figure


def main() -> None:
    names = rooms()
    graph = grimp.build_graph("lib", exclude_type_checking_imports=True, cache_dir=None)
    counts = imports(graph, names)
    files = {name: sum(path.stat().st_size > 0 for path in (ROOT / "lib" / name).rglob("*.py")) for name in names}
    up = sum(names.index(above) > names.index(below) for above, below in counts)
    draw(names, files, counts).savefig(Path(__file__).with_suffix(".png"), dpi=110)
    print(f"{len(names)} rooms, {sum(files.values())} files, {len(counts)} arrows between rooms, {up} of them upward")


if __name__ == "__main__":
    main()
