"""Which candidates a variation's prompt shows: wanted ones, which change from prompt to prompt, and unwanted ones.

A model that always sees the same examples repeats them, so the shown texts rotate. Beside those that were selected, a
prompt can show some that hardly anybody voted for, as what is not wanted: contrastive prompts (WASP, Zou et al. 2025).
All of it is made of candidates and of their noisy votes, so it is post-processing, and costs no privacy.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from lib.generation.prompt_parts import Shown


def rotated(
    texts: Sequence[str],
    cells: np.ndarray,
    noisy_votes: np.ndarray,
    chosen: np.ndarray,
    parents: Sequence[int],
    *,
    good: int,
    bad: int,
    rng: np.random.Generator,
) -> list[Shown]:
    """The texts that the prompt of each variation shows, all of its parent's cell.

    Wanted texts are the selected ones. Unwanted ones are as many of the others, those with the fewest noisy votes. Both
    lists are shuffled once; each prompt takes the next few, and begins again when all were shown. So every text is
    shown as often as any other, and no prompt shows its own parent, or a text twice.

    Args:
        texts: of the candidates that were voted on, shape (candidates,).
        cells: number of each one's cell, shape (candidates,).
        noisy_votes: of each, shape (candidates,).
        chosen: indices of the selected ones, shape (selected,); can hold an index several times.
        parents: index of the candidate that each variation is made from, shape (variations,).
        good: wanted texts that a prompt shows, at least 0; fewer where the cell has no more.
        bad: unwanted texts that a prompt shows, at least 0; as ``good``.
        rng: shuffles.

    Returns:
        What to show for each variation, shape (variations,).
    """
    wanted, unwanted = {}, {}
    for cell in np.unique(cells):
        (members,) = np.nonzero(cells == cell)
        selected = np.intersect1d(members, chosen)
        others = np.setdiff1d(members, chosen)
        fewest = others[np.argsort(noisy_votes[others], kind="stable")][: len(selected)]
        wanted[cell], unwanted[cell] = (deque(rng.permutation(pool).tolist()) for pool in (selected, fewest))
    return [
        Shown(
            tuple(texts[i] for i in _next(wanted[cells[parent]], good, parent)),
            tuple(texts[i] for i in _next(unwanted[cells[parent]], bad, parent)),
        )
        for parent in parents
    ]


def _next(pool: deque[int], count: int, parent: int) -> list[int]:
    """The next ``count`` of a pool that are not the parent; the pool moves on by as many as were looked at."""
    shown: list[int] = []
    for _ in range(len(pool)):
        if len(shown) == count:
            break
        if pool[0] != parent:
            shown.append(pool[0])
        pool.rotate(-1)
    return shown
