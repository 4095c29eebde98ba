"""Each item follows from seed, stream and position alone, so a run that is taken up draws what it would have drawn."""

from collections.abc import Sequence

import numpy as np

from lib.methods.private_evolution.drawn import Drawn


def numbers(count: int, seed: int = 1, stream: Sequence[int] = (0,)) -> list[float]:
    def make(position: int, rng: np.random.Generator) -> float:
        return position + rng.random()

    drawn = Drawn(seed)._each(make, count, stream, lambda done: None)
    assert (drawn.requested, drawn.rejected.total()) == (count, 0)
    return list(drawn.items.values())


def test_an_item_is_the_same_however_many_are_drawn_and_its_generator_is_its_own() -> None:
    five = numbers(5)
    assert [int(number) for number in five] == list(range(5)) and numbers(3) == five[:3]
    assert len({number % 1 for number in five}) == 5
    for other in (numbers(5, seed=2), numbers(5, stream=(1,)), numbers(5, stream=(0, 1))):
        assert not set(other) & set(five)


def test_each_item_is_reported_once() -> None:
    done: list[int] = []
    Drawn(0)._each(lambda position, rng: position, 4, (0,), done.append)
    assert done == [1] * 4
