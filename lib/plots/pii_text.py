"""Pictures of labelled text: its spans in colour, how frequent the classes are, lengths and spans a text."""

import html
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import GREY, PUBLIC, axes

_TINTS = ("#cfe3ea", "#d8ead0", "#f3dfc1", "#e2d3ea", "#f1cfcb", "#d9d9d9")


def tint(label: str) -> str:
    """The colour of a class, ``#rrggbb``; a few classes share it."""
    return _TINTS[sum(map(ord, label)) % len(_TINTS)]


def coloured(texts: Iterable[tuple[str, Sequence[tuple[int, int, str]]]]) -> str:
    """Texts as HTML with their spans in colour, each with its class behind it.

    Args:
        texts: a text and its spans (start, end, label), in code points, disjoint and in order.
    """
    blocks = []
    for text, spans in texts:
        done, pieces = 0, []
        for start, end, label in spans:
            style = f"background: {tint(label)}; padding: 0 2px; border-radius: 3px"
            behind = f'<sub style="opacity: .7"> {html.escape(label)}</sub>'
            value = f'<mark style="{style}">{html.escape(text[start:end])}{behind}</mark>'
            pieces += [html.escape(text[done:start]), value]
            done = end
        pieces.append(html.escape(text[done:]))
        blocks.append(f'<p style="white-space: pre-wrap; text-align: left">{"".join(pieces)}</p>')
    return "<hr>".join(blocks)


def class_frequencies(counts: Mapping[str, int]) -> Figure:
    """How many spans each class has, as bars on a logarithmic scale, the most frequent on top.

    Args:
        counts: spans by class.
    """
    figure, (panel,) = axes(height=0.17 * len(counts) + 0.8)
    names, places = list(counts), np.arange(len(counts))[::-1]
    panel.barh(places, list(counts.values()), color=PUBLIC)
    panel.set(yticks=places, xlabel="spans", ylim=(-0.7, len(counts) - 0.3), xscale="log", xlim=(0.8, None))
    panel.set_yticklabels(names, fontsize=6)
    return figure


def lengths_and_spans(characters: Sequence[int], spans: Sequence[int]) -> Figure:
    """Left: how long the texts are. Right: how many spans they have.

    Args:
        characters: of each text.
        spans: of each text.
    """
    figure, (left, right) = axes(columns=2, height=2.6)
    left.hist(characters, bins=40, color=GREY)
    left.set(xlabel="length of a text (characters)", ylabel="texts")
    right.hist(spans, bins=np.arange(max(spans) + 2) - 0.5, color=PUBLIC)
    right.set(xlabel="spans of a text")
    return figure
