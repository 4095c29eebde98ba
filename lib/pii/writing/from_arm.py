"""Slot texts that another arm wrote: taken where they can be filled, dropped and counted where not."""

from collections import Counter
from collections.abc import Sequence

from lib.data.records import Record
from lib.pii.detectors.detector import Detector
from lib.pii.slots import Brackets
from lib.pii.writing.acceptance import judge
from lib.pii.writing.asking import Written, text_id
from lib.pii.writing.grammar import SlotText


def take(records: Sequence[Record], detector: Detector, brackets: Brackets) -> Written:
    """Look at an arm's texts. Each is looked at alone: this is post-processing, and costs no privacy.

    Args:
        records: of the arm.
        detector: finds personal data outside slots.
        brackets: aliases and words that are text.

    Returns:
        One text a record; None where it cannot be taken.
    """
    judged = judge([record.text.reveal() for record in records], detector, brackets)
    texts = [None if one.fault else SlotText(one.parsed.text, text_id(one.parsed.text)) for one in judged]
    rejected = Counter(one.fault for one in judged if one.fault)
    return Written(texts, rejected, sum(one.parsed.mapped for one in judged if not one.fault))
