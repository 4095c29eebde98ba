"""How to evolve. Light: pre-flight builds it too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib.common.errors import DoppelError

Selection = Literal["rank", "sample"]


@dataclass(frozen=True)
class Settings:
    """How to evolve, in the words of the papers.

    Attributes:
        iterations: T >= 1 votes.
        samples: N_syn >= 1, the size of the selected set.
        noise_multiplier: sigma of the noise over the sensitivity; None holds the votes without noise.
        schedule: size of the selected set in each iteration, the last one ``samples``; None: ``samples`` in all.
        variants: L >= 1 candidates of each selected text, itself counted when it is kept.
        seed_factor: texts of RANDOM_API over the first selected set's size; None: ``variants``.
        keep_parents: selected texts stand for election again.
        lookahead_degree: K; a candidate is embedded as the mean of K variations of it (0: as itself).
        k_nn: candidates that a record votes for.
        threshold: H >= 0, votes taken off the noisy counts.
        selection: ``rank`` or ``sample``, see `lib.methods.private_evolution.selection`.
        seed: governs all that is not noise. privacy_seed: None takes the operating system's.
    """

    iterations: int
    samples: int
    noise_multiplier: float | None
    schedule: Sequence[int] | None = None
    variants: int = 3
    seed_factor: float | None = None
    keep_parents: bool = True
    lookahead_degree: int = 0
    k_nn: int = 1
    threshold: float = 0.0
    selection: Selection = "rank"
    seed: int = 0
    privacy_seed: int | None = None

    def __post_init__(self) -> None:
        if self.schedule is not None and (
            len(self.schedule) != self.iterations or self.schedule[-1] != self.samples or min(self.schedule) < 1
        ):
            raise DoppelError(
                f"schedule = {list(self.schedule)}: needs iterations = {self.iterations} sizes of at least 1, the last "
                f"one samples = {self.samples}; null means samples throughout"
            )
        if self.keep_parents and self.variants < 2 and self.iterations > 1:
            raise DoppelError("variants = 1 with keep_parents varies nothing; set variants to 2 or more")
        if self.k_nn > self.size(0) * self.growth:
            raise DoppelError(
                f"k_nn = {self.k_nn} is over the {self.size(0) * self.growth:g} first candidates; lower k_nn"
            )

    def size(self, iteration: int) -> int:
        """How many texts are selected in an iteration."""
        return self.schedule[iteration] if self.schedule else self.samples

    @property
    def growth(self) -> float:
        """Texts of RANDOM_API for each one of the first selected set."""
        return self.variants if self.seed_factor is None else self.seed_factor
