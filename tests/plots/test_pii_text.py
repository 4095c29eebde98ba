"""Pictures of labelled text."""

from lib.plots import pii_text


def test_spans_are_marked_at_their_places_and_nothing_is_read_as_html() -> None:
    html = pii_text.coloured([("<b>Ann & 🙂 Bob</b>", [(3, 6, "FIRSTNAME"), (11, 14, "CITY")]), ("x", [])])
    assert "&lt;b&gt;<mark" in html and ">Ann<sub" in html and "FIRSTNAME" in html and " &amp; 🙂 <mark" in html
    assert "<b>" not in html and html.count("<mark") == 2 and html.count("<p ") == 2


def test_every_class_has_a_bar_and_every_text_a_place() -> None:
    figure = pii_text.class_frequencies({"EMAIL": 5, "CITY": 2, "PIN": 0})
    (panel,) = figure.axes
    assert [bar.get_width() for bar in panel.patches] == [5, 2, 0]
    left, right = pii_text.lengths_and_spans([10, 20, 30], [0, 2, 2]).axes
    assert sum(bar.get_height() for bar in left.patches) == 3 and [bar.get_height() for bar in right.patches] == [
        1,
        0,
        2,
    ]
