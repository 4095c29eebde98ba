"""Leaks of canaries in text: parts that come back word for word, or nearly so.

Case, punctuation and white space are ignored. Outputs are counts, ids, scores and hashes, never text.
"""

import hashlib
import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz, process

from lib.audit.canaries import Canary
from lib.common.errors import DoppelError
from lib.data.tokenize import words

with warnings.catch_warnings():  # it asks for a faster library; a handful of scores needs none
    warnings.filterwarnings("ignore", "Using slow pure-python SequenceMatcher", UserWarning)
    from fuzzywuzzy import fuzz as fuzzywuzzy

CHUNK_BYTES = 32 * 2**20  # of scores at a time, one byte a pair
NEAR = 80  # of 100: what resembles a part less is no near copy of it, however rare


@dataclass(frozen=True, slots=True)
class Leak:
    """One part of one kind of canary. Counts are canaries: ``included`` ones, and ``left_out`` ones, who show chance.

    exact: the part stands in some text. near: its best score over all texts is above ``threshold``, `NEAR` to 100; a
    threshold of 100 says that left-out canaries come back too, so that nothing near can be told from chance.
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
    """A part and the text nearest to it, by its hash; both scores are partial ratios from 0 to 100."""

    canary: str
    part: str
    included: bool
    text_sha256: str
    score: int
    fuzzywuzzy_score: int


def leaks(canaries: Sequence[Canary], texts: Sequence[str], *, fpr: float = 0.01, workers: int = -1) -> list[Leak]:
    """Exact and near leaks of every part of every kind.

    The threshold of a part is the lowest score, but at least `NEAR`, that at most floor(fpr * n) of its n left-out
    canaries are above. ``workers``: threads, -1 for one a core.
    """
    if not 0 <= fpr < 1:
        raise DoppelError(f"fpr = {fpr}, it must be at least 0 and below 1")
    rows = []
    for (kind, part), members in _by_part(canaries).items():
        inside = np.array([canary.included for canary in members])
        if inside.all():
            raise DoppelError(f"no {kind!r} canary was left out, so nothing sets the threshold; draw more canaries")
        parts = [canary.parts[part].reveal() for canary in members]
        score, _ = nearest(parts, texts, least=NEAR, workers=workers)
        chance = np.sort(score[~inside])[::-1]
        threshold = max(NEAR, int(chance[int(fpr * len(chance) + 1e-9)]))  # 0.29 * 100 is 28.999999999999996
        hits = np.stack([np.ones_like(inside), exact(parts, texts), score > threshold])
        counts = [int(count) for side in (inside, ~inside) for count in hits[:, side].sum(axis=1)]
        rows.append(Leak(kind, part, threshold, *counts))
    return rows


def matches(
    canaries: Sequence[Canary], texts: Sequence[str], part: str, *, count: int = 10, workers: int = -1
) -> list[Match]:
    """At most ``count`` canaries whose ``part`` is near some text, best first, with the familiar score too."""
    members = [canary for canary in canaries if part in canary.parts]
    parts = [canary.parts[part].reveal() for canary in members]
    scores, places = nearest(parts, texts, least=NEAR, workers=workers)
    best = np.argsort(-scores.astype(int), kind="stable")
    found = []
    for i in best[scores[best] > 0][:count]:
        text = texts[places[i]]
        digest = hashlib.sha256(text.encode()).hexdigest()
        familiar = fuzzywuzzy.partial_ratio(_plain(parts[i]), _plain(text))
        found.append(Match(members[i].record.id, part, members[i].included, digest, int(scores[i]), familiar))
    return found


def exact(parts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """Whether the words of each part stand in some text one after another, shape (parts,), bool. Empty parts never."""
    return np.array([bool(held) for held in holders(parts, texts)], bool)


def holders(parts: Sequence[str], texts: Sequence[str]) -> list[list[int]]:
    """For each part, the texts in which it stands word for word."""
    spaced = [f" {_plain(text)} \n" for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in spaced])]).tolist()
    whole = "".join(spaced)  # one long search for each part is faster than many short ones
    held = []
    for part in parts:
        wanted, found = f" {_plain(part)} ", []
        place = whole.find(wanted) if wanted.strip() else -1
        while place >= 0:
            found.append(bisect_right(starts, place) - 1)
            place = whole.find(wanted, starts[found[-1] + 1])
        held.append(found)
    return held


def nearest(
    parts: Sequence[str], texts: Sequence[str], *, least: int = 0, workers: int = -1
) -> tuple[np.ndarray, np.ndarray]:
    """Best partial ratio of each part over all texts, 0 to 100, and the first text that has it; both (parts,).

    A best score below ``least`` is given as 0, which saves time.

    The part is laid on every stretch of the text of its length (rapidfuzz's ``partial_ratio``). A text that is shorter
    is filled up, else "a" would be a perfect match for every part with an a. Memory: `CHUNK_BYTES` of scores.
    """
    score, place = np.zeros(len(parts), np.uint8), np.zeros(len(parts), np.int64)
    if not parts or not texts:
        return score, place
    plain = [_plain(part) for part in parts]
    longest = max(map(len, plain))
    filled = [_plain(text).ljust(longest, "\n") for text in texts]
    step = max(1, CHUNK_BYTES // len(parts))
    for start in range(0, len(texts), step):
        scores = process.cdist(
            plain,
            filled[start : start + step],
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


def _plain(text: str) -> str:
    return " ".join(words(text))


def _by_part(canaries: Sequence[Canary]) -> Mapping[tuple[str, str], list[Canary]]:
    groups: dict[tuple[str, str], list[Canary]] = {}
    for canary in canaries:
        for part in canary.parts:
            groups.setdefault((canary.kind, part), []).append(canary)
    return groups
