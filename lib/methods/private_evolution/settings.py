"""How a private evolution runs. Pre-flight builds these settings too, so this file imports neither torch nor models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lib.common.errors import DoppelError

Selection = Literal["rank", "sample"]
Weights = Literal["equal", "halving"]
Final = Literal["selected", "varied"]
EACH_VOTE = ("variants", "keep_parents", "selection", "degrees")  # settings of one value, or of one for each vote


@dataclass(frozen=True)
class Settings:
    """How to evolve, by the names of the papers (Lin et al. 2024; Xie et al. 2024).

    ``variants``, ``keep_parents``, ``selection`` and ``degrees`` are one value, or a list with one for each vote: how
    that vote selects, and how candidates of the next vote are made of what it selects.

    Attributes:
        iterations: T >= 1, how often the private records vote.
        samples: N_syn >= 1, items (texts, images) selected in the last iteration.
        noise_multiplier: standard deviation of the noise over the L2 sensitivity of the votes, above 0; None votes
            without noise and so without privacy.
        schedule: items selected in each iteration, ``iterations`` numbers of which the last is ``samples``; None:
            ``samples`` in every iteration.
        variants: L >= 1, candidates for each selected item; with ``keep_parents`` the item itself is one of them.
        seed_factor: items that RANDOM_API makes, over the number first selected; above 0. None: ``variants``.
        keep_parents: whether selected items are candidates again.
        lookahead_degree: K >= 0; a candidate's embedding is the mean over K variations of it. 0: its own embedding.
        k_nn: candidates that a record votes for, at least 1.
        vote_weights: ``equal`` or ``halving``, see `lib.methods.private_evolution.voting.ballot`.
        threshold: H >= 0, subtracted from the noisy counts, in votes.
        selection: ``rank`` or ``sample``, see `lib.methods.private_evolution.selection.select`.
        max_overlap: (0, 1], the largest share of a text's runs of three words that may stand in texts selected before
            it; 1 is no limit. Below 1 it needs ``rank``.
        degrees: how far a variation may be from its parent, at least 0, in the unit of the API; look-ahead, and the
            variations that are handed out, take it too. None for an API that takes no degree.
        final: ``selected`` hands out what the last vote selected, ``varied`` a variation of it (Lin et al. 2024).
        good_shots: selected texts that the prompt of a variation shows, at least 0; other ones in each prompt.
        bad_shots: texts with few votes that it shows as not wanted, at least 0.
        seed: of everything random but the noise.
        privacy_seed: of the noise. None: the operating system seeds it. An integer makes it reproducible, and the
            result not fit for release.

    Raises:
        DoppelError: ``schedule`` or a list for each vote does not fit, nothing would be varied, ``k_nn`` is above the
            first candidates, or
            ``max_overlap`` is below 1 for a ``selection`` by draw.
    """

    iterations: int
    samples: int
    noise_multiplier: float | None
    schedule: Sequence[int] | None = None
    variants: int | Sequence[int] = 3
    seed_factor: float | None = None
    keep_parents: bool | Sequence[bool] = True
    lookahead_degree: int = 0
    k_nn: int = 1
    vote_weights: Weights = "equal"
    threshold: float = 0.0
    selection: Selection | Sequence[Selection] = "rank"
    max_overlap: float = 1.0
    degrees: float | Sequence[float] | None = None
    final: Final = "selected"
    good_shots: int = 0
    bad_shots: int = 0
    seed: int = 0
    privacy_seed: int | None = None

    def __post_init__(self) -> None:
        if self.schedule is not None and (
            len(self.schedule) != self.iterations or self.schedule[-1] != self.samples or min(self.schedule) < 1
        ):
            raise DoppelError(
                "methods.schedule_does_not_fit",
                f"schedule = {list(self.schedule)}: needs iterations = {self.iterations} sizes of at least 1, the last "
                f"one samples = {self.samples}",
                name="schedule",
                value=list(self.schedule),
                remedy="null means samples throughout",
            )
        for name in EACH_VOTE:
            value = getattr(self, name)
            if isinstance(value, list | tuple) and len(value) != self.iterations:
                raise DoppelError(
                    "methods.not_one_for_each_vote",
                    f"{name} has {len(value)} values, iterations = {self.iterations} need as many",
                    name=name,
                    value=list(value),
                    remedy="write one value, or one for each vote",
                )
        if any(self.at("keep_parents", vote) and self.at("variants", vote) < 2 for vote in range(self.iterations - 1)):
            raise DoppelError(
                "methods.nothing_varied",
                f"variants = {self.variants} with keep_parents varies nothing",
                name="variants",
                value=self.variants,
                remedy="set variants to 2 or more",
            )
        if self.k_nn > self.size(0) * self.growth:
            raise DoppelError(
                "methods.k_nn_too_large",
                f"k_nn = {self.k_nn} is over the {self.size(0) * self.growth:g} first candidates",
                name="k_nn",
                value=self.k_nn,
                remedy="lower k_nn",
            )
        if self.max_overlap < 1 and any(self.at("selection", vote) != "rank" for vote in range(self.iterations)):
            raise DoppelError(
                "methods.overlap_needs_rank",
                f"max_overlap = {self.max_overlap:g} passes over texts in order of their votes, which selection = "
                f"{self.selection} does not have",
                name="max_overlap",
                value=self.max_overlap,
                remedy="set selection: rank, or max_overlap: 1.0",
            )

    @classmethod
    def of(cls, parameters: Mapping[str, Any], noise_multiplier: float | None, **others: Any) -> "Settings":
        """The settings of a stage: those that its parameters name, and ``others``; the rest keep their defaults."""
        names = cls.__dataclass_fields__.keys() & parameters.keys()
        return cls(noise_multiplier=noise_multiplier, **{name: parameters[name] for name in names}, **others)

    def size(self, iteration: int) -> int:
        """How many items are selected in ``iteration``, which is in [0, ``iterations``)."""
        return self.schedule[iteration] if self.schedule else self.samples

    def at(self, name: str, vote: int) -> Any:
        """The value that one of `EACH_VOTE` has for a ``vote``, which is in [0, ``iterations``)."""
        value = getattr(self, name)
        return value[vote] if isinstance(value, list | tuple) else value

    @property
    def asked(self) -> int:
        """Items that the API is asked for in all: first ones, variations, look-ahead, and what is handed out varied.

        No reply is rejected in this count, and no item is selected twice.
        """
        return self.candidates * (1 + self.lookahead_degree) + (self.samples if self.final == "varied" else 0)

    @property
    def candidates(self) -> int:
        """Those of `asked` that stand for election for the first time: first ones, and variations of selected ones."""
        made = round(self.size(0) * self.growth)
        for vote in range(self.iterations - 1):
            made += self.size(vote) * (self.at("variants", vote) - bool(self.at("keep_parents", vote)))
        return made

    @property
    def growth(self) -> float:
        """Items that RANDOM_API makes for each item that is selected first."""
        return self.at("variants", 0) if self.seed_factor is None else self.seed_factor
