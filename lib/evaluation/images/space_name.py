"""Names of spaces in which pictures are compared. Pre-flight reads them, so this file loads no network."""

from lib.common.errors import DoppelError
from lib.models.image_encoders import FORM, check_encoder

RENDERS = "renders"
IMAGENET = "efficientnet-lite0"


def check_space(name: str, parameter: str) -> int | None:
    """The seed of a space ``renders:SEED``; None for `IMAGENET` and for an encoder of pictures.

    Args:
        name: of the space.
        parameter: that names it, for the refusal.

    Raises:
        DoppelError: there is no such space.
    """
    if name == IMAGENET:
        return None
    kind, _, seed = name.partition(":")
    if kind != RENDERS:
        check_encoder(name)
        return None
    if not seed.isdecimal():
        raise DoppelError(
            "evaluation.space_unknown",
            f"{parameter} = {name!r} has no seed",
            name=parameter,
            value=name,
            remedy=f"write {RENDERS}:0, {IMAGENET}, or {FORM}",
        )
    return int(seed)
