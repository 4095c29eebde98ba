"""What can be refused about a stage's parameters before its kernel starts, beyond their types and ranges.

A check takes the resolved parameters and raises DoppelError. It must stay light: importing this file may not import
torch or transformers. The checks of a method's own notebooks stand in its entry (`lib.methods.registry`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from lib.common.errors import DoppelError, nearest
from lib.methods.dp_lora.method import check_lora
from lib.methods.method import Check, CorpusCheck, InputCheck, Method
from lib.methods.pii_text import method as pii_text_method
from lib.methods.private_records import method as private_records_method
from lib.methods.registry import IMAGE_ARMS, METHODS, TABLE_ARMS, TEXT_ARMS
from lib.methods.sanitization import method as sanitization_method
from lib.pipeline import audit_checks, corpus_checks
from lib.stage.notebook_roles import (
    AUDIT,
    CORPORA,
    CORPUS,
    IMAGES,
    TABLE,
    VOTE_AUDIT,
    Parameters,
    check_input,
    check_inputs,
)


def scrub(parameters: Parameters) -> None:
    """Refuse another corpus than one of 00_process_data, and detectors, classes and locales that are not there.

    Args:
        parameters: of 01_scrub, resolved.
    """
    from lib.pii import scrub_stage

    scrub_stage.check(parameters)


def fidelity(parameters: Parameters) -> None:
    """Refuse a floor that is no arm, and an encoder that judges what it selected.

    Args:
        parameters: of 21_fidelity, resolved.
    """
    _check_floor(parameters)
    _check_independent(parameters)


def _check_independent(parameters: Parameters) -> None:
    if parameters["encoder"] == parameters["voting_encoder"]:
        raise DoppelError(
            "pipeline.one_encoder",
            f"encoder = {parameters['encoder']!r} is the voting_encoder as well; what selected an arm cannot judge it",
            name="encoder",
            value=parameters["encoder"],
            remedy="name another, or set voting_encoder: null where no arm votes with it",
        )


def image_fidelity(parameters: Parameters) -> None:
    """Refuse a floor that is no arm of pictures, and a space that is unknown or judges what it selected.

    Args:
        parameters: of 21_image_fidelity, resolved.
    """
    from lib.evaluation.images.space_name import check_space

    image_utility(parameters)
    check_space(parameters["encoder"], "encoder")
    _check_independent(parameters)
    if parameters["voting_encoder"] is not None:
        check_space(parameters["voting_encoder"], "voting_encoder")


def image_utility(parameters: Parameters) -> None:
    """Refuse a floor that is no arm of pictures.

    Args:
        parameters: of 22_image_utility, resolved.
    """
    _check_floor(parameters, IMAGE_ARMS, (IMAGES,))


def utility(parameters: Parameters) -> None:
    """Refuse a floor that is no arm, settings of LoRA that PEFT does not know, and rating sheets that are not there.

    Args:
        parameters: of 22_utility, resolved.
    """
    _check_floor(parameters)
    check_lora(parameters["lora"])
    for rater, path in parameters["ratings"].items():
        if not Path(path).is_file():
            raise DoppelError(
                "pipeline.no_rating_sheet",
                f"ratings: {rater}: {path}: no such file",
                name="ratings",
                value=path,
                remedy="paths are from the project's folder",
            )


def _check_floor(parameters: Parameters, arms: Sequence[str] = TEXT_ARMS, corpora: Sequence[str] = CORPORA) -> None:
    check_inputs(parameters, "corpus", others=arms, corpora=corpora)
    names = [name for name in parameters["inputs"] if name != "corpus"]
    if parameters["floor"] not in names:
        raise DoppelError(
            "pipeline.floor_is_no_arm",
            f"floor = {parameters['floor']!r} is no arm among inputs",
            name="floor",
            value=parameters["floor"],
            remedy=nearest(parameters["floor"], names),
        )


def compare(parameters: Parameters) -> None:
    """Refuse inputs that are no corpus, arm or measuring stage, and releases that are no arm.

    Args:
        parameters: of 30_compare, resolved.
    """
    from lib.scorecard import inputs

    inputs.check_release(parameters["release"], inputs.split(parameters["inputs"]))


def pii_text(parameters: Parameters) -> None:
    """Refuse an input without slot texts; fields, styles, locales and files that are not there; and too few samples.

    Args:
        parameters: of 40_pii_text, resolved.
    """
    from lib.pii.writing import settings

    for name, stage in parameters["inputs"].items():
        check_input(name, stage, [notebook for notebook in TEXT_ARMS if notebook != pii_text_method.WRITES], "arm")
    settings.check(parameters)


def pii_check(parameters: Parameters) -> None:
    """Refuse inputs other than one set of 40_pii_text, a reference that is not there, and unknown detectors.

    Args:
        parameters: of 41_pii_check, resolved.
    """
    from lib.pii.checking import settings

    settings.check(parameters)


def private_records(parameters: Parameters) -> None:
    """Refuse countries, seeds, prompts and a server that cannot be used.

    Args:
        parameters: of 50_private_records, resolved.
    """
    from lib.private_records import settings

    settings.check(parameters)


def sanitize(parameters: Parameters) -> None:
    """Refuse an input that is no arm, and prompts, rules and a server that cannot be used.

    Args:
        parameters: of 51_sanitize, resolved.
    """
    from lib.sanitization import settings

    settings.check(parameters)
    for name, stage in parameters["inputs"].items():
        if name == sanitization_method.ARM:  # the notebooks of the others are known below
            check_input(name, stage, [one for one in TEXT_ARMS if one != sanitization_method.WRITES], "arm")


def table_quality(parameters: Parameters) -> None:
    """Refuse inputs that are no corpus of rows or no arm of rows.

    Args:
        parameters: of 23_table_quality, resolved.
    """
    check_inputs(parameters, "corpus", others=TABLE_ARMS, corpora=(TABLE,))


MEASURING: dict[str, Callable[[Parameters], None]] = {
    CORPUS: corpus_checks.process_data,
    IMAGES: corpus_checks.process_images,
    TABLE: corpus_checks.process_table,
    "01_scrub": scrub,
    AUDIT: audit_checks.canary_privacy,
    VOTE_AUDIT: audit_checks.vote_privacy,
    "21_fidelity": fidelity,
    "22_utility": utility,
    "21_image_fidelity": image_fidelity,
    "22_image_utility": image_utility,
    "23_table_quality": table_quality,
    "30_compare": compare,
    "41_pii_check": pii_check,
    sanitization_method.WRITES: sanitize,
}
FURTHER: dict[str, Check] = {
    pii_text_method.WRITES: pii_text,
    private_records_method.WRITES: private_records,
}


def _check_candidates(method: Method, check: Check) -> Check:
    """The check of a method that selects, which cannot know the other methods: its inputs are arms."""

    def checked(parameters: Parameters) -> None:
        check_inputs(parameters, "corpus", others=TEXT_ARMS)
        check(parameters)

    return checked if method.selects else check


def _both(first: Check, then: Check | None) -> Check:
    """A check of a method's own, and one for which it would have to import what lies above it."""

    def checked(parameters: Parameters) -> None:
        first(parameters)
        then(parameters)

    return first if then is None else checked


CHECKS: dict[str, Check] = MEASURING | {
    name: _both(_check_candidates(method, check), FURTHER.get(name))
    for method in METHODS
    for name, check in method.checks.items()
}
WITH_CORPUS: dict[str, CorpusCheck] = {
    name: check for method in METHODS for name, check in method.corpus_checks.items()
}
WITH_INPUTS: dict[str, InputCheck] = {AUDIT: audit_checks.text_control} | {
    name: check for method in METHODS for name, check in method.input_checks.items()
}
