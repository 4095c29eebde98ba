"""What is refused about an audit before its kernel starts. Light, as `lib.pipeline.stage_checks`, which lists this."""

from collections.abc import Collection, Mapping

from lib.common.errors import DoppelError, nearest
from lib.methods.registry import ATTACKED, IMAGE_ARMS, TABLE_ARMS, of_arm
from lib.stage.notebook_roles import IMAGES, TABLE, Parameters, check_inputs


def canary_privacy(parameters: Parameters) -> None:
    """Refuse an audit without arms, and text canaries for arms that are no inputs.

    Args:
        parameters: of 20_canary_privacy, resolved.
    """
    check_inputs(parameters, "corpus", others=ATTACKED)
    arms = parameters["inputs"].keys() - {"corpus"}
    if not arms:
        raise DoppelError(
            "pipeline.no_arm",
            "inputs: names no arm to audit",
            name="inputs",
            remedy="add one, as eps8: 11_generate.eps8",
        )
    _check_remade(parameters, arms)
    if len(parameters["copies"]) != len(parameters["repeated"]) or not parameters["copies"]:
        raise DoppelError(
            "pipeline.copies_without_number",
            f"repeated = {parameters['repeated']}: one number for each of copies = {parameters['copies']}",
            name="repeated",
            value=parameters["repeated"],
        )


def vote_privacy(parameters: Parameters) -> None:
    """Refuse an audit of votes without arms of pictures or rows, and arms to be made again that are no inputs.

    Args:
        parameters: of 20_vote_privacy, resolved.
    """
    arms = [arm for arm in (*IMAGE_ARMS, *TABLE_ARMS) if arm in ATTACKED]
    check_inputs(parameters, "corpus", others=arms, corpora=(IMAGES, TABLE))
    if len(parameters["inputs"]) < 2:
        raise DoppelError(
            "pipeline.no_arm",
            "inputs: names no arm to audit",
            name="inputs",
            remedy="add one, as eps8: 15_image_evolution.eps8",
        )
    _check_remade(parameters, parameters["inputs"].keys() - {"corpus"})


def _check_remade(parameters: Parameters, arms: Collection[str]) -> None:
    for name in parameters["remade"]:
        if name not in arms:
            raise DoppelError(
                "pipeline.remade_is_no_arm",
                f"remade: {name!r} is no arm among inputs",
                name="remade",
                value=name,
                remedy=nearest(name, arms),
            )


def text_control(parameters: Parameters, inputs: Mapping[str, Parameters]) -> None:
    """Refuse to make arms again that never saw a record; and those that bring no positive control of their own where
    none of them is the control.

    Args:
        parameters: of 20_canary_privacy, resolved.
        inputs: parameters of its input stages, by the name of the input; they say how an arm is made.
    """
    control, stages = parameters["control"], parameters["inputs"]
    remade = {name: of_arm(stages[name], inputs[name]["inputs"]) for name in parameters["remade"] if name in inputs}
    for method in remade.values():
        if method.audit is None:
            method.make_again()  # raises
    needing = {name: method.arm for name, method in remade.items() if not method.own_control}
    if needing and control not in needing:
        raise DoppelError(
            "pipeline.no_control",
            f"control = {control!r}: arms of {next(iter(needing.values()))} are made again, and one of them, without "
            "privacy, must be caught",
            name="control",
            value=control,
            remedy="name it in remade and here",
        )
    if not needing and control in remade:
        raise DoppelError(
            "pipeline.needless_control",
            f"control = {control!r}: this arm brings a positive control of its own, so it cannot be the one of others",
            name="control",
            value=control,
            remedy="set control: null",
        )
