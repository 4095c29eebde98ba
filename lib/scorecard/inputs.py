"""The role of each input of 30_compare: the corpus, an arm, or a stage that measured arms. Pre-flight asks, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.common.errors import DoppelError, nearest
from lib.evaluation.views import CEILING
from lib.methods.registry import ARMS, may_lack_corpus
from lib.stage.notebook_roles import CORPORA, IMAGES, MEASURES, check_input, notebook_of


@dataclass(frozen=True)
class Roles:
    """The inputs by their role.

    Attributes:
        corpus: its stage id; None where no arm was made from private records.
        arms: stage ids by the local name in ``inputs``, which becomes the display name.
        measures: stage ids by what the stage measured: ``fidelity``, ``utility``, ``audit``.
    """

    corpus: str | None
    arms: Mapping[str, str]
    measures: Mapping[str, str]


def split(inputs: Mapping[str, str]) -> Roles:
    """The role of each input, which follows from the notebook of its stage.

    Args:
        inputs: stage ids by local name.

    Raises:
        DoppelError: there is no arm; there is no corpus, though an arm is made from one, or a stage measured beside
            one; an input is none of the three; two stages measured the same; a stage is named twice; an arm is called
            like the held-out records.
    """
    corpus = inputs.get("corpus")
    if corpus is not None:
        check_input("corpus", str(corpus), (*CORPORA, IMAGES), "corpus")
    arms: dict[str, str] = {}
    measures: dict[str, str] = {}
    for name, stage in inputs.items():
        notebook = notebook_of(str(stage))
        if name == "corpus":
            continue
        if notebook in MEASURES:
            _add_measure(measures, name, stage, MEASURES[notebook])
        elif notebook in ARMS:
            _add_arm(arms, name, stage)
        else:
            raise DoppelError(
                "scorecard.input_without_role",
                f"inputs: {name}: {stage} is neither an arm nor a stage that measures arms",
                name=name,
                value=stage,
                remedy=f"name stages of {', '.join((*ARMS, *MEASURES))}",
            )
    if not arms:
        raise DoppelError(
            "scorecard.no_arm",
            "inputs: names no arm to compare",
            name="inputs",
            remedy="add one, for example eps8: 11_generate.eps8",
        )
    if corpus is None and (measures or not all(map(may_lack_corpus, arms.values()))):
        raise no_corpus()
    return Roles(corpus, arms, measures)


def no_corpus() -> DoppelError:
    """What 30_compare says where it is not told which private records an arm was made from."""
    return DoppelError(
        "scorecard.no_corpus", "inputs: has no 'corpus'", name="inputs", remedy="write inputs: {corpus: STAGE}"
    )


def _add_measure(measures: dict[str, str], name: str, stage: str, measured: str) -> None:
    if measured in measures:
        raise DoppelError(
            "scorecard.measured_by_two",
            f"inputs: {measures[measured]} and {stage} both measure {measured}, perhaps on other numbers of records",
            name=name,
            value=stage,
            remedy="name one stage that measures all arms",
        )
    measures[measured] = stage


def _add_arm(arms: dict[str, str], name: str, stage: str) -> None:
    if stage in arms.values():
        raise DoppelError(
            "scorecard.arm_twice", f"inputs: {name}: {stage} is named twice", name=name, value=stage, remedy="keep one"
        )
    if name == CEILING:
        raise DoppelError(
            "scorecard.name_reserved",
            f"inputs: {name}: this name is reserved for held-out real records",
            name=name,
            value=stage,
            remedy="give the arm another name",
        )
    arms[name] = stage


def check_release(release: Sequence[str], roles: Roles) -> None:
    """Refuse names of arms to release that are not among the inputs.

    Args:
        release: local names of arms.
        roles: of the inputs.
    """
    for name in release:
        if name not in roles.arms:
            raise DoppelError(
                "scorecard.release_of_no_arm",
                f"release: {name!r} is not an arm among the inputs",
                name="release",
                value=name,
                remedy=nearest(name, roles.arms),
            )
