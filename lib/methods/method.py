"""What a method is: one way to make an arm. Light: pre-flight and `verify` import it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError
from lib.privacy.disclosure import WITHHELD
from lib.stage.notebook_roles import Parameters

if TYPE_CHECKING:
    from lib.privacy.accounting import Mechanism

Check = Callable[[Parameters], None]
CorpusCheck = Callable[[Parameters, Parameters], None]
Recipe = Callable[[Parameters, int, float], "Mechanism"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to make an arm. All that Doppel knows about a method stands in its entry and its folder.

    Attributes:
        title: as readers meet it, "DP-LoRA".
        title_without_privacy: what an arm with ``target_epsilon: null`` is called; it shows what privacy costs.
        arm: the notebook whose stages write the records.
        spends: the notebook whose stages draw the noise, ``arm`` itself or the one behind the input ``through``; None
            for a method that never sees private records.
        through: the name of the input that leads from the arm to the stage that spends; None where they are one stage.
        recipe: (parameters of the spending stage, units n, noise multiplier) -> the mechanism that it runs. It stands
            here and nowhere else. Raises DoppelError for parameters that no mechanism can have at this n.
        making: (settings of the arm, settings of the spending stage, unit) -> paragraphs of a card on how it was made.
        settings: parameters that a certificate spells out; all of them are harmless.
        checks: by notebook, what pre-flight refuses about a stage's parameters.
        corpus_checks: by notebook, the same with the parameters of the stage's corpus.
        files: parameters that name files which the stage reads.
        scores: by which 20_canary_privacy tells canaries that were in from those that were not.
        own_control: scores that are tested by a positive control of their own; an audit by others needs an arm of this
            method without privacy.
        audit: ``module:function`` that makes an arm again on a canaried corpus; see `lib.audit.target.MadeAgain`.
        colour: of its arms in pictures.
        model: the parameter of the spending stage (of the arm, where nothing is spent) that names the model.
    """

    title: str
    arm: str
    colour: str
    making: Callable[[Mapping, Mapping, str], Iterator[str]]
    title_without_privacy: str | None = None
    spends: str | None = None
    through: str | None = None
    recipe: Recipe | None = None
    settings: Sequence[str] = ()
    checks: Mapping[str, Check]
    corpus_checks: Mapping[str, CorpusCheck]
    files: Sequence[str] = ()
    scores: Sequence[str] = ()
    own_control: Sequence[str] = ()
    audit: str | None = None
    model: str = "model"

    def name(self, *, private: bool) -> str:
        """The title of an arm.

        Args:
            private: whether it was made with a ``target_epsilon``.
        """
        return self.title if private or self.title_without_privacy is None else self.title_without_privacy

    def mechanism(
        self,
        parameters: Parameters,
        *,
        units: int,
        delta: float,
        others: Sequence[Mechanism] = (),
    ) -> Mechanism:
        """The mechanism that a stage of `spends` runs: its recipe at the noise that its target buys.

        Args:
            parameters: of the stage; ``target_epsilon`` None makes it not private.
            units: n, the number of units of the corpus.
            delta: in (0, 1/n], of the whole arm.
            others: what the arm's ancestors spent.

        Returns:
            The mechanism, calibrated so that it and ``others`` together spend at most the target; `NonPrivate` without
            a target.

        Raises:
            DoppelError: the target cannot be reached, or the parameters fit no mechanism at this n.
        """
        from lib.privacy.accounting import NonPrivate, calibrate  # late: dp-accounting takes a second to import

        target = parameters["target_epsilon"]
        if target is None:
            return NonPrivate()

        def at(noise: float) -> Mechanism:
            return self.recipe(parameters, units, noise)

        return at(calibrate(at, target_epsilon=target, delta=delta, others=others))

    def make_again(self) -> Callable:
        """The function that `audit` names, imported now, for it imports torch.

        Raises:
            DoppelError: the method never sees a private record, so there is nothing to audit.
        """
        if self.audit is None:
            raise DoppelError(
                "methods.nothing_to_audit",
                f"an arm made by {self.title} never saw the private records; there is nothing to audit",
                name=self.title,
                remedy="take it out of inputs",
            )
        module, _, function = self.audit.partition(":")
        return getattr(import_module(module), function)


def model_words(name: str | None) -> str:
    """A model in a card's sentence: its public name in code marks, or that it is a local one.

    Args:
        name: as the settings of a certificate have it.
    """
    return "a local model" if name in (None, WITHHELD) else f"`{name}`"


def noise_multiplier(mechanism: Mechanism) -> float | None:
    """Sigma over the sensitivity of a calibrated mechanism; None of one that is not private.

    Args:
        mechanism: of `Method.mechanism`.
    """
    noise = getattr(mechanism, "noise_multiplier", None)
    return noise if noise is not None and math.isfinite(noise) else None
