"""A GLiNER model of a hub: it finds what it is asked for by name (Zaratiana et al., 2024, arXiv:2311.08526).

The package ``gliner`` and its models are no part of the environment, and no hub is at hand where Doppel is tested: the
tests have a stand-in, and no published model was ever run by this file.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from lib.common.errors import DoppelError
from lib.pii.detectors.detector import first_come
from lib.pii.spans import Span
from lib.pii.words import widened

HUB = "hub:"
THRESHOLD = 0.5  # of the model's score, from which a value counts
ASKED = {  # what the model is asked for -> the label in Presidio's names
    "person": "PERSON", "email": "EMAIL_ADDRESS", "phone number": "PHONE_NUMBER", "address": "LOCATION",
    "date of birth": "DATE_TIME", "credit card number": "CREDIT_CARD", "bank account number": "US_BANK_NUMBER",
    "iban": "IBAN_CODE", "social security number": "US_SSN", "ip address": "IP_ADDRESS", "website": "URL",
}  # fmt: skip


class GlinerModel:
    """What a GLiNER model finds, by Presidio's names.

    Args:
        model: ``hub:OWNER/NAME``, so that anybody may know it; a folder of one's own may have seen private records.

    Raises:
        DoppelError: another name of a model.
    """

    name = "gliner"
    scheme = "presidio"

    def __init__(self, model: str | None):
        if model is None or not model.startswith(HUB):
            raise DoppelError(
                "pii.gliner_model",
                f"gliner = {model!r}: the detector gliner needs a public model",
                name="gliner",
                value=model,
                remedy=f"write gliner: {HUB}OWNER/NAME, or leave gliner out of detectors",
            )
        self.model = model.removeprefix(HUB)

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The values of each text.

        Args:
            texts: any; each is read by itself.

        Returns:
            For each text its spans, of the highest scores where some overlap, from left to right.

        Raises:
            DoppelError: the package is not installed.
        """
        found = []
        for text in texts:
            entities = self._loaded.predict_entities(text, list(ASKED), threshold=THRESHOLD)
            spans = []
            for entity in sorted(entities, key=lambda entity: -entity["score"]):
                start, end = widened(text, entity["start"], entity["end"])
                if start < end:
                    spans.append(Span(start, end, ASKED[entity["label"]], text[start:end]))
            found.append(first_come(spans))
        return found

    @cached_property
    def _loaded(self) -> Any:
        try:
            from gliner import GLiNER
        except ImportError:
            raise DoppelError(
                "pii.gliner_missing",
                "the package gliner is not installed",
                name="gliner",
                remedy="pip install gliner, where a hub can be reached",
            ) from None
        return GLiNER.from_pretrained(self.model)
