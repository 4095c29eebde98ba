"""Whether a text that a model or another arm wrote can be filled, and why not."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from lib.common.errors import DoppelError
from lib.pii.classes import classes
from lib.pii.detectors.detector import Detector, overlapped
from lib.pii.slots import Brackets, Parsed, parse
from lib.pii.spans import Span

# beside the kinds of `lib.pii.slots.FAULTS`
NO_SLOT, UNASKED, OUTSIDE, BROKEN = "no slot", "unasked class", "outside slots", "broken characters"


class Judged(NamedTuple):
    """A text that was looked at.

    Attributes:
        parsed: its pieces.
        fault: why it is not taken; None where it is. A key of `lib.pii.slots.FAULTS`, `NO_SLOT`, `UNASKED`,
            `BROKEN` (half a surrogate pair), or `OUTSIDE` with the class: ``outside slots: EMAIL``.
    """

    parsed: Parsed
    fault: str | None


def judge(
    texts: Sequence[str],
    detector: Detector,
    brackets: Brackets,
    asked: Sequence[Collection[str]] | None = None,
) -> list[Judged]:
    """Look at texts.

    What stands in a slot's place is no personal data; what a rule finds elsewhere (an e-mail address, a phone number, a
    name behind *Mr.*) would be unlabelled in the filled text, and teach a detector to overlook it. Rules know nothing
    of names without such a sign.

    Args:
        texts: as they were written.
        detector: finds personal data; `lib.pii.detectors.rules`.
        brackets: aliases and words that are text.
        asked: the classes that each text may have; None: all.

    Returns:
        One of each text.
    """
    judged: list[Judged] = []
    for i, text in enumerate(texts):
        try:
            parsed = parse(text, classes(), brackets)
        except DoppelError:  # half a surrogate pair, which a broken reply may hold
            judged.append(Judged(Parsed(()), BROKEN))
            continue
        judged.append(Judged(parsed, _fault(parsed, None if asked is None else asked[i])))
    fine = [i for i, one in enumerate(judged) if one.fault is None]
    normal = [judged[i].parsed.text for i in fine]  # with aliases as slots
    for i, found in zip(fine, detector.find(normal), strict=True):
        places = [Span(*place, "", "") for place in parse(judged[i].parsed.text, classes()).places]
        outside = [span for span in found if not overlapped(span, places)]
        if outside:
            judged[i] = Judged(judged[i].parsed, f"{OUTSIDE}: {outside[0].label}")
    return judged


def _fault(parsed: Parsed, asked: Collection[str] | None) -> str | None:
    if parsed.faults:
        return parsed.faults[0].kind
    if not parsed.slots:
        return NO_SLOT
    if asked is not None and any(slot.name not in asked for slot in parsed.slots):
        return UNASKED
    return None
