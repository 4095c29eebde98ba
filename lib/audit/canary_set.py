"""The canaries of an audit: one corpus for all arms, and scores that compare canaries of different kinds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import logsumexp
from transformers import PreTrainedTokenizerBase

from lib.audit import canaries
from lib.audit.canaries import Canary, Made, Repetition
from lib.audit.membership import exposure
from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.data.public_words import public_words
from lib.data.records import Record

RARE = 2000  # the last ids of a vocabulary, whose merges were learned last
CANARIES, PERSONAL = range(2)  # streams of draws under ``seed``


@dataclass(frozen=True)
class Planted:
    """Canaries of an audit.

    Attributes:
        single: m canaries of three kinds, one copy each: what bounds on epsilon are made of.
        references: drawn like them, and never in: what a score is compared with.
        repeated: canaries that come several times when they are in; a separate experiment with its own unit.
    """

    single: Sequence[Canary]
    references: Sequence[Canary]
    repeated: Sequence[Repetition]

    @property
    def everyone(self) -> list[Canary]:
        """All of them, in the order of the scores that `relative` and `exposed` take."""
        return [*self.single, *(c for r in self.repeated for c in r.canaries), *self.references]

    @property
    def groups(self) -> dict[int, Sequence[Canary]]:
        """Canaries by their copies: the single ones under 1."""
        return {1: self.single, **{repetition.copies: repetition.canaries for repetition in self.repeated}}

    def insert(self, records: Sequence[Record]) -> list[Record]:
        """The records, and behind them every copy of the canaries that are in."""
        train = canaries.insert(records, self.single)
        for repetition in self.repeated:
            train = repetition.insert(train)
        return train

    def relative(self, values: np.ndarray) -> dict[int, np.ndarray]:
        """Scores less the mean of the references of the same kind, over their standard deviation; by copies.

        ``values`` has one entry for each of `everyone`. Without this the kinds, of which one is always likelier than
        another, would drown what a coin changes. References that all score the same leave the difference as it is.
        Values of shape (steps, everyone) are compared step by step; then each canary has its soft maximum over the
        steps, the logarithm of the mean exponential: it joined few of them, and speaks loud in those.
        """
        values, kinds = np.atleast_2d(values), self._kinds()
        of = np.empty(values.shape)
        for kind in set(kinds):
            mine = values[:, kinds == kind]
            like = mine[:, -(kinds[-len(self.references) :] == kind).sum() :]
            spread = like.std(axis=1, keepdims=True)
            of[:, kinds == kind] = (mine - like.mean(axis=1, keepdims=True)) / np.where(spread, spread, 1.0)
        return self._by_copies(logsumexp(of, axis=0, b=1 / len(of)))

    def exposed(self, values: np.ndarray) -> dict[int, np.ndarray]:
        """Exposure in bits of each canary among the references of its kind, by copies (Carlini et al. 2019)."""
        kinds, of = self._kinds(), np.empty(len(values))
        for kind in set(kinds):
            mine = kinds == kind
            of[mine] = exposure(values[mine], values[-len(self.references) :][mine[-len(self.references) :]])
        return self._by_copies(of)

    def _kinds(self) -> np.ndarray:
        return np.array([canary.kind for canary in self.everyone])

    def _by_copies(self, values: np.ndarray) -> dict[int, np.ndarray]:
        ends = np.cumsum([len(members) for members in self.groups.values()])
        return dict(zip(self.groups, np.split(values[: ends[-1]], ends[:-1]), strict=True))


def coins(members: Sequence[Canary]) -> np.ndarray:
    """Whether each canary is in, shape (n,), bool."""
    return np.array([canary.included for canary in members], bool)


def whole_sets(
    cells: Sequence[Mapping[str, str]], catalogue: Sequence[Mapping[str, str]], most: int = 1000
) -> list[dict[str, str]]:
    """Label sets such as a record has: each cell with each of the first ``most`` rows of the public catalogue."""
    return [{**cell, **row} for cell, row in product(cells, catalogue[:most] or [{}])]


def save(path: Path, members: Sequence[Canary]) -> None:
    """A table of canaries, one JSON object a line, each marked ``fake``."""
    write_atomic(path, "".join(json.dumps(canary.as_json(), ensure_ascii=False) + "\n" for canary in members))


def plant(
    count: int,
    *,
    references: int,
    repeated: Mapping[int, int],
    cells: Sequence[Mapping[str, str]],
    tokenizer: PreTrainedTokenizerBase,
    locale: str,
    seed: int,
) -> Planted:
    """Canaries with their coins.

    Args:
        count: m single canaries, a third of each kind: personal facts, secrets of rare tokens, improbable ends.
        references: canaries of each kind that are never in, at least 2.
        repeated: copies -> number of canaries with personal facts; 2 canaries at least. Of each such set some are in
            and some are not: coins that all fall the same are tossed again.
        cells: whole label sets. tokenizer: whose rarest tokens make the secrets. locale: Faker's.
    """
    if count < 6 or references < 2 or any(number < 2 for number in repeated.values()):
        raise DoppelError(f"{count} canaries, {references} references, {dict(repeated)}: at least 6, 2, and 2 of each")
    if 1 in repeated:
        raise DoppelError("copies = 1 are the single canaries; repeat the others at least twice")
    rng = np.random.default_rng([seed, CANARIES])
    shares = [count // 3 + (place < count % 3) for place in range(3)]
    facts = canaries.personal_facts(
        shares[0] + references + sum(repeated.values()),
        locale=locale,
        seed=int(np.random.SeedSequence([seed, PERSONAL]).generate_state(1)[0]),
    )
    alphabet = canaries.rare_tokens(tokenizer, range(max(0, len(tokenizer) - RARE), len(tokenizer)))
    secrets = canaries.rare_secrets(shares[1] + references, alphabet=alphabet, rng=rng)
    ends = canaries.suffixed(shares[2] + references, words=public_words(locale), rng=rng)
    parts: list[list[Made]] = [
        [*facts[: shares[0]], *secrets[: shares[1]], *ends[: shares[2]]],
        [*facts[shares[0] :][:references], *secrets[shares[1] :], *ends[shares[2] :]],
    ]
    start = shares[0] + references
    for number in repeated.values():
        parts.append(facts[start : start + number])
        start += number
    while True:
        single, never, *others = _tossed(parts, cells, rng)
        if all(0 < coins(one).sum() < len(one) for one in (single, *others)):
            break
    return Planted(
        single,
        [replace(canary, included=False) for canary in never],
        [Repetition(one, copies) for copies, one in zip(repeated, others, strict=True)],
    )


def _tossed(
    parts: Sequence[Sequence[Made]], cells: Sequence[Mapping[str, str]], rng: np.random.Generator
) -> list[list[Canary]]:
    """Every part with coins; all are tossed at once, so that no two canaries share an id."""
    tossed = canaries.toss([made for part in parts for made in part], cells=cells, rng=rng)
    ends = np.cumsum([len(part) for part in parts]).tolist()
    return [tossed[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]
