"""What pre-flight refuses about an audit."""

from collections.abc import Sequence

from lib.common.errors import DoppelError, nearest
from lib.stage.notebook_roles import ARMS, Parameters, _check_inputs

OF_TEXTS = ("2-gram", "3-word overlap", "similarity")


AUDIT_SCORES = {  # by notebook of an arm: by which 20_canary_privacy tells canaries that were in
    "11_generate": ("loss", "loss against base", "gradients", "rank exposure", *OF_TEXTS),
    "12_aug_pe": ("votes", *OF_TEXTS),
}


def canary_privacy(parameters: Parameters) -> None:
    """Its inputs are a corpus and arms, its controls can be made, and its arms have the scores."""
    _check_inputs(parameters, "corpus", others=ARMS)
    arms = {name: str(id).partition(".")[0] for name, id in parameters["inputs"].items() if name != "corpus"}
    if not arms:
        raise DoppelError("inputs: names no arm to audit; add one, as eps8: 11_generate.eps8")
    control = parameters["control"]
    if control is None and "11_generate" in arms.values():
        raise DoppelError("control: an arm of 11_generate needs one without privacy to compare with; name its input")
    if control is not None and arms.get(control) != "11_generate":
        raise DoppelError(f"control = {control!r}: must be an input of 11_generate; {nearest(control, arms)}")
    if len(parameters["copies"]) != len(parameters["repeated"]) or not parameters["copies"]:
        raise DoppelError(
            f"repeated = {parameters['repeated']}: one number for each of copies = {parameters['copies']}"
        )
    _check_bounded(parameters["bounded"], set(arms.values()), control)


def _check_bounded(bounded: Sequence[str], notebooks: set[str], control: str | None) -> None:
    """Every score is known and one is an arm's, and something can fail: without a positive control is no verdict."""
    known = {score for scores in AUDIT_SCORES.values() for score in scores}
    had = {score for notebook in notebooks for score in AUDIT_SCORES[notebook]}
    if not bounded:
        raise DoppelError(f"bounded = []: no score, so no bound and no verdict; name one of {', '.join(sorted(had))}")
    for name in bounded:
        if name not in known:
            raise DoppelError(f"bounded: {name!r} is no score; {nearest(name, had)}")
    if had.isdisjoint(bounded):
        raise DoppelError(f"bounded = {list(bounded)}: scores of no audited arm; theirs are {', '.join(sorted(had))}")
    if control is None and "votes" not in bounded:
        raise DoppelError(f"bounded = {list(bounded)}: without a control only votes can be trusted; add votes")
