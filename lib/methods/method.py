"""The type of a method: one way to make an arm. Loads neither torch nor yaml, for pre-flight and `verify` import it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from lib.common.errors import DoppelError
from lib.privacy.disclosure import WITHHELD
from lib.stage.notebook_roles import Parameters

if TYPE_CHECKING:
    from lib.privacy.accounting import Mechanism

Check = Callable[[Parameters], None]
CorpusCheck = Callable[[Parameters, Parameters], None]
InputCheck = Callable[[Parameters, Mapping[str, Parameters]], None]
Recipe = Callable[[Parameters, int, float], "Mechanism"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to make an arm. All that Doppel knows about a method is in its entry and its folder.

    Attributes:
        title: its name for readers, "DP-LoRA".
        title_without_privacy: the name of an arm with ``target_epsilon: null``, which shows what privacy costs; None
            where it has the same title.
        arm: the notebook whose stages write the records.
        spends: the notebook whose stages draw the noise, which is ``arm`` or the notebook behind the input ``through``.
            None for a method that never sees private records.
        selects: whether its other inputs are arms, whose texts it selects: what those spent is part of its own target.
        needs_corpus: whether its arms are made from a corpus: False where private records come in, if at all, through
            an input of ``passes_on``.
        records: what its arms are made of.
        passes_on: names of inputs whose texts it passes on changed, each by itself; an arm has one of them at most.
            Empty for a method whose texts are its own.
        only_passes_on: whether it never has texts of its own, so that its arms are made from such an input.
        labels: whether its stages write ``labelled.jsonl`` too, with the places of what is labelled in each text.
        through: name of the input that leads from the arm to the stage that draws the noise. None where both are one
            stage.
        recipe: (parameters of the stage that draws the noise, number of units n, noise multiplier) -> the mechanism
            that it runs. It is written here and nowhere else. Raises DoppelError for parameters that no mechanism can
            have at this n.
        making: (settings of the arm, settings of the stage that draws the noise, unit) -> paragraphs of a card on how
            the records were made.
        settings: names of the parameters that a certificate lists; none of them can hold anything private.
        as_before: of those that are newer than stages which are still kept, the value that does what such a stage did,
            before there was the parameter. It is not the default of today, and never changes.
        checks: notebook -> what pre-flight refuses about a stage's parameters.
        corpus_checks: notebook -> what pre-flight refuses about a stage's parameters beside those of its corpus.
        input_checks: notebook -> what pre-flight refuses about a stage's parameters beside those of all its inputs, by
            the name of the input.
        files: names of the parameters that hold paths of files which the stage reads.
        canaries: ``module:function`` that sends canaries through the mechanism that ``spends`` runs, without any
            private record; see `lib.audit.canary_run.Send`. None where there is no mechanism.
        audit: ``module:function`` that makes an arm again on a corpus with text canaries; see
            `lib.audit.target.MadeAgain`. None where there is nothing to make again.
        control_score: name of the score, of those that ``audit`` gives, that must catch what has no privacy.
        own_control: whether ``audit`` gives that score without noise too. Else the control is an arm of this method
            without privacy.
        colour: of its arms in pictures, ``#rrggbb``.
        model: name of the parameter that names the language model, or what makes pictures: of the stage that draws the
            noise, or of the arm where ``through`` is None. For a method that may do without one, the parameter that
            says who wrote instead.
    """

    title: str
    arm: str
    colour: str
    making: Callable[[Mapping, Mapping, str], Iterator[str]]
    title_without_privacy: str | None = None
    spends: str | None = None
    through: str | None = None
    selects: bool = False
    needs_corpus: bool = True
    records: Literal["texts", "pictures", "rows"] = "texts"
    passes_on: Sequence[str] = ()
    only_passes_on: bool = False
    labels: bool = False
    recipe: Recipe | None = None
    settings: Sequence[str] = ()
    as_before: Mapping[str, object] = field(default_factory=dict)
    checks: Mapping[str, Check]
    corpus_checks: Mapping[str, CorpusCheck]
    input_checks: Mapping[str, InputCheck] = field(default_factory=dict)
    files: Sequence[str] = ()
    canaries: str | None = None
    audit: str | None = None
    control_score: str | None = None
    own_control: bool = False
    model: str = "model"

    def name(self, *, private: bool) -> str:
        """The title of an arm.

        Args:
            private: whether the arm was made with a ``target_epsilon``.
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
        """The mechanism that a stage of the notebook `spends` runs, with the noise that its target epsilon asks for.

        Args:
            parameters: of the stage; with ``target_epsilon`` None it is not private. ``reserve`` in [0, 1) is the share
                of the target that is kept for a later vote (13_select); absent: 0.
            units: n, the number of units of the corpus (records or users); treated as public.
            delta: of the whole arm, in (0, 1/n].
            others: what the arm's other stages have spent, for the same unit; each event once.

        Returns:
            The recipe's mechanism with the smallest noise multiplier at which it, ``others`` and the count of copied
            units (`lib.privacy.copy_count`), which is drawn when the texts are written, together spend at most the
            target less what is reserved (`lib.privacy.accounting.calibrate`); `NonPrivate` without a target.

        Raises:
            DoppelError: the target cannot be reached, or no mechanism can have these parameters at this n; for a method
                that selects, ``methods.nothing_left`` where other arms have spent all of the target.
        """
        from lib.privacy import copy_count  # here: dp-accounting takes a second to import
        from lib.privacy.accounting import NonPrivate, calibrate

        target = parameters["target_epsilon"]
        if target is None:
            return NonPrivate()

        def with_noise(multiplier: float) -> Mechanism:
            return self.recipe(parameters, units, multiplier)

        count = copy_count.mechanism(parameters, delta)
        reserved = [*others, *([] if count is None else [count])]
        usable = usable_target(parameters)
        try:
            return with_noise(calibrate(with_noise, target_epsilon=usable, delta=delta, others=reserved))
        except DoppelError as error:
            if self.selects and error.code == "privacy.target_unreachable":
                raise nothing_left(target) from None
            raise

    def make_again(self) -> Callable:
        """The function that `audit` names. It is imported by this call, because it imports torch.

        Raises:
            DoppelError: the method never sees a private record, so there is nothing to make again.
        """
        return self._function(self.audit)

    def send_canaries(self) -> Callable:
        """The function that `canaries` names. It is imported by this call, because it imports torch.

        Raises:
            DoppelError: the method never sees a private record, so it has no mechanism.
        """
        return self._function(self.canaries)

    def _function(self, named: str | None) -> Callable:
        if named is None:
            raise DoppelError(
                "methods.nothing_to_audit",
                f"an arm made by {self.title} never saw the private records, so there is nothing to audit",
                name=self.title,
                remedy="remove it from inputs",
            )
        module, _, function = named.partition(":")
        return getattr(import_module(module), function)


def usable_target(parameters: Parameters) -> float:
    """The epsilon that an arm may spend: its target less the share that is kept for a later vote.

    Args:
        parameters: of the stage that draws the arm's noise, or the settings that a certificate has of it:
            ``target_epsilon`` above 0; ``reserve`` in [0, 1), absent where nothing is kept.
    """
    return parameters["target_epsilon"] * (1 - parameters.get("reserve", 0.0))


def nothing_left(target: float) -> DoppelError:
    """The refusal of a vote for which the arms that it selects from have left nothing of a ``target`` epsilon."""
    return DoppelError(
        "methods.nothing_left",
        f"nothing of target_epsilon = {target:g} is left for a vote: the arms that the candidates come from, the label "
        "histogram and the count of copies spend all of it together",
        name="target_epsilon",
        value=target,
        remedy="set reserve: 0.05 in the stage that draws the noise of those arms, take fewer arms that have seen "
        "private records, or raise target_epsilon",
    )


def model_words(name: str | None) -> str:
    """A model as a sentence of a card has it.

    Args:
        name: the model in the settings of a certificate: its public name, `WITHHELD`, or None.

    Returns:
        The public name in code marks, or "a local model".
    """
    return "a local model" if name in (None, WITHHELD) else f"`{name}`"


def noise_multiplier(mechanism: Mechanism) -> float | None:
    """The noise multiplier of a calibrated mechanism: sigma over the L2 sensitivity.

    Args:
        mechanism: as `Method.mechanism` returns it.

    Returns:
        The multiplier, above 0; None for a mechanism that is not private.
    """
    return None if mechanism.unbounded else mechanism.noise_multiplier
