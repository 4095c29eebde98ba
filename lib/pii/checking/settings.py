"""What is refused of the parameters of 41_pii_check before it starts. Light: nothing here imports torch."""

from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.models.pretrained import check_name
from lib.pii.checking.common import translation
from lib.pii.detectors.registry import DETECTORS, TRAINED
from lib.pii.locales import locale_named
from lib.stage.notebook_roles import Parameters, check_only_input


def check(parameters: Parameters) -> None:
    """Refuse what cannot work.

    Args:
        parameters: of 41_pii_check, resolved.

    Raises:
        DoppelError: inputs other than one set of 40_pii_text, a folder without an encoder, an unknown locale, scheme,
            common name or detector, or a reference that is not there.
    """
    check_only_input(parameters, "synthetic")
    check_name(parameters["classifier"])
    locale_named(parameters["locale"])
    translation(parameters["reference_scheme"], (), parameters["reference_labels"])
    for name in parameters["beside"]:
        if name not in DETECTORS or name == TRAINED:
            raise DoppelError(
                "pii.no_detector_beside",
                f"beside: {name!r} is no detector that needs no training",
                name="beside",
                value=name,
                remedy=nearest(name, set(DETECTORS) - {TRAINED}),
            )
    path = parameters["reference"]
    if path is not None and not Path(path).is_file():
        raise DoppelError(
            "pii.no_reference_file",
            f"reference: {path}: no such file",
            name="reference",
            value=path,
            remedy="paths are from the project's folder",
        )
