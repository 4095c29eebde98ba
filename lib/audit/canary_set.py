"""The canaries of an audit: one set for all arms, and scores that make canaries of different kinds comparable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import logsumexp
from transformers import PreTrainedTokenizerBase

from lib.audit import canaries, canary_texts
from lib.audit.canaries import Canary, Repetition
from lib.audit.canary_texts import CanaryText
from lib.audit.membership import exposure
from lib.common import jsonl
from lib.common.errors import DoppelError, Faults
from lib.data.public_words import public_words
from lib.data.records import Record

RARE_TOKENS = 2000  # the last ids of a vocabulary, whose merges were learned last
CANARY_STREAM, FACT_STREAM = range(2)  # independent streams of draws under one seed


@dataclass(frozen=True)
class CanarySet:
    """All canaries of an audit.

    Attributes:
        single: m canaries of three kinds, one copy each. Bounds on epsilon rest on these.
        references: more canaries of the same kinds that are never included; scores are compared with theirs.
        repeated: canaries that come several times when they are included: a separate experiment, with its own unit.
    """

    single: Sequence[Canary]
    references: Sequence[Canary]
    repeated: Sequence[Repetition]

    @property
    def everyone(self) -> list[Canary]:
        """All canaries, in the order of the scores that `relative` and `exposed` take; references last."""
        repeated = (canary for repetition in self.repeated for canary in repetition.canaries)
        return [*self.single, *repeated, *self.references]

    @property
    def texts(self) -> list[str]:
        """The made-up texts of `everyone`."""
        return [canary.record.text.reveal() for canary in self.everyone]

    @property
    def groups(self) -> dict[int, Sequence[Canary]]:
        """Number of copies -> canaries; the single canaries under 1."""
        return {1: self.single, **{repetition.copies: repetition.canaries for repetition in self.repeated}}

    def insert(self, records: Sequence[Record]) -> list[Record]:
        """``records``, and behind them every copy of the included canaries.

        Raises:
            DoppelError: a canary has the id of a record.
        """
        train = canaries.insert(records, self.single)
        for repetition in self.repeated:
            train = repetition.insert(train)
        return train

    def relative(self, values: np.ndarray) -> dict[int, np.ndarray]:
        """Standardize scores by the references of the same kind: less their mean, over their standard deviation.

        Some kinds are always likelier than others; without this, that difference would hide the effect of the coins.
        Where all references of a kind score the same, the difference is not divided.

        Args:
            values: raw scores of `everyone`, higher for canaries that are rather in; shape (everyone,) or
                (steps, everyone). Scores of several steps are standardized step by step, then combined: a canary gets
                the soft maximum over the steps, log(mean(exp(score))), because it took part in only a few of them,
                and is clearly seen in those.

        Returns:
            Number of copies -> scores of these canaries, shape (their number,), without the references.
        """
        values, kinds = np.atleast_2d(values), self._kinds()
        standardized = np.empty(values.shape)
        for kind in set(kinds):
            of_kind = values[:, kinds == kind]
            references = of_kind[:, -(kinds[-len(self.references) :] == kind).sum() :]
            spread = references.std(axis=1, keepdims=True)
            centred = of_kind - references.mean(axis=1, keepdims=True)
            standardized[:, kinds == kind] = centred / np.where(spread, spread, 1.0)
        return self._by_copies(logsumexp(standardized, axis=0, b=1 / len(standardized)))

    def exposed(self, values: np.ndarray) -> dict[int, np.ndarray]:
        """Exposure of each canary among the references of its kind (`lib.audit.membership.exposure`).

        Args:
            values: raw scores of `everyone`, higher for canaries that are rather in; shape (everyone,).

        Returns:
            Number of copies -> exposure in bits of these canaries, shape (their number,), without the references.
        """
        kinds, bits = self._kinds(), np.empty(len(values))
        for kind in set(kinds):
            of_kind = kinds == kind
            references = values[-len(self.references) :][of_kind[-len(self.references) :]]
            bits[of_kind] = exposure(values[of_kind], references)
        return self._by_copies(bits)

    def _kinds(self) -> np.ndarray:
        return np.array([canary.kind for canary in self.everyone])

    def _by_copies(self, values: np.ndarray) -> dict[int, np.ndarray]:
        ends = np.cumsum([len(group) for group in self.groups.values()])
        return dict(zip(self.groups, np.split(values[: ends[-1]], ends[:-1]), strict=True))


def coins(members: Sequence[Canary]) -> np.ndarray:
    """Whether each of the canaries ``members`` is included: bool, shape (n,)."""
    return np.array([canary.included for canary in members], bool)


def save(path: Path, members: Sequence[Canary]) -> None:
    """Write the canaries ``members`` to the file ``path``, one JSON object per line, each marked ``fake``."""
    jsonl.write(path, (canary.as_json() for canary in members))


def plant(
    count: int,
    *,
    references: int,
    repeated: Mapping[int, int],
    cells: Sequence[Mapping[str, str]],
    tokenizer: PreTrainedTokenizerBase,
    locale: str,
    seed: int,
) -> CanarySet:
    """Make the canaries of an audit and toss their coins.

    Args:
        count: m single canaries, at least 6; a third of each kind: personal facts, secrets of rare tokens, random
            endings.
        references: canaries of each kind that are never included, at least 2.
        repeated: number of copies (at least 2) -> number of canaries, all with personal facts; at least 2 canaries.
        cells: complete label sets, from which a canary's labels are drawn uniformly.
        tokenizer: its rarest tokens make the secrets.
        locale: of facts and words, as Faker names it.
        seed: of all draws.

    Returns:
        The canaries. In the single ones and in each repeated group, at least one is included and one is not: where all
        coins of a group agree, all coins are tossed again.

    Raises:
        DoppelError: a number is too small, or `lib.audit.canary_texts` cannot make so many texts.
    """
    _check_numbers(count, references, repeated)
    rng = np.random.default_rng([seed, CANARY_STREAM])
    of_facts, of_secrets, of_endings = (count // 3 + (kind < count % 3) for kind in range(3))
    facts = canary_texts.personal_facts(
        of_facts + references + sum(repeated.values()),
        locale=locale,
        seed=int(np.random.SeedSequence([seed, FACT_STREAM]).generate_state(1)[0]),
    )
    alphabet = canary_texts.rare_tokens(tokenizer, range(max(0, len(tokenizer) - RARE_TOKENS), len(tokenizer)))
    secrets = canary_texts.rare_secrets(of_secrets + references, alphabet=alphabet, rng=rng)
    endings = canary_texts.suffixed(of_endings + references, words=public_words(locale), rng=rng)
    groups: list[list[CanaryText]] = [
        [*facts[:of_facts], *secrets[:of_secrets], *endings[:of_endings]],
        [*facts[of_facts:][:references], *secrets[of_secrets:], *endings[of_endings:]],
    ]
    start = of_facts + references
    for number in repeated.values():
        groups.append(facts[start : start + number])
        start += number
    while True:
        single, reference, *others = _toss(groups, cells, rng)
        if all(0 < coins(group).sum() < len(group) for group in (single, *others)):
            break
    return CanarySet(
        single,
        [replace(canary, included=False) for canary in reference],
        [Repetition(group, copies) for copies, group in zip(repeated, others, strict=True)],
    )


def _check_numbers(count: int, references: int, repeated: Mapping[int, int]) -> None:
    faults = Faults()
    if count < 6:
        faults.add(
            DoppelError(
                "audit.canaries_too_few", f"canaries = {count}, it must be at least 6", name="canaries", value=count
            )
        )
    if references < 2:
        faults.add(
            DoppelError(
                "audit.references_too_few",
                f"references = {references}, it must be at least 2",
                name="references",
                value=references,
            )
        )
    for copies, number in repeated.items():
        if copies < 2:
            faults.add(
                DoppelError(
                    "audit.repeated_once",
                    f"copies = {copies}: canaries that come once are the single ones",
                    name="copies",
                    value=copies,
                    remedy="repeat the others at least twice",
                )
            )
        if number < 2:
            faults.add(
                DoppelError(
                    "audit.repeated_too_few",
                    f"repeated = {number} canaries of {copies} copies, it must be at least 2",
                    name="repeated",
                    value=number,
                )
            )
    faults.raise_any()


def _toss(
    groups: Sequence[Sequence[CanaryText]], cells: Sequence[Mapping[str, str]], rng: np.random.Generator
) -> list[list[Canary]]:
    """Every group with coins. All are tossed in one call, so that no two canaries have the same id."""
    tossed = canaries.toss([text for group in groups for text in group], cells=cells, rng=rng)
    ends = np.cumsum([len(group) for group in groups]).tolist()
    return [tossed[end - len(group) : end] for group, end in zip(groups, ends, strict=True)]
