"""What each input of notebook 07 is: the corpus, an arm, or a stage that measured arms. Light: pre-flight asks too."""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.common.errors import DoppelError, nearest
from lib.evaluation.views import CEILING
from lib.stage.notebook_roles import ARMS, MADE_BY, check_input

MEASURES = {"20_canary_privacy": "audit", "21_fidelity": "fidelity", "22_utility": "utility"}  # by notebook


@dataclass(frozen=True)
class Roles:
    """Stage ids: of the corpus, of the arms by their local name, of the measuring stages by what they measure."""

    corpus: str
    arms: Mapping[str, str]
    measures: Mapping[str, str]


def split(inputs: Mapping[str, str]) -> Roles:
    """Inputs (stage ids by local name) by their role, which their notebook tells. Raises DoppelError by name."""
    if "corpus" not in inputs:
        raise DoppelError("inputs: has no 'corpus'; write inputs: {corpus: STAGE}")
    arms: dict[str, str] = {}
    measures: dict[str, str] = {}
    for name, stage in inputs.items():
        notebook = str(stage).partition(".")[0]
        if name == "corpus":
            check_input(name, str(stage), [MADE_BY[name]], name)
            continue
        if notebook in MEASURES:
            if (what := MEASURES[notebook]) in measures:
                raise DoppelError(
                    f"inputs: {measures[what]} and {stage} both measure {what}, and need not have compared as many "
                    "records; name one that compares all arms"
                )
            measures[what] = stage
        elif notebook in ARMS:
            if stage in arms.values():
                raise DoppelError(f"inputs: {name}: {stage} is named twice; keep one")
            if name == CEILING:
                raise DoppelError(f"inputs: {name}: the name is kept for held-out real records; name the arm otherwise")
            arms[name] = stage
        else:
            raise DoppelError(
                f"inputs: {name}: {stage} is no arm and measures none; name stages of {', '.join((*ARMS, *MEASURES))}"
            )
    if not arms:
        raise DoppelError("inputs: names no arm to compare; add one, as eps8: 11_generate.eps8")
    return Roles(str(inputs["corpus"]), arms, measures)


def check_release(release: list[str], roles: Roles) -> None:
    """Every name in ``release`` is an arm's."""
    for name in release:
        if name not in roles.arms:
            raise DoppelError(f"release: {name!r} is no arm among inputs; {nearest(name, roles.arms)}")
