"""Pictures of private evolution: a toy election, the noisy votes, the distance to real records by iteration."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import DP, GREY, PRIVATE, axes

Interval = tuple[float, float, float]  # value, low, high


def toy_election(
    points: np.ndarray, voted_for: np.ndarray, votes: np.ndarray, noisy: np.ndarray, chosen: np.ndarray
) -> Figure:
    """A vote on toy data: who votes for whom, and the counts beside their noisy release.

    Args:
        points: the voters, then the candidates, (voters + candidates, 2).
        voted_for: the candidate of each voter, (voters,).
        votes: clean counts, (candidates,); of toy data, so they may be shown.
        noisy: counts with noise, (candidates,).
        chosen: numbers of the selected candidates.
    """
    figure, (plane, counts) = axes(width=10.0, height=3.8, columns=2)
    voters, candidates = points[: len(voted_for)], points[len(voted_for) :]
    for voter, candidate in zip(voters, voted_for, strict=True):
        plane.plot(*zip(voter, candidates[candidate], strict=True), color=PRIVATE, linewidth=0.8, alpha=0.6)
    plane.scatter(*voters.T, color=PRIVATE, s=28, label="twelve sentences", zorder=3)
    plane.scatter(*candidates.T, color=DP, s=80, marker="s", label="candidates", zorder=4)
    for number, place in enumerate(candidates):
        plane.annotate(f"{number}", place, color="white", ha="center", va="center", fontsize=8, zorder=5)
    plane.set(xlabel="first principal axis", ylabel="second principal axis")
    plane.legend(frameon=False)
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

    Args:
        noisy: noisy votes of the candidates in each iteration.
        sigma: standard deviation of the noise, in votes. A band shows where 95% of candidates without a vote lie.
    """
    figure, (ranks, shares) = axes(width=10.0, height=3.4, columns=2)
    longest = max(map(len, noisy))
    ranks.axhspan(-1.96 * sigma, 1.96 * sigma, color=GREY, alpha=0.25, label="95% of noise alone")
    colours = plt.get_cmap("viridis")(np.linspace(0.1, 0.85, len(noisy)))
    for number, (votes, colour) in enumerate(zip(noisy, colours, strict=True)):
        ranked = np.sort(votes)[::-1]
        ranks.plot(np.arange(1, len(ranked) + 1), ranked, color=colour, label=f"vote {number + 1}")
        if ranked.sum() > 0:  # else the noise is larger than all votes together, and there are no shares
            shares.plot(np.arange(1, len(ranked) + 1), np.cumsum(ranked) / ranked.sum(), color=colour)
    ranks.set(xlabel="candidate, by its noisy votes", ylabel="noisy votes", xscale="log", xlim=(1, max(longest, 2)))
    ranks.legend(frameon=False, fontsize=8)
    shares.set(xlabel="candidates counted, the most voted first", ylabel="share of all noisy votes", xlim=(0, longest))
    return figure


def distances(names: Sequence[str], panels: Mapping[str, tuple[Sequence[Interval], Interval]]) -> Figure:
    """Fréchet distance to real records by iteration, one panel an encoder, with 95% intervals.

    Args:
        names: of the iterations.
        panels: by encoder, the distance at each iteration and that of held-out real records.
    """
    figure, drawn = axes(width=10.0, height=3.4, columns=len(panels))
    for panel, (title, (points, held_out)) in zip(drawn, panels.items(), strict=True):
        value, low, high = map(np.array, zip(*points, strict=True))
        panel.axhspan(*held_out[1:], color=GREY, alpha=0.3, label="held-out real records")
        panel.errorbar(range(len(names)), value, yerr=[value - low, high - value], color=PRIVATE, marker="o", capsize=4)
        panel.set(title=title, xticks=range(len(names)), ylabel="Frechet distance to real records", ylim=(0, None))
        panel.set_xticklabels(names, rotation=30, ha="right")
        panel.legend(frameon=False)
    return figure
