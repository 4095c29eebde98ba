"""Who says what a text tells: the record itself, detectors of personal data, or a language model."""

from collections.abc import Sequence

from lib.generation.workflow import Steps
from lib.pii.detectors.detector import Detector, united
from lib.pii.entities import as_classes, numbered
from lib.pii.spans import Filled
from lib.private_records.places import of_slots
from lib.private_records.schema import Attribute, Group
from lib.sanitization.case import Original
from lib.sanitization.rule_table import RuleTable, table

Told = tuple[Sequence[Attribute], Sequence[Group]]


class Given:
    """What the record says itself: places that are exact by construction."""

    def annotate(self, original: Original) -> Steps[Told]:
        """See `lib.sanitization.sanitize.Annotator`.

        Args:
            original: the record.
        """
        return original.attributes, original.groups
        yield  # asks nothing


class Detected:
    """What detectors find, each text by itself: attributes by class and person, in the groups of the rules.

    A form of address (*Ms.*) is no attribute of its own: it goes with the name behind it.

    Args:
        detectors: the surest first.
        rules: with the groups; None: those of prompts/sanitization/rules.yaml.
    """

    def __init__(self, detectors: Sequence[Detector], rules: RuleTable | None = None):
        self._detectors, self._rules = detectors, rules or table()

    def annotate(self, original: Original) -> Steps[Told]:
        """See `lib.sanitization.sanitize.Annotator`.

        Args:
            original: the record.
        """
        text = original.text
        found = []
        for number, detector in enumerate(self._detectors):
            (spans,) = detector.find([text])
            found.append([span._replace(person=number) for span in spans])
        classed = (one for span in united(text, found) for one in as_classes(span, self._detectors[span.person].scheme))
        spans = [span for span in numbered(text, list(classed)) if span.label != "PREFIX"]
        attributes = of_slots(Filled(text, tuple(spans)))
        return attributes, self._rules.grouped(attributes)
        yield  # asks nothing
