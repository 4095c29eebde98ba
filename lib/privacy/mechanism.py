"""What a mechanism is to the rest of the code: all that the accountant, ledgers, budgets and cards ask of one.

A new kind is a subclass, marked with `register`. Nobody asks which class a mechanism is. The kinds are in
`lib.privacy.mechanism_kinds` and `lib.privacy.exponential`.

Neighbours are add-or-remove-one-unit throughout; the unit, one record or one user, is the ledger's.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import ClassVar, Self

import numpy as np
from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution

from lib.common.errors import DoppelError

MIN_NOISE_MULTIPLIER = 0.05  # below, epsilon is in the thousands: no promise worth the name
MAX_NOISE_MULTIPLIER = 1e4  # above, a release says nothing; the accountant's memory grows with it
MAX_COUNT = 10**7  # releases of one mechanism: more might keep the accountant busy for ever

MECHANISMS: dict[str, type["Mechanism"]] = {}  # by class name, which is its ``kind`` in JSON


def register(mechanism: type["Mechanism"]) -> type["Mechanism"]:
    """Class decorator: ledgers and budgets can read this ``mechanism`` from JSON, by the name of its class."""
    MECHANISMS[mechanism.__name__] = mechanism
    return mechanism


class Mechanism(ABC):
    """An access to the private records, as the accountant sees it.

    Subclasses are frozen dataclasses. Their fields, in order, are what JSON holds beside ``kind``; ``count``, how
    often the mechanism is released, is one of them unless `merge_key` and `merged_with` are overridden.

    Attributes:
        title: what the kind is called in text for people.
    """

    title: ClassVar[str]

    def as_json(self) -> dict:
        """The figures, and the name of the class as ``kind``."""
        return {"kind": type(self).__name__, **asdict(self)}

    @staticmethod
    def from_json(figures: Mapping) -> "Mechanism":
        """The mechanism of ``figures`` that `as_json` made. They are not checked.

        Raises:
            KeyError: its kind is missing or unknown.
            TypeError: a figure is missing, or is none of its kind.
        """
        return MECHANISMS[figures["kind"]](**{name: figure for name, figure in figures.items() if name != "kind"})

    @abstractmethod
    def pld(self, discretization: float) -> PrivacyLossDistribution:
        """The privacy loss distribution of all releases, for add/remove of one unit; never optimistic.

        Args:
            discretization: width of a bucket of privacy loss, > 0; wider is faster and looser.
        """

    @abstractmethod
    def pld_replacing(self, discretization: float) -> PrivacyLossDistribution:
        """The same for replacing one unit by another, which is a removal and an addition; never optimistic.

        Args:
            discretization: width of a bucket of privacy loss, > 0; wider is faster and looser.
        """

    @abstractmethod
    def validate(self) -> None:
        """Refuse figures that no mechanism of Doppel has: a file with them was damaged or made up.

        Raises:
            DoppelError: ``privacy.impossible_mechanism``, with the name and value of the first such figure.
        """

    @property
    @abstractmethod
    def noise(self) -> float:
        """Sigma of the noise over what one unit can change (L2), >= 0; a card prints it."""

    @property
    def unbounded(self) -> bool:
        """Whether there is no guarantee at all: epsilon is infinite."""
        return False

    @property
    def poisson(self) -> bool:
        """Whether each release sees a Poisson sample, so that the realised batches must have been checked."""
        return False

    @property
    def sampler(self) -> str:
        """How the units of one release are chosen, in the words of certificates and cards."""
        if self.poisson:
            return "Poisson: every unit joins every release by itself, with the sampling probability"
        return "none: every unit takes part in every release"

    @property
    def rounding(self) -> str | None:
        """What is not exact about the draws, as a sentence of a card; None where they are sampled exactly."""
        return None

    @property
    def merge_key(self) -> Hashable:
        """Mechanisms with equal keys compose to a single one (`merged_with`).

        The default is the mechanism with a count of 1. A class as the key says that the other figures need not agree.
        """
        return replace(self, count=1)

    def merged_with(self, others: Sequence[Self]) -> "Mechanism":
        """The one mechanism that has the composition's privacy loss.

        Args:
            others: mechanisms with the same `merge_key`; may be empty.
        """
        return replace(self, count=self.count + sum(other.count for other in others))


class Auditable(Mechanism):
    """A kind through which canaries can be sent (`lib.audit.trade_off`), scaled by one number, ``noise_multiplier``.

    Attributes:
        noise_multiplier: sigma of the noise, or what stands for it, over what one unit can change; >= 0.
    """

    noise_multiplier: float

    @property
    def divides(self) -> bool:
        """Whether what is released is divided by the expected number of units, so that a wrong divisor would tell."""
        return False

    @abstractmethod
    def epsilon_at_least(self, delta: float) -> float:
        """A lower bound on the epsilon of all releases, for the worst case that `pld` bounds from above.

        Args:
            delta: in (0, 1).
        """

    @abstractmethod
    def ideal_scores(self, included: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Scores of an ideal attack on canaries: the log likelihood ratios of what is released about each.

        Args:
            included: whether each canary is in, bool, shape (m,).
            rng: draws what is released.

        Returns:
            Scores in nats, shape (m,); higher means rather in.
        """


def composed(release: PrivacyLossDistribution, count: int) -> PrivacyLossDistribution:
    """The privacy loss distribution of ``count`` >= 1 releases, each with that of ``release``."""
    return release.self_compose(count) if count > 1 else release


def check_noise(name: str, value: object) -> None:
    """Refuse a ``value`` of ``name`` that is no noise multiplier, as `require` does."""
    fits = is_number(value) and MIN_NOISE_MULTIPLIER <= value <= MAX_NOISE_MULTIPLIER
    require(fits, name, value, f"[{MIN_NOISE_MULTIPLIER:g}, {MAX_NOISE_MULTIPLIER:g}]")


def check_count(name: str, value: object) -> None:
    """Refuse a ``value`` of ``name`` that is no number of releases, as `require` does."""
    require(type(value) is int and 1 <= value <= MAX_COUNT, name, value, f"the integers from 1 to {MAX_COUNT:,}")


def require(fits: bool, name: str, value: object, allowed: str) -> None:
    """Raise DoppelError ``privacy.impossible_mechanism`` unless the figure fits.

    Args:
        fits: whether it does.
        name: of the figure.
        value: of the figure, which may come from a file that somebody else wrote.
        allowed: what fits, in words.
    """
    if not fits:
        raise DoppelError(
            "privacy.impossible_mechanism",
            f"{name} = {value!r:.80} is outside what Doppel's mechanisms can have: {allowed}",
            name=name,
            value=value,
        )


def is_number(value: object) -> bool:
    """Whether a ``value`` that somebody else may have written is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)
