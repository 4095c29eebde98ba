"""The detectors by name, each imported when it is asked for. Light: pre-flight reads the names."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lib.common.errors import DoppelError, nearest
from lib.pii.detectors.detector import Detector

GLINER, TRAINED = "gliner", "trained"


class _Given(NamedTuple):
    """What detectors are made from, as `load` takes it."""

    locale: str
    gliner: str | None
    folder: Path | None


def _rules(given: _Given) -> Detector:
    from lib.pii.detectors.rules import Rules

    return Rules(given.locale)


def _spacy(given: _Given) -> Detector:
    from lib.pii.detectors.spacy_model import SpacyModel

    return SpacyModel(given.locale)


def _gliner(given: _Given) -> Detector:
    from lib.pii.detectors.gliner_model import GlinerModel

    return GlinerModel(given.gliner)


def _trained(given: _Given) -> Detector:
    from lib.pii.detectors.token_classifier import TokenClassifier

    if given.folder is None:
        raise DoppelError(
            "pii.detector_not_given",
            "the trained detector has no folder",
            name=TRAINED,
            remedy="write inputs: {detector: STAGE}, a stage of 41_pii_check",
        )
    return TokenClassifier.load(given.folder)


DETECTORS: dict[str, Callable[[_Given], Detector]] = {
    "rules": _rules,
    "spacy": _spacy,
    GLINER: _gliner,
    TRAINED: _trained,
}


def load(name: str, locale: str, *, gliner: str | None = None, folder: Path | None = None) -> Detector:
    """A detector, ready to find.

    Args:
        name: a key of `DETECTORS`.
        locale: of the texts: ``en_US``.
        gliner: the model of `GLINER`, ``hub:OWNER/NAME``.
        folder: that a stage of 41_pii_check saved the detector in, for `TRAINED`.

    Raises:
        DoppelError: an unknown name or locale; a detector that is not for this language, or that cannot be loaded.
    """
    check_names([name])
    return DETECTORS[name](_Given(locale, gliner, folder))


def check_names(names: Sequence[str]) -> None:
    """Refuse a detector that there is not.

    Args:
        names: that must be keys of `DETECTORS`.

    Raises:
        DoppelError: for the first that is none.
    """
    for name in names:
        if name not in DETECTORS:
            raise DoppelError(
                "pii.unknown_detector",
                f"detectors: {name!r} is not known",
                name="detectors",
                value=name,
                remedy=nearest(name, DETECTORS),
            )
