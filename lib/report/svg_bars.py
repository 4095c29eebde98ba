"""Small pictures inside tables, as SVG: where a value lies, and how sure that is.

Colours come from classes, so that they follow the page into the dark. Every picture says in words what it shows.
"""

from markupsafe import Markup

WIDTH, HEIGHT, MIDDLE = 112, 18, 9  # pixels


class Scale:
    """Places of numbers in a picture whose ends are ``low`` and ``high``; what lies outside is held at an end."""

    def __init__(self, low: float, high: float):
        self.low, self.high = low, high

    def outside(self, value: float) -> int:
        """-1 left of the picture, 1 right of it, else 0."""
        return (value > self.high) - (value < self.low)

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1)
        return round(5 + share * (WIDTH - 10), 1)


def position(value: float, low: float | None, high: float | None, *, at_ceiling: bool = False) -> Markup:
    """A position between floor (0) and ceiling (1) with its interval."""
    scale = Scale(-0.25, 1.25)
    said = f"position {value:.2f}" + (f", 95% interval {low:.2f} to {high:.2f}" if None not in (low, high) else "")
    said += " (0 is the floor, 1 the ceiling)" + ("; not told from the ceiling" if at_ceiling else "")
    parts = [_line("track", scale(0), scale(1)), _tick("floor", scale(0)), _tick("ceiling", scale(1))]
    return _picture(said, [*parts, *_dot(scale, value, low, high, "top" if at_ceiling else "dot")])


def difference(value: float, low: float, high: float, reach: float) -> Markup:
    """A gain with its interval beside 0; the picture reaches from ``-reach`` to ``reach``."""
    scale = Scale(-reach, reach)
    said = f"gain {value:.3g}, 95% interval {low:.3g} to {high:.3g}"
    kind = "dot" if low > 0 or high < 0 else "dim"
    return _picture(
        said,
        [_line("track", scale(-reach), scale(reach)), _tick("zero", scale(0)), *_dot(scale, value, low, high, kind)],
    )


def audit(bound: float, ceiling: float | None, claim: float) -> Markup:
    """What an attack proved of an epsilon, what an ideal one would have, and what is claimed."""
    scale = Scale(0, max(claim, bound, ceiling or 0))
    said = f"at least {bound:.3g} was shown, of {claim:.3g} claimed"
    parts = [
        _line("track", scale(0), scale(scale.high)),
        _line("bad" if bound > claim else "fill", scale(0), scale(bound)),
    ]
    if ceiling is not None:
        said += f"; an ideal attack would show {ceiling:.3g}"
        parts.append(_tick("zero", scale(ceiling)))
    return _picture(said, [*parts, _tick("claim", scale(claim))])


def amount(value: float, most: float, said: str) -> Markup:
    """A length from 0, beside the longest of its column."""
    scale = Scale(0, most)
    return _picture(said, [_line("track", scale(0), scale(most)), _line("fill", scale(0), scale(value))])


def _dot(scale: Scale, value: float, low: float | None, high: float | None, kind: str) -> list[Markup]:
    parts = [_line("whisker", scale(low), scale(high))] if low is not None and high is not None else []
    if side := scale.outside(value):
        tip, back = scale(value) + 5 * side, scale(value) - 3 * side
        shape = '<path class="{}" d="M{} {}L{} {}L{} {}z"/>'
        return [*parts, Markup(shape).format(kind, tip, MIDDLE, back, MIDDLE - 5, back, MIDDLE + 5)]
    return [*parts, Markup('<circle class="{}" cx="{}" cy="{}" r="4"/>').format(kind, scale(value), MIDDLE)]


def _line(kind: str, start: float, end: float) -> Markup:
    return Markup('<path class="{}" d="M{} {}H{}"/>').format(kind, start, MIDDLE, end)


def _tick(kind: str, place: float) -> Markup:
    return Markup('<path class="{}" d="M{} 3V{}"/>').format(kind, place, HEIGHT - 3)


def _picture(said: str, parts: list[Markup]) -> Markup:
    frame = Markup('<svg class="bar" role="img" aria-label="{}" viewBox="0 0 {} {}"><title>{}</title>{}</svg>')
    return frame.format(said, WIDTH, HEIGHT, said, Markup("").join(parts))
