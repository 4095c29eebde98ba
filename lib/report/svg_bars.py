"""Small SVG pictures inside tables: where a value lies, and how certain it is.

Colours come from CSS classes, so that they follow the page's light and dark style. Every picture says in words what it
shows.
"""

from markupsafe import Markup

WIDTH, HEIGHT, MIDDLE = 112, 18, 9  # pixels


class Scale:
    """Maps numbers to places in a picture; numbers outside it are held at its ends.

    Args:
        low: the number at its left end.
        high: the number at its right end.
    """

    def __init__(self, low: float, high: float):
        self.low, self.high = low, high

    def outside(self, value: float) -> int:
        """-1 left of the picture, 1 right of it, else 0.

        Args:
            value: a number.
        """
        return (value > self.high) - (value < self.low)

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1)
        return round(5 + share * (WIDTH - 10), 1)


def position(value: float, low: float | None, high: float | None, *, at_ceiling: bool = False) -> Markup:
    """A position between floor and ceiling with its interval.

    Args:
        value: 0 at the floor, 1 at the ceiling.
        low: lower end of the interval, None without one.
        high: upper end.
        at_ceiling: whether it cannot be distinguished from the ceiling.
    """
    scale = Scale(-0.25, 1.25)
    label = f"position {value:.2f}" + (f", 95% interval {low:.2f} to {high:.2f}" if None not in (low, high) else "")
    label += " (0 is the floor, 1 the ceiling)" + ("; not distinguishable from the ceiling" if at_ceiling else "")
    shapes = [_line("track", scale(0), scale(1)), _tick("floor", scale(0)), _tick("ceiling", scale(1))]
    return _picture(label, [*shapes, *_dot(scale, value, low, high, "top" if at_ceiling else "dot")])


def difference(value: float, low: float, high: float, reach: float) -> Markup:
    """A gain with its interval beside 0.

    Args:
        value: the gain.
        low: lower end of the interval.
        high: upper end.
        reach: the picture goes from ``-reach`` to ``reach``.
    """
    scale = Scale(-reach, reach)
    label = f"gain {value:.3g}, 95% interval {low:.3g} to {high:.3g}"
    shapes = [_line("track", scale(-reach), scale(reach)), _tick("zero", scale(0))]
    return _picture(label, [*shapes, *_dot(scale, value, low, high, "dot" if low > 0 or high < 0 else "dim")])


def audit(bound: float, ceiling: float | None, claim: float) -> Markup:
    """An epsilon that an attack showed, beside the claim.

    Args:
        bound: what it showed.
        ceiling: what an ideal attack would have shown; None where it is not known.
        claim: the epsilon that is claimed.
    """
    scale = Scale(0, max(claim, bound, ceiling or 0))
    label = f"at least {bound:.3g} was shown, of {claim:.3g} claimed"
    shapes = [
        _line("track", scale(0), scale(scale.high)),
        _line("bad" if bound > claim else "fill", scale(0), scale(bound)),
    ]
    if ceiling is not None:
        label += f"; an ideal attack would show {ceiling:.3g}"
        shapes.append(_tick("zero", scale(ceiling)))
    return _picture(label, [*shapes, _tick("claim", scale(claim))])


def amount(value: float, largest: float, label: str) -> Markup:
    """A bar from 0.

    Args:
        value: its length.
        largest: the longest of the column, which fills the picture.
        label: what it shows, in words.
    """
    scale = Scale(0, largest)
    return _picture(label, [_line("track", scale(0), scale(largest)), _line("fill", scale(0), scale(value))])


def _dot(scale: Scale, value: float, low: float | None, high: float | None, css: str) -> list[Markup]:
    """A dot with its interval; an arrow at the edge for a value outside."""
    whisker = [_line("whisker", scale(low), scale(high))] if low is not None and high is not None else []
    if side := scale.outside(value):
        tip, back = scale(value) + 5 * side, scale(value) - 3 * side
        shape = '<path class="{}" d="M{} {}L{} {}L{} {}z"/>'
        return [*whisker, Markup(shape).format(css, tip, MIDDLE, back, MIDDLE - 5, back, MIDDLE + 5)]
    return [*whisker, Markup('<circle class="{}" cx="{}" cy="{}" r="4"/>').format(css, scale(value), MIDDLE)]


def _line(css: str, start: float, end: float) -> Markup:
    return Markup('<path class="{}" d="M{} {}H{}"/>').format(css, start, MIDDLE, end)


def _tick(css: str, place: float) -> Markup:
    return Markup('<path class="{}" d="M{} 3V{}"/>').format(css, place, HEIGHT - 3)


def _picture(label: str, shapes: list[Markup]) -> Markup:
    frame = Markup('<svg class="bar" role="img" aria-label="{}" viewBox="0 0 {} {}"><title>{}</title>{}</svg>')
    return frame.format(label, WIDTH, HEIGHT, label, Markup("").join(shapes))
