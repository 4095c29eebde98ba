"""Pictures of notebook 20_canary_privacy: bounds on epsilon, scores of canaries, and what their repetition does."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from lib.audit.attack import Membership
from lib.audit.finding import Finding
from lib.plots.style import DP, GREY, PRIVATE, axes

REPEATED = "personal"  # the only kind of canary that is repeated


def bounds(findings: Mapping[str, Sequence[Finding]]) -> Figure:
    """Lower bounds on epsilon beside their ceilings and claims; one row an attacked access.

    Args:
        findings: by arm.
    """
    rows = [(arm, finding) for arm, of_arm in findings.items() for finding in of_arm]
    figure, (panel,) = axes(width=9.0, height=0.5 * len(rows) + 1.1)
    places = np.arange(len(rows))[::-1]
    for place, (_, finding) in zip(places, rows, strict=True):
        panel.barh(place, finding.ceiling, color=DP, alpha=0.25, height=0.7)
        panel.plot([finding.claim] * 2, [place - 0.4, place + 0.4], color=PRIVATE, linewidth=2)
        panel.plot(finding.bound.epsilon, place, "o", color="black")
    for label, style in {
        "lower bound found": {"color": "black", "marker": "o", "linestyle": ""},
        "ceiling: an ideal attack": {"color": DP, "alpha": 0.4, "linewidth": 7},
        "claim": {"color": PRIVATE, "linewidth": 2},
    }.items():
        panel.plot([], [], label=label, **style)
    names = [f"{arm}: {finding.access.what}" for arm, finding in rows]
    panel.set(yticks=places, yticklabels=names, xlabel="epsilon")
    panel.set(xlim=(-0.1, None), ylim=(-0.7, len(rows) - 0.3))
    panel.legend(frameon=False, fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.4, 1.0))
    return figure


def by_canaries(panels: Mapping[str, Sequence[Finding]]) -> Figure:
    """Lower bound and ceiling of an access by the number of canaries, beside the claim.

    Args:
        panels: by title, findings of one access with more and more canaries.
    """
    figure, drawn = axes(width=3.6 * len(panels) + 0.6, height=3.0, columns=len(panels))
    for panel, (title, findings) in zip(drawn, panels.items(), strict=True):
        numbers = [finding.canaries for finding in findings]
        panel.plot(numbers, [finding.ceiling for finding in findings], color=DP, label="ceiling: an ideal attack")
        panel.plot(numbers, [finding.bound.epsilon for finding in findings], "o", color="black", label="bound found")
        panel.axhline(findings[-1].claim, color=PRIVATE, linewidth=2, label="claim")
        panel.set(title=title, xscale="log", xlabel="canaries", ylim=(-0.2, None))
        panel.title.set_fontsize(9)
    drawn[0].set(ylabel="epsilon")
    drawn[0].legend(frameon=False, fontsize=8)
    return figure


def in_and_out(panels: Mapping[str, tuple[np.ndarray, np.ndarray, Sequence[float]]]) -> Figure:
    """Histograms of the scores of canaries that were in and of those that were out.

    Scores below the 0.1st or above the 99.9th percentile are drawn at the edges.

    Args:
        panels: by title, the scores of m canaries, whether each was in, both (m,), and thresholds, drawn as lines.
    """
    figure, drawn = axes(width=3.6 * len(panels) + 0.6, height=3.0, columns=len(panels))
    for panel, (title, (scores, included, thresholds)) in zip(drawn, panels.items(), strict=True):
        low, high = np.quantile(scores, [0.001, 0.999])
        bins = np.linspace(low, high if high > low else low + 1, 60)
        for side, label, colour in ((included, "in", PRIVATE), (~included, "out", GREY)):
            values = np.clip(scores[side], bins[0], bins[-1])
            weights = np.full(len(values), 1 / len(values))
            panel.hist(values, bins, weights=weights, histtype="step", linewidth=1.8, color=colour, label=label)
        for threshold in thresholds:
            panel.axvline(threshold, color="black", linestyle=":", linewidth=1)
        panel.set(title=title, xlabel="log likelihood ratio", yscale="log")
        panel.title.set_fontsize(9)
    drawn[0].set(ylabel="share of canaries")
    drawn[0].legend(frameon=False)
    return figure


def by_repetition(rows: Mapping[str, Sequence[Membership]]) -> Figure:
    """AUC of a score by how often a canary was repeated, with 95% intervals.

    Args:
        rows: by arm, the membership figures of one score at each number of copies.
    """
    figure, (panel,) = axes()
    copies = sorted({row.copies for of_arm in rows.values() for row in of_arm})
    colours = cycle((PRIVATE, DP, "black", GREY))
    for number, ((arm, of_arm), colour) in enumerate(zip(rows.items(), colours, strict=False)):
        value, low, high = np.array([row.auc for row in of_arm]).T
        at = np.array([copies.index(row.copies) for row in of_arm]) + 0.06 * number
        panel.errorbar(at, value, yerr=[value - low, high - value], color=colour, marker="o", capsize=4, label=arm)
    panel.axhline(0.5, color=GREY, linestyle="--", linewidth=1)
    panel.set(xticks=range(len(copies)), xticklabels=copies, xlabel="copies of a canary that is in", ylabel="AUC")
    panel.set(ylim=(0, 1.05))
    panel.legend(frameon=False, loc="lower right", fontsize=8)
    return figure


def leaks_by_repetition(rows: Sequence[Mapping[str, object]]) -> Figure:
    """Share of canaries of which a part came back, exactly or nearly, by how often they were repeated.

    One panel an arm, one line a part. Hollow dots are canaries that were left out of the corpus.

    Args:
        rows: fields of `lib.audit.leaks.Leak`, with ``arm`` and ``copies``; those of other kinds are ignored.
    """
    repeated = [row for row in rows if row["kind"] == REPEATED]
    arms, copies = (list(dict.fromkeys(row[key] for row in repeated)) for key in ("arm", "copies"))
    copies.sort()
    figure, panels = axes(width=3.2 * len(arms) + 0.6, height=2.8, columns=len(arms))
    for panel, arm in zip(panels, arms, strict=True):
        for part, colour in zip(("name", "street", "phone", "whole"), (PRIVATE, DP, "black", GREY), strict=True):
            own = [row for row in repeated if row["arm"] == arm and row["part"] == part]
            own.sort(key=lambda row: row["copies"])
            at = [copies.index(row["copies"]) for row in own]
            inside = [row["near"] / max(row["included"], 1) for row in own]
            chance = [row["left_out_near"] / max(row["left_out"], 1) for row in own]
            panel.plot(at, inside, "o-", color=colour, label=part, alpha=0.8)
            panel.plot(at, chance, "o", color=colour, markerfacecolor="none", markersize=9)
        panel.set(title=arm, xticks=range(len(copies)), xticklabels=copies, xlabel="copies", ylim=(-0.05, 1.05))
    panels[0].set(ylabel="share of canaries that came back")
    panels[0].legend(frameon=False, fontsize=8)
    return figure
