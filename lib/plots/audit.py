"""Pictures of an audit: one question each, in the look of `lib.plots.style`."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.audit.attack import Membership
from lib.audit.verdict import Finding
from lib.plots.style import DP, GREY, PRIVATE, axes


def bounds(findings: Mapping[str, Sequence[Finding]]) -> Figure:
    """Each bound on epsilon between 0, the ceiling of an ideal attack, the reach and the claim; one row a finding.

    ``findings`` are by arm. An arm without a claim has no ceiling and no line.
    """
    rows = [(arm, finding) for arm, some in findings.items() for finding in some]
    figure, (panel,) = axes(width=9.0, height=0.42 * len(rows) + 1.1)
    places = np.arange(len(rows))[::-1]
    for place, (_, finding) in zip(places, rows, strict=True):
        if np.isfinite(finding.claim):
            panel.barh(place, finding.ideal_bound, color=DP, alpha=0.25, height=0.7)
            panel.plot([finding.claim] * 2, [place - 0.4, place + 0.4], color=PRIVATE, linewidth=2)
        panel.plot([finding.reach] * 2, [place - 0.25, place + 0.25], color=GREY, linewidth=2)
        panel.plot(finding.bound.epsilon, place, "o", color="black")
    for label, style in {
        "lower bound found": {"color": "black", "marker": "o", "linestyle": ""},
        "what an ideal attack shows": {"color": DP, "alpha": 0.4, "linewidth": 7},
        "reach: every guess right": {"color": GREY, "linewidth": 2},
        "claim": {"color": PRIVATE, "linewidth": 2},
    }.items():
        panel.plot([], [], label=label, **style)
    panel.set(yticks=places, yticklabels=[f"{arm}: {f.score}, {f.estimator}" for arm, f in rows], xlabel="epsilon")
    panel.set(xlim=(-0.1, None), ylim=(-0.7, len(rows) - 0.3))
    panel.legend(frameon=False, fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.4, 1.0))
    return figure


def in_and_out(panels: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Scores of the canaries that were in and of those that were not, one panel an arm.

    A panel is (scores, coins), both (m,). Scores beyond the 1st and the 99th percentile stand at the edges.
    """
    figure, drawn = axes(width=3.4 * len(panels) + 0.6, height=2.8, columns=len(panels))
    for one, (title, (scores, included)) in zip(drawn, panels.items(), strict=True):
        low, high = np.quantile(scores, [0.01, 0.99])
        bins = np.linspace(low, high if high > low else low + 1, 25)
        for side, label, colour in ((included, "in", PRIVATE), (~included, "out", GREY)):
            values = np.clip(scores[side], bins[0], bins[-1])
            weights = np.full(len(values), 1 / len(values))
            one.hist(values, bins, weights=weights, histtype="step", linewidth=1.8, color=colour, label=label)
        one.set(title=title, xlabel="score")
        one.title.set_fontsize(9)
    drawn[0].set(ylabel="share of canaries")
    drawn[0].legend(frameon=False)
    return figure


def by_repetition(rows: Mapping[str, Sequence[Membership]]) -> Figure:
    """AUC of one score against the copies of a canary, one line an arm, with 95% intervals."""
    figure, (panel,) = axes()
    copies = sorted({row.copies for some in rows.values() for row in some})
    for number, ((arm, some), colour) in enumerate(zip(rows.items(), (PRIVATE, DP, "black", GREY) * 9, strict=False)):
        value, low, high = np.array([row.auc for row in some]).T
        at = np.array([copies.index(row.copies) for row in some]) + 0.06 * number
        panel.errorbar(at, value, yerr=[value - low, high - value], color=colour, marker="o", capsize=4, label=arm)
    panel.axhline(0.5, color=GREY, linestyle="--", linewidth=1)
    panel.set(xticks=range(len(copies)), xticklabels=copies, xlabel="copies of a canary that is in", ylabel="AUC")
    panel.set(ylim=(0, 1.05))
    panel.legend(frameon=False, loc="lower right", fontsize=8)
    return figure


def leaks_by_repetition(rows: Sequence[Mapping[str, object]]) -> Figure:
    """Share of canaries of which some part came back, exactly or nearly, against their copies; one panel an arm.

    ``rows`` are those of `lib.audit.leaks.Leak` with ``arm`` and ``copies``. A line a part of the repeated kind; hollow dots
    are canaries that were left out.
    """
    kind = "personal"  # the one kind that is repeated
    mine = [row for row in rows if row["kind"] == kind]
    arms, copies = (list(dict.fromkeys(row[key] for row in mine)) for key in ("arm", "copies"))
    copies.sort()
    figure, panels = axes(width=3.2 * len(arms) + 0.6, height=2.8, columns=len(arms))
    for one, arm in zip(panels, arms, strict=True):
        for part, colour in zip(("name", "street", "phone", "whole"), (PRIVATE, DP, "black", GREY), strict=True):
            some = sorted((row for row in mine if row["arm"] == arm and row["part"] == part), key=lambda r: r["copies"])
            at = [copies.index(row["copies"]) for row in some]
            inside = [row["near"] / max(row["included"], 1) for row in some]
            chance = [row["left_out_near"] / max(row["left_out"], 1) for row in some]
            one.plot(at, inside, "o-", color=colour, label=part, alpha=0.8)
            one.plot(at, chance, "o", color=colour, markerfacecolor="none", markersize=9)
        one.set(title=arm, xticks=range(len(copies)), xticklabels=copies, xlabel="copies", ylim=(-0.05, 1.05))
    panels[0].set(ylabel="share of canaries that came back")
    panels[0].legend(frameon=False, fontsize=8)
    return figure
