"""The frontier: a method has the colour of its entry."""

import pytest
from matplotlib.colors import to_hex

from lib.methods import registry
from lib.plots import frontier, style
from lib.scorecard.frontier import Point


def point(method: str, epsilon: float | None) -> Point:
    return Point(
        run="quick", arm="arm", method=method, recipe=method, epsilon=epsilon, seconds=1.0, tokens=2,
        group="fidelity", task="embeddings", metric="mauve", position=0.5, low=0.4, high=0.6,
    )  # fmt: skip


@pytest.mark.parametrize("method", registry.METHODS, ids=lambda method: method.title)
def test_a_method_has_the_colour_of_its_entry_and_is_hollow_without_privacy(method: registry.Method):
    title = method.title_without_privacy or method.title
    figure = frontier.frontier([point(method.title, 1.0), point(title, None)], "epsilon")
    dots = [line for line in figure.axes[0].lines if line.get_marker() == frontier.MARKERS[0]]
    assert {to_hex(line.get_color()) for line in dots} == {method.colour}
    assert [to_hex(line.get_markerfacecolor()) for line in dots] == [method.colour, "#ffffff"]


def test_a_method_without_an_entry_is_grey():
    figure = frontier.frontier([point("of an older version", 1.0)], "epsilon")
    (dot,) = [line for line in figure.axes[0].lines if line.get_marker() == frontier.MARKERS[0]]
    assert dot.get_color() == style.GREY
