"""Pictures of a training: the sampler, the epsilon spent after each step, the loss."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

from lib.plots.style import DP, PRIVATE, axes


def poisson_toy(batches: Sequence[Sequence[int]], units: int) -> Figure:
    """Which units are in each batch: one column a step, with the size of its batch on top.

    Args:
        batches: numbers of the units in each batch, 0 to ``units`` - 1.
        units: number of units, a few.
    """
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
    """Realised batch sizes beside the distribution that the accountant assumes, binomial.

    Args:
        sizes: units in the batch of each step.
        units: number of units.
        probability: with which a unit joins a batch.
    """
    figure, (panel,) = axes()
    low, high = binom.ppf([0.025, 0.975], units, probability)
    panel.axhspan(low, high, color=DP, alpha=0.15, label="95% of Poisson batches")
    panel.axhline(units * probability, color=DP, linewidth=1, label="expected batch")
    panel.plot(range(1, len(sizes) + 1), sizes, "o", color="black", markersize=4, label="realised")
    panel.set(xlabel="step", ylabel="units in the batch", ylim=(0, None))
    panel.legend(frameon=False, ncols=3, loc="lower right")
    return figure


def spent(steps: Sequence[int], epsilons: Sequence[float], target: float) -> Figure:
    """Epsilon of the whole ledger as training goes on.

    Args:
        steps: numbers of steps.
        epsilons: epsilon after each of them.
        target: the target epsilon, drawn as a line.
    """
    figure, (panel,) = axes()
    panel.plot(steps, epsilons, "o-", color=DP)
    panel.axhline(target, color=PRIVATE, linewidth=1, linestyle="--", label=f"target {target:g}")
    panel.set(xlabel="training steps", ylabel="epsilon spent", ylim=(0, None))
    panel.legend(frameon=False)
    return figure


def loss_curve(steps: Sequence[int], value: Sequence[float], low: Sequence[float], high: Sequence[float]) -> Figure:
    """Held-out loss at each checkpoint, with its 95% interval.

    Args:
        steps: steps at each checkpoint.
        value: loss in nats a token.
        low: lower ends of the intervals.
        high: upper ends of the intervals.
    """
    figure, (panel,) = axes()
    value, low, high = map(np.array, (value, low, high))
    panel.errorbar(steps, value, yerr=[value - low, high - value], color=DP, marker="o", capsize=4)
    panel.set(xlabel="training steps", ylabel="held-out loss\n(nats a token)")
    return figure
