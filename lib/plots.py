"""Pictures of the notebooks: one question each, the same look, labels with units."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

PRIVATE, DP, PUBLIC, GREY = "#b3392f", "#1f6f8b", "#3d8b40", "#8a8a8a"  # status, everywhere in these colours
ARMS = ("#a9805a", "#1f6f8b", "#e0932f", "#7a5195", "#d65f9b", "#2f4b7c")  # none is that of a floor or a ceiling


def axes(width: float = 7.0, height: float = 3.0, columns: int = 1) -> tuple[Figure, Sequence[plt.Axes]]:
    """An empty figure in the look of all pictures here, and its panels from left to right; sizes in inches."""
    figure, ((*panels,),) = plt.subplots(1, columns, figsize=(width, height), layout="constrained", squeeze=False)
    for one in panels:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25)
        one.set_axisbelow(True)
    return figure, panels


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """A colour for each arm, in the order of the inputs: the same in every picture of a comparison."""
    return dict(zip(arms, cycle(ARMS), strict=False))


def kept(steps: Sequence) -> Figure:
    """How many records each rule of `lib.processing` let through, in the order of the rules."""
    figure, (panel,) = axes(height=0.36 * len(steps) + 0.8)
    places, total = np.arange(len(steps))[::-1], steps[0].kept + steps[0].dropped
    panel.barh(places, [s.kept for s in steps], color=GREY)
    panel.barh(places, [s.dropped for s in steps], left=[s.kept for s in steps], color=PRIVATE)
    for place, step in zip(places, steps, strict=True):
        text = f"{step.kept:,}" + (f"  (dropped {step.dropped:,})" if step.dropped else "")
        panel.text(total * 1.01, place, text, va="center", fontsize=9)
    panel.set(yticks=places, yticklabels=[s.rule for s in steps], xlim=(0, total * 1.28), xlabel="records")
    return figure


def lengths(groups: Mapping[str, Sequence[int]], unit: str) -> Figure:
    """Distribution of lengths of each group of texts, as shares, so that groups of any size compare."""
    figure, (panel,) = axes()
    longest = max(max(values) for values in groups.values())
    bins = np.linspace(0, longest + 1, min(longest + 2, 32))
    for (name, values), colour in zip(groups.items(), (GREY, DP, PUBLIC, PRIVATE), strict=False):
        share = np.full(len(values), 1 / len(values))
        panel.hist(
            values,
            bins,
            weights=share,
            histtype="step",
            linewidth=1.8,
            color=colour,
            label=f"{name} (n = {len(values):,})",
        )
    panel.set(xlabel=f"length of a record ({unit})", ylabel="share of records")
    panel.legend(frameon=False)
    return figure


def noisy_histogram(names: Sequence[str], noisy: Sequence[int], scale: float | None) -> Figure:
    """Released label counts with the 95% band of their noise; clean counts are never shown."""
    figure, (panel,) = axes(width=max(4.0, min(14.0, 0.9 * len(names) + 2)))
    error = None if scale is None else 1.96 * scale
    panel.bar(range(len(names)), noisy, yerr=error, color=DP if scale else PUBLIC, capsize=4)
    panel.set(ylabel="released count", xticks=range(len(names)))
    panel.set_xticklabels(names, rotation=0 if len(names) <= 6 else 60, ha="center" if len(names) <= 6 else "right")
    return figure


def poisson_toy(batches: Sequence[Sequence[int]], units: int) -> Figure:
    """Which of a few units joined each of a few batches: one column a step, sizes on top."""
    figure, (panel,) = axes(width=1.2 + 0.42 * len(batches), height=0.8 + 0.2 * units)
    for step, batch in enumerate(batches):
        panel.scatter([step] * len(batch), batch, s=55, color=DP)
        panel.text(step, units - 0.2, str(len(batch)), ha="center", fontsize=9)
    panel.set(
        xlabel="step (size of its batch on top)",
        ylabel="unit",
        ylim=(-0.7, units + 0.6),
        xlim=(-0.7, len(batches) - 0.3),
    )
    panel.set(xticks=range(len(batches)), yticks=range(units))
    return figure


def batch_sizes(sizes: Sequence[int], units: int, probability: float) -> Figure:
    """Realised batch sizes on the distribution that the accountant assumes."""
    figure, (panel,) = axes()
    low, high = binom.ppf([0.025, 0.975], units, probability)
    panel.axhspan(low, high, color=DP, alpha=0.15, label="95% of Poisson batches")
    panel.axhline(units * probability, color=DP, linewidth=1, label="expected batch")
    panel.plot(range(1, len(sizes) + 1), sizes, "o", color="black", markersize=4, label="realised")
    panel.set(xlabel="step", ylabel="units in the batch", ylim=(0, None))
    panel.legend(frameon=False, ncols=3, loc="lower right")
    return figure


def spent(steps: Sequence[int], epsilons: Sequence[float], target: float) -> Figure:
    """Epsilon of the whole ledger after so many steps, against the target."""
    figure, (panel,) = axes()
    panel.plot(steps, epsilons, "o-", color=DP)
    panel.axhline(target, color=PRIVATE, linewidth=1, linestyle="--", label=f"target {target:g}")
    panel.set(xlabel="training steps", ylabel="epsilon spent", ylim=(0, None))
    panel.legend(frameon=False)
    return figure


def loss_curve(steps: Sequence[int], value: Sequence[float], low: Sequence[float], high: Sequence[float]) -> Figure:
    """Held-out loss at each checkpoint, with its 95% interval."""
    figure, (panel,) = axes()
    value, low, high = map(np.array, (value, low, high))
    panel.errorbar(steps, value, yerr=[value - low, high - value], color=DP, marker="o", capsize=4)
    panel.set(xlabel="training steps", ylabel="held-out loss\n(nats a token)")
    return figure


def rejections(counts: Mapping[str, int]) -> Figure:
    """What became of every completion: kept, or why it was drawn again."""
    figure, (panel,) = axes(height=0.4 * len(counts) + 0.8)
    names, places = list(counts), np.arange(len(counts))[::-1]
    panel.barh(places, list(counts.values()), color=[DP if name == "kept" else GREY for name in names])
    for place, value in zip(places, counts.values(), strict=True):
        panel.text(value, place, f" {value:,}", va="center", fontsize=9)
    panel.set(yticks=places, yticklabels=names, xlabel="completions")
    return figure


def toy_election(
    points: np.ndarray, voted_for: np.ndarray, votes: np.ndarray, noisy: np.ndarray, chosen: np.ndarray
) -> Figure:
    """Who votes for whom, in two dimensions, and the counts beside their noisy release."""
    figure, (where, counts) = axes(width=10.0, height=3.8, columns=2)
    voters, candidates = points[: len(voted_for)], points[len(voted_for) :]
    for voter, candidate in zip(voters, voted_for, strict=True):
        where.plot(*zip(voter, candidates[candidate], strict=True), color=PRIVATE, linewidth=0.8, alpha=0.6)
    where.scatter(*voters.T, color=PRIVATE, s=28, label="twelve sentences", zorder=3)
    where.scatter(*candidates.T, color=DP, s=80, marker="s", label="candidates", zorder=4)
    for number, place in enumerate(candidates):
        where.annotate(f"{number}", place, color="white", ha="center", va="center", fontsize=8, zorder=5)
    where.set(xlabel="first principal axis", ylabel="second principal axis")
    where.legend(frameon=False)
    numbers = np.arange(len(votes))
    counts.bar(numbers - 0.2, votes, 0.4, color=PRIVATE, label="votes (in a real run: never shown)")
    counts.bar(numbers + 0.2, noisy, 0.4, color=DP, label="votes with noise")
    names = [f"{n}\nselected" if n in chosen else f"{n}" for n in numbers]
    counts.set(xticks=numbers, xticklabels=names, xlabel="candidate", ylabel="votes")
    counts.axhline(0, color="black", linewidth=0.8)
    counts.set_ylim(top=1.35 * max(*votes, *noisy))  # room for the legend
    counts.legend(frameon=False)
    return figure


def ranked_votes(noisy: Sequence[np.ndarray], sigma: float) -> Figure:
    """Noisy votes by rank in each iteration, and the share of all votes that the first ranks hold.

    ``sigma`` is the standard deviation of the noise in votes; the band is where 95% of candidates without a vote lie.
    """
    figure, (ranks, shares) = axes(width=10.0, height=3.4, columns=2)
    longest = max(map(len, noisy))
    ranks.axhspan(-1.96 * sigma, 1.96 * sigma, color=GREY, alpha=0.25, label="95% of noise alone")
    colours = plt.get_cmap("viridis")(np.linspace(0.1, 0.85, len(noisy)))
    for number, (votes, colour) in enumerate(zip(noisy, colours, strict=True)):
        ranked = np.sort(votes)[::-1]
        ranks.plot(np.arange(1, len(ranked) + 1), ranked, color=colour, label=f"vote {number + 1}")
        shares.plot(np.arange(1, len(ranked) + 1), np.cumsum(ranked) / ranked.sum(), color=colour)
    ranks.set(xlabel="candidate, by its noisy votes", ylabel="noisy votes", xscale="log", xlim=(1, longest))
    ranks.legend(frameon=False, fontsize=8)
    shares.set(xlabel="candidates counted, the most voted first", ylabel="share of all noisy votes", xlim=(0, longest))
    return figure


Interval = tuple[float, float, float]  # value, low, high


def distances(names: Sequence[str], panels: Mapping[str, tuple[Sequence[Interval], Interval]]) -> Figure:
    """Distance to the real records by iteration, one panel an encoder, beside that of held-out real records."""
    figure, drawn = axes(width=10.0, height=3.4, columns=len(panels))
    for one, (title, (points, held_out)) in zip(drawn, panels.items(), strict=True):
        value, low, high = map(np.array, zip(*points, strict=True))
        one.axhspan(*held_out[1:], color=GREY, alpha=0.3, label="held-out real records")
        one.errorbar(range(len(names)), value, yerr=[value - low, high - value], color=PRIVATE, marker="o", capsize=4)
        one.set(title=title, xticks=range(len(names)), ylabel="Frechet distance to real records", ylim=(0, None))
        one.set_xticklabels(names, rotation=30, ha="right")
        one.legend(frameon=False)
    return figure
