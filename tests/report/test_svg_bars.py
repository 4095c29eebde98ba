"""Bars say in words what they show."""

from lib.report import svg_bars


def test_a_bar_says_in_words_what_it_shows_and_marks_what_lies_outside() -> None:
    inside, outside = svg_bars.position(0.5, 0.4, 0.6), svg_bars.position(3.0, 2.5, 3.5, at_ceiling=True)
    assert "position 0.50, 95% interval 0.40 to 0.60 (0 is the floor, 1 the ceiling)" in inside
    assert "<circle" in inside and "<circle" not in outside
    assert "not distinguishable from the ceiling" in outside
    assert 'class="bad"' in svg_bars.audit(9.0, 2.0, 8.0) and 'class="bad"' not in svg_bars.audit(7.0, 2.0, 8.0)
    assert 'class="dim"' in svg_bars.difference(0.1, -0.1, 0.3, 0.3) and 'class="dot"' in svg_bars.difference(
        0.2, 0.1, 0.3, 0.3
    )
