"""The detectors by name, each loaded when it is asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lib.common.errors import DoppelError, nearest
from lib.pii.detectors.detector import Detector

TRAINED = "trained"


class Entry(NamedTuple):
    """How a detector is told of and loaded.

    Attributes:
        title: for people.
        load: makes it, from the locale of the texts and the folder that a stage 41 saved its detector in.
    """

    title: str
    load: Callable[[str, Path | None], Detector]


def _rules(locale: str, _: Path | None) -> Detector:
    from lib.pii.detectors.rules import Rules

    return Rules(locale)


def _spacy(locale: str, _: Path | None) -> Detector:
    from lib.pii.detectors.spacy_model import SpacyModel

    return SpacyModel(locale)


def _trained(_: str, folder: Path | None) -> Detector:
    from lib.pii.detectors.token_classifier import TokenClassifier

    if folder is None:
        raise DoppelError(
            "pii.detector_not_given",
            "the trained detector has no folder",
            name=TRAINED,
            remedy="write inputs: {detector: STAGE}, a stage of 41_pii_check",
        )
    return TokenClassifier.load(folder)


DETECTORS = {
    "rules": Entry("patterns with validators", _rules),
    "spacy": Entry("spaCy's en_core_web_sm 3.8.0, named entities", _spacy),
    TRAINED: Entry("the detector that a stage of 41_pii_check trained", _trained),
}


def load(name: str, locale: str, folder: Path | None = None) -> Detector:
    """A detector, ready to find.

    Args:
        name: a key of `DETECTORS`.
        locale: of the texts: ``en_US``.
        folder: ``detector/`` of a finished stage of 41_pii_check, for ``trained``; else it is not looked at.

    Raises:
        DoppelError: an unknown name or locale; a detector that cannot be loaded, or not for this language.
    """
    if name not in DETECTORS:
        raise DoppelError(
            "pii.unknown_detector",
            f"detectors: {name!r} is not known",
            name="detectors",
            value=name,
            remedy=nearest(name, DETECTORS),
        )
    return DETECTORS[name].load(locale, folder)
