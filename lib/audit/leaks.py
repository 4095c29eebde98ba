"""Leaks of canaries in text: parts that come back word for word, or nearly so.

Case, punctuation and white space are ignored. Outputs are counts, ids, scores and hashes, never text.
"""

import hashlib
import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rapidfuzz import fuzz, process

from lib.audit.canaries import Canary
from lib.common.errors import DoppelError
from lib.data.tokenize import has_unspaced, share, words

with warnings.catch_warnings():  # fuzzywuzzy asks for a faster library, which a handful of scores does not need
    warnings.filterwarnings("ignore", "Using slow pure-python SequenceMatcher", UserWarning)
    from fuzzywuzzy import fuzz as fuzzywuzzy

CHUNK_BYTES = 32 * 2**20  # of scores at a time, one byte per pair
NEAR = 80  # of 100: the lowest threshold; what resembles a part less is no near copy of it, however rare


@dataclass(frozen=True, slots=True)
class Leak:
    """How often a part of one kind of canary comes back. All counts are numbers of canaries.

    Left-out canaries come back by chance alone. A ``threshold`` of 100 says that they come back unchanged, so that no
    near copy can be distinguished from chance.

    Attributes:
        kind: of the canaries.
        part: name of the part.
        threshold: the score that a near copy must be above, from `NEAR` to 100.
        included: canaries that were in the train set.
        exact: those of ``included`` whose part stands in a text word for word.
        near: those of ``included`` whose best score over all texts is above ``threshold``.
        left_out: canaries that were not in the train set.
        left_out_exact: those of ``left_out`` whose part stands in a text word for word.
        left_out_near: those of ``left_out`` whose best score over all texts is above ``threshold``.
    """

    kind: str
    part: str
    threshold: int
    included: int
    exact: int
    near: int
    left_out: int
    left_out_exact: int
    left_out_near: int


@dataclass(frozen=True, slots=True)
class Match:
    """A part of a canary and the text closest to it.

    Attributes:
        canary: id of the canary.
        part: name of the part.
        included: whether the canary was in the train set.
        text_sha256: hash of the text, hex digits.
        score: partial ratio by rapidfuzz, 0 to 100 (`best_partial_ratio`).
        fuzzywuzzy_score: partial ratio by fuzzywuzzy, 0 to 100, which many readers know.
    """

    canary: str
    part: str
    included: bool
    text_sha256: str
    score: int
    fuzzywuzzy_score: int


def leaks(canaries: Sequence[Canary], texts: Sequence[str], *, fpr: float = 0.01, workers: int = -1) -> list[Leak]:
    """Count exact and near copies of every part of every kind of canary.

    The threshold of a part is the lowest score, but at least `NEAR`, that at most floor(``fpr`` * n) of its n left-out
    canaries are above.

    Args:
        canaries: included and left-out ones; each kind needs some of both.
        texts: synthetic texts.
        fpr: the highest share of left-out canaries above the threshold, in [0, 1).
        workers: threads; -1: as many as there are cores.

    Returns:
        A row for every kind and part.

    Raises:
        DoppelError: ``fpr`` is out of range, or a kind has no left-out canary.
    """
    if not 0 <= fpr < 1:
        raise DoppelError(
            "audit.fpr_out_of_range", f"fpr = {fpr}, it must be at least 0 and below 1", name="fpr", value=fpr
        )
    rows = []
    for (kind, part), group in _by_part(canaries).items():
        included = np.array([canary.included for canary in group])
        if included.all():
            raise DoppelError(
                "audit.no_canary_left_out",
                f"no {kind!r} canary was left out, so nothing sets the threshold",
                name=kind,
                value=len(group),
                remedy="draw more canaries",
            )
        parts = [canary.parts[part].reveal() for canary in group]
        score, _ = best_partial_ratio(parts, texts, least=NEAR, workers=workers)
        by_chance = np.sort(score[~included])[::-1]
        # 1e-9: 0.29 * 100 is 28.999999999999996
        threshold = max(NEAR, int(by_chance[int(fpr * len(by_chance) + 1e-9)]))
        hits = np.stack([np.ones_like(included), exact(parts, texts), score > threshold])
        counts = [int(count) for side in (included, ~included) for count in hits[:, side].sum(axis=1)]
        rows.append(Leak(kind, part, threshold, *counts))
    return rows


def matches(
    canaries: Sequence[Canary], texts: Sequence[str], part: str, *, count: int = 10, workers: int = -1
) -> list[Match]:
    """The canaries whose part is closest to any text.

    Args:
        canaries: those that have no such part are ignored.
        texts: synthetic texts.
        part: name of the part.
        count: the most matches to return.
        workers: threads; -1: as many as there are cores.

    Returns:
        Matches with a score of at least `NEAR`, best first.
    """
    candidates = [canary for canary in canaries if part in canary.parts]
    parts = [canary.parts[part].reveal() for canary in candidates]
    scores, places = best_partial_ratio(parts, texts, least=NEAR, workers=workers)
    best_first = np.argsort(-scores.astype(int), kind="stable")
    rows = []
    for i in best_first[scores[best_first] > 0][:count]:
        canary, text = candidates[i], texts[places[i]]
        digest = hashlib.sha256(text.encode()).hexdigest()
        fuzzywuzzy_score = fuzzywuzzy.partial_ratio(_as_written(parts[i]), _as_written(text))
        rows.append(Match(canary.record.id, part, canary.included, digest, int(scores[i]), fuzzywuzzy_score))
    return rows


def exact(parts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """Whether each part stands in any text word for word.

    Args:
        parts: parts of canaries; a part without words never does.
        texts: synthetic texts.

    Returns:
        bool, shape (parts,).
    """
    return np.array([bool(numbers) for numbers in holders(parts, texts)], bool)


def holders(parts: Sequence[str], texts: Sequence[str]) -> list[list[int]]:
    """The texts that hold each part word for word.

    Args:
        parts: parts of canaries; a part without words stands in no text.
        texts: synthetic texts.

    Returns:
        For each part, numbers of the texts, ascending.
    """
    spaced = [f" {_normalized(text)} \n" for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(text) for text in spaced])]).tolist()
    joined = "".join(spaced)  # one long search per part is faster than many short ones
    holding = []
    for part in parts:
        wanted, numbers = f" {_normalized(part)} ", []
        place = joined.find(wanted) if wanted.strip() else -1
        while place >= 0:
            numbers.append(bisect_right(starts, place) - 1)
            place = joined.find(wanted, starts[numbers[-1] + 1])
        holding.append(numbers)
    return holding


def best_partial_ratio(
    parts: Sequence[str], texts: Sequence[str], *, least: int = 0, workers: int = -1
) -> tuple[np.ndarray, np.ndarray]:
    """Best partial ratio of each part over all texts, and the text that has it.

    The partial ratio (rapidfuzz) is the similarity of the part and the stretch of the text, of the part's length, that
    resembles it most. Texts shorter than the longest part are padded: else "a" would be a perfect match for every part
    with an a. `CHUNK_BYTES` limits the memory for scores.

    Args:
        parts: parts of canaries.
        texts: synthetic texts.
        least: lower scores are given as 0, which saves time; 0 to 100.
        workers: threads; -1: as many as there are cores.

    Returns:
        Scores from 0 to 100, uint8, and the number of the first text that has the score, int64 (0 where the score is
        0); both of shape (parts,).
    """
    score, place = np.zeros(len(parts), np.uint8), np.zeros(len(parts), np.int64)
    if not parts or not texts:
        return score, place
    plain = [_as_written(part) for part in parts]
    longest = max(map(len, plain))
    padded = [_as_written(text).ljust(longest, "\n") for text in texts]
    step = max(1, CHUNK_BYTES // len(parts))
    for start in range(0, len(texts), step):
        scores = process.cdist(
            plain,
            padded[start : start + step],
            scorer=fuzz.partial_ratio,
            score_cutoff=least,
            dtype=np.uint8,
            workers=workers,
        )
        best = scores.argmax(axis=1)
        value = scores[np.arange(len(parts)), best]
        place[value > score] = start + best[value > score]
        score = np.maximum(score, value)
    return score, place


def _normalized(text: str) -> str:
    return " ".join(words(text))


def _as_written(text: str) -> str:
    """The text of `_normalized` without spaces where its script has none: those would be alike in all texts."""
    if not has_unspaced(text):
        return _normalized(text)
    tokens = words(text)
    gaps = ["" if share(left) < 1 and share(right) < 1 else " " for left, right in pairwise(tokens)]
    return "".join(word + gap for word, gap in zip(tokens, [*gaps, ""], strict=True))


def _by_part(canaries: Sequence[Canary]) -> Mapping[tuple[str, str], list[Canary]]:
    """(kind, name of a part) -> the canaries that have it."""
    groups: dict[tuple[str, str], list[Canary]] = {}
    for canary in canaries:
        for part in canary.parts:
            groups.setdefault((canary.kind, part), []).append(canary)
    return groups
