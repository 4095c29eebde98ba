"""What is refused of the parameters of 41_pii_check before it starts. Light: nothing here imports torch."""

from pathlib import Path

from lib.common.errors import DoppelError
from lib.models.pretrained import BUNDLED_ENCODERS, check_name
from lib.pii.checking.common import translation
from lib.pii.detectors.registry import GLINER, TRAINED, check_names
from lib.pii.locales import locale_named
from lib.stage.notebook_roles import Parameters, check_only_input


def check(parameters: Parameters) -> None:
    """Refuse what cannot work.

    Args:
        parameters: of 41_pii_check, resolved.

    Raises:
        DoppelError: inputs other than one set of 40_pii_text, a folder without an encoder, an unknown locale, scheme,
            common name or detector, a detector gliner without its model, or a reference that is not there.
    """
    check_only_input(parameters, "synthetic")
    check_name(parameters["classifier"], BUNDLED_ENCODERS)
    locale_named(parameters["locale"])
    translation(parameters["reference_scheme"], (), parameters["reference_labels"])
    check_names(parameters["beside"])
    if TRAINED in parameters["beside"]:
        raise DoppelError(
            "pii.trained_beside",
            "beside: trained is what this notebook trains",
            name="beside",
            value=parameters["beside"],
            remedy="leave it out",
        )
    if (GLINER in parameters["beside"]) != (parameters["gliner"] is not None):
        raise DoppelError(
            "pii.gliner_alone",
            "gliner among beside and the parameter gliner come together",
            name="gliner",
            value=parameters["gliner"],
            remedy="write beside: [..., gliner] with gliner: hub:OWNER/NAME, or neither",
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
