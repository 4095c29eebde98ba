"""Draws docs/chain.png, the picture of the README: ``python docs/chain.py``."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.plots.style import DP, GREY, PRIVATE, PUBLIC

BOXES = [  # x, y, width, text, colour
    (0.0, 1.0, 1.9, "private records\nreviews, notes, messages", PRIVATE),
    (2.5, 1.0, 1.9, "00 process\nclean, split, bound users", PRIVATE),
    (5.0, 1.75, 1.9, "10 fine-tune\nDP-LoRA on Poisson batches", DP),
    (5.0, 0.25, 1.9, "noisy label counts\ndiscrete Gaussian", DP),
    (7.5, 1.0, 1.9, "11 generate\nprompts of labels alone", DP),
    (10.0, 1.75, 1.9, "synthetic records\nsynthetic.jsonl", PUBLIC),
    (10.0, 0.25, 1.9, "certificate\nepsilon, recomputable", PUBLIC),
]
ARROWS = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (4, 5), (4, 6)]
HEIGHT = 0.8


def main() -> None:
    figure, axes = plt.subplots(figsize=(12, 2.9), layout="constrained")
    for x, y, width, text, colour in BOXES:
        shape = FancyBboxPatch((x, y), width, HEIGHT, boxstyle="round,pad=0.04", color=colour, alpha=0.15)
        axes.add_patch(shape)
        head, body = text.split("\n")
        axes.text(x + width / 2, y + 0.55, head, ha="center", va="center", weight="bold", color=colour, fontsize=11)
        axes.text(x + width / 2, y + 0.22, body, ha="center", va="center", fontsize=8.5)
    for start, end in ARROWS:
        (x1, y1, width, *_), (x2, y2, *_) = BOXES[start], BOXES[end]
        ends = {"xy": (x2 - 0.08, y2 + HEIGHT / 2), "xytext": (x1 + width + 0.08, y1 + HEIGHT / 2)}
        axes.annotate("", **ends, arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 1.5})
    for x, text, colour in (
        (0.0, "private: stays with you", PRIVATE),
        (5.0, "differentially private", DP),
        (10.0, "may be shared", PUBLIC),
    ):
        axes.text(x, 2.85, text, color=colour, fontsize=9)
    axes.set(xlim=(-0.1, 12.0), ylim=(0.1, 3.0))
    axes.axis("off")
    figure.savefig(Path(__file__).with_name("chain.png"), dpi=110)


if __name__ == "__main__":
    main()
