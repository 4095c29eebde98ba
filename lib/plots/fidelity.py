"""Pictures of notebook 21_fidelity: where real and synthetic records lie; which words are too frequent or too rare."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import DP, GREY, PUBLIC, arm_colours

REAL = "black"
NAMED = 5  # words that are written on either side of the diagonal
TOO_OFTEN, TOO_SELDOM = "too often:", "too seldom:"


def _grid(count: int, *, width: float, height: float, columns: int = 3) -> tuple[Figure, list[plt.Axes]]:
    """An empty figure of ``count`` panels of ``width`` x ``height`` inches, row by row."""
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (width * columns, height * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for panel in panels.flat[count:]:
        panel.set_axis_off()
    for panel in panels.flat[:count]:
        panel.spines[["top", "right"]].set_visible(False)
    return figure, list(panels.flat[:count])


def _colours(names: Sequence[str], ceiling: str) -> dict[str, str]:
    return arm_colours([name for name in names if name != ceiling]) | {ceiling: PUBLIC}


def toy(real: np.ndarray, radii: np.ndarray, synthetic: np.ndarray) -> Figure:
    """Points in the plane, with the neighbourhoods that precision and recall count in.

    Args:
        real: real points, (n, 2).
        radii: distance of each real point to its nearest neighbour, (n,); drawn as a circle around it.
        synthetic: synthetic points, (m, 2).
    """
    figure, (panel,) = _grid(1, width=6.4, height=3.0)
    for (x, y), radius in zip(real, radii, strict=True):
        panel.add_patch(plt.Circle((x, y), radius, color=GREY, alpha=0.22, linewidth=0))
    panel.scatter(*real.T, color=REAL, s=26, label=f"{len(real)} real", zorder=3)
    panel.scatter(*synthetic.T, color=DP, marker="s", s=34, label=f"{len(synthetic)} synthetic", zorder=3)
    panel.set(aspect="equal", xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
    panel.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def joint_map(places: Mapping[str, np.ndarray], *, reference: str, ceiling: str) -> Figure:
    """A map of embeddings: one panel a set, its records over those of the reference in grey.

    Args:
        places: places of the records of each set in the plane, (n, 2).
        reference: name of the set that is in every panel.
        ceiling: name of the set that is the ceiling.
    """
    names = [name for name in places if name != reference]
    figure, panels = _grid(len(names), width=3.2, height=3.0)
    for (name, colour), panel in zip(_colours(names, ceiling).items(), panels, strict=True):
        panel.scatter(*places[reference].T, color="#c9c9c9", s=9, linewidth=0)
        panel.scatter(*places[name].T, color=colour, s=9, linewidth=0, alpha=0.8)
        panel.set_title(name, fontsize=10)
        panel.set(xticks=[], yticks=[])
        panel.spines[["left", "bottom"]].set_visible(False)
    return figure


def lengths(panels: Mapping[str, Mapping[str, np.ndarray]], *, reference: str, ceiling: str) -> Figure:
    """Cumulative distributions of lengths, one line a set; W1 is the area between a line and that of the reference.

    The axis leaves out the longest 1%, and ends at three times the longest of the reference at most.

    Args:
        panels: by title (``record``, ``sentence``), the lengths in words of each set.
        reference: name of the set that all are compared with.
        ceiling: name of the set that is the ceiling.
    """
    figure, axes = _grid(len(panels), width=5.0, height=3.3)
    for (title, groups), panel in zip(panels.items(), axes, strict=True):
        palette = {reference: REAL} | _colours([name for name in groups if name != reference], ceiling)
        for name, colour in palette.items():
            width = 2.4 if name == reference else 1.5
            if len(groups[name]):
                order = 3 if name == reference else 2
                panel.ecdf(groups[name], color=colour, linewidth=width, label=name, zorder=order)
            else:
                panel.plot([], [], color=colour, label=f"{name} (none)")
        longest = max(np.quantile(values, 0.99) for values in groups.values() if len(values))
        most = min(longest, 3 * groups[reference].max())
        panel.set(xlim=(0, most + 1), xlabel=f"words in a {title}", ylabel=f"share of {title}s as short")
        panel.grid(alpha=0.25)
    axes[-1].legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def words(shares: Mapping[str, np.ndarray], named: Mapping[int, str], *, reference: str, ceiling: str) -> Figure:
    """Frequencies of words, one panel a set: in real text on the horizontal axis, in the set on the vertical one.

    Args:
        shares: by set, the share of each word among its words, (words,), the same words for every set. A word that a
            set never uses stands on the edge.
        named: public words, by their position in ``shares``. Of these, the ones that add most to the divergence are
            written, `NAMED` on either side of the diagonal.
        reference: name of the set of real records.
        ceiling: name of the set that is the ceiling.
    """
    names = [name for name in shares if name != reference]
    figure, panels = _grid(len(names), width=3.5, height=3.3)
    edge = min(share[share > 0].min() for share in shares.values() if share.any()) / 2
    top = 5 * max(share.max() for share in shares.values())
    across = np.maximum(shares[reference], edge)
    for (name, colour), panel in zip(_colours(names, ceiling).items(), panels, strict=True):
        up = np.maximum(shares[name], edge)
        panel.plot([edge, top], [edge, top], color=REAL, linewidth=0.8)
        panel.scatter(across, up, color=colour, s=8, alpha=0.45, linewidth=0)
        for side, corner in ((1, {"x": 0.03, "y": 0.97, "va": "top"}), (-1, {"x": 0.98, "y": 0.06, "ha": "right"})):
            worst = _most_apart(shares[reference], shares[name], named, side)
            panel.scatter(across[worst], up[worst], color=colour, s=22, edgecolor=REAL, linewidth=0.7)
            lines = [TOO_OFTEN if side > 0 else TOO_SELDOM, *(named[i] for i in worst)] if worst else []
            panel.text(s="\n".join(lines), transform=panel.transAxes, fontsize=8, **corner)
        panel.set(xscale="log", yscale="log", xlim=(edge / 1.5, top), ylim=(edge / 1.5, top))
        panel.set_title(name, fontsize=10)
        panel.grid(alpha=0.25)
        panel.set(xlabel="share of real words", ylabel="share of its words")
    return figure


def _most_apart(real: np.ndarray, other: np.ndarray, named: Mapping[int, str], side: int) -> list[int]:
    """Positions of at most `NAMED` words that a set uses too often (``side`` 1) or too seldom (-1), the worst first.

    The worst add most to the Jensen-Shannon divergence.
    """
    words = np.array([i for i in named if np.sign(other[i] - real[i]) == side], int)
    middle = (real[words] + other[words]) / 2
    terms = (share * np.log2(np.where(share > 0, share / middle, 1)) for share in (real[words], other[words]))
    return words[np.argsort(-sum(terms), kind="stable")[:NAMED]].tolist()


def gaps(counts: np.ndarray, sizes: np.ndarray, names: Sequence[str], columns: Sequence[str], most: int = 24) -> Figure:
    """How many real records of each cluster each set covers; none is in bold.

    Args:
        counts: covered real records, (clusters, sets).
        sizes: real records of each cluster, (clusters,).
        names: a name of each cluster, public words.
        columns: names of the sets.
        most: clusters that are drawn, the first ones.
    """
    counts, sizes, names = counts[:most], sizes[:most], names[:most]
    figure, (panel,) = _grid(1, width=3.2 + 1.0 * len(columns), height=0.27 * len(names) + 0.7)
    panel.imshow(counts / sizes[:, None], cmap="RdYlGn", vmin=0, vmax=1, aspect="auto", alpha=0.75)
    for (row, column), count in np.ndenumerate(counts):
        weight = "bold" if count == 0 else "normal"
        panel.text(column, row, f"{count} of {sizes[row]}", ha="center", va="center", fontsize=8, weight=weight)
    panel.set(xticks=range(len(columns)), yticks=range(len(names)))
    panel.set_yticklabels(names, fontsize=8)
    panel.set_xticklabels(columns, fontsize=9)
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    return figure


def labels(
    shares: Mapping[str, Mapping[str, np.ndarray]], values: Mapping[str, Sequence[str]], *, reference: str, ceiling: str
) -> Figure:
    """Shares of each label's values, one panel a label, one bar a set.

    Args:
        shares: by label and set, the share of each value, (values,).
        values: the values of each label.
        reference: name of the set that all are compared with.
        ceiling: name of the set that is the ceiling.
    """
    figure, panels = _grid(len(shares), width=6.2, height=3.0, columns=2)
    for (label, sides), panel in zip(shares.items(), panels, strict=True):
        palette = {reference: REAL} | _colours([name for name in sides if name != reference], ceiling)
        width = 0.8 / len(palette)
        for number, (name, colour) in enumerate(palette.items()):
            at = np.arange(len(values[label])) + (number - (len(palette) - 1) / 2) * width
            panel.bar(at, sides[name], width * 0.9, color=colour, label=name)
        panel.set(xticks=range(len(values[label])), ylabel="share of records", title=label)
        panel.set_xticklabels(values[label], rotation=0 if len(values[label]) < 6 else 40)
        panel.grid(alpha=0.25, axis="y")
    panels[-1].legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return figure
