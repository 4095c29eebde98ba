"""Shapes: what a decoded JSON value that somebody else wrote must look like.

A shape is a function of a value and of where it stands; it yields a sentence for each thing that is wrong with it, and
never quotes the value.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping

Shape = Callable[[object, str], Iterator[str]]

MOST = 2**53  # beyond, a float no longer counts
HASH, COMMIT = "[0-9a-f]{64}", "[0-9a-f]{40}"
NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}"  # of runs and stages, as `lib.stage.stage.NAME`
SENTENCE = r"(?!.*[wW]{3}\.)[\w ,.;:()'=+-]{1,300}"  # neither markup nor an address
LINES = r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"


def integer(low: int, high: int = MOST) -> Shape:
    """An ``int``, and no bool, from ``low`` to ``high``."""

    def check(value: object, at: str) -> Iterator[str]:
        if type(value) is not int or not low <= value <= high:
            yield f"{at}: must be an integer in [{low}, {high:,}]"

    return check


def number(*, above: float = -math.inf, least: float = -math.inf, most: float = 1e300) -> Shape:
    """An ``int`` or a ``float``, and no bool, over ``above`` and in [``least``, ``most``]; NaN is neither."""

    def check(value: object, at: str) -> Iterator[str]:
        if type(value) not in (int, float) or not (above < value and least <= value <= most):
            yield f"{at}: must be a number above {above:g} in [{least:g}, {most:g}]"

    return check


def text(pattern: str, limit: int = 4000) -> Shape:
    """A string of at most ``limit`` characters that fits the whole ``pattern``."""
    fits = re.compile(pattern)

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, str) or len(value) > limit or not fits.fullmatch(value):
            yield f"{at}: must be text that fits {pattern}"

    return check


def one_of(*allowed: object) -> Shape:
    """One of the ``allowed`` values, and of the same type."""

    def check(value: object, at: str) -> Iterator[str]:
        if not any(type(value) is type(other) and value == other for other in allowed):
            yield f"{at}: must be one of {', '.join(map(str, allowed))}"

    return check


def optional(shape: Shape) -> Shape:
    """None, or what ``shape`` takes."""

    def check(value: object, at: str) -> Iterator[str]:
        if value is not None:
            yield from shape(value, at)

    return check


def items(shape: Shape, most: int) -> Shape:
    """A list of at most ``most`` values, each as ``shape`` takes it."""

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, list) or len(value) > most:
            yield f"{at}: must be a list of at most {most:,}"
            return
        for i, item in enumerate(value):
            yield from shape(item, f"{at}[{i}]")

    return check


def entries(key: str, shape: Shape, most: int) -> Shape:
    """An object of at most ``most`` entries: keys that fit the pattern ``key``, values as ``shape`` takes them."""
    fits = re.compile(key)

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, Mapping) or len(value) > most:
            yield f"{at}: must be an object of at most {most:,} entries"
            return
        for name, item in value.items():
            if not isinstance(name, str) or not fits.fullmatch(name):
                yield f"{at}: every key must fit {key}"
            else:
                yield from shape(item, f"{at}.{name}")

    return check


def fields(**shapes: Shape) -> Shape:
    """An object with exactly these keys."""

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, Mapping) or value.keys() != shapes.keys():
            yield f"{at}: must be an object with the keys {', '.join(shapes)}"
            return
        for name, shape in shapes.items():
            yield from shape(value[name], f"{at}.{name}" if at else name)

    return check


def data(depth: int = 4, most: int = 10_000) -> Shape:
    """Any JSON value whose texts have no unseen characters, nested ``depth`` deep with ``most`` values a level."""

    def check(value: object, at: str) -> Iterator[str]:
        if isinstance(value, list | Mapping) and depth:
            shape = data(depth - 1, most)
            yield from (items(shape, most) if isinstance(value, list) else entries(LINES, shape, most))(value, at)
        elif isinstance(value, str):
            yield from text(LINES, 20_000)(value, at)
        elif not isinstance(value, bool | None):
            yield from number()(value, at)

    return check
