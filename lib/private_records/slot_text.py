"""A slot text that an author wrote: whether it can be a record, and its values written in."""

from functools import cache
from pathlib import Path

from lib.common.errors import DoppelError
from lib.data.tokenize import count
from lib.generation.refusals import is_refusal
from lib.generation.reply_cleanup import clean
from lib.generation.workflow import Unusable
from lib.pii.classes import classes
from lib.pii.detectors.detector import Detector, overlapped
from lib.pii.slots import Brackets, parse, read_brackets
from lib.pii.spans import Filled, Span, fill
from lib.private_records.fields import slots
from lib.private_records.task import Task

BRACKETS = Path("prompts/pii/brackets.yaml")


@cache
def brackets() -> Brackets:
    """What brackets mean that are no slots."""
    return read_brackets(BRACKETS, slots())


def usable(text: str, min_words: int) -> str:
    """A slot text that can be filled, without remarks around it.

    Args:
        text: as it was written.
        min_words: words that it has at least, see `lib.data.tokenize.count`.

    Returns:
        The text, with aliases (``[Your Name]``) as slots.

    Raises:
        Unusable: a refusal, a text that is too short or has broken characters, or a bracket that is neither slot nor
            text, by its kind in `lib.pii.slots.FAULTS`.
    """
    text = clean(text, one_line=False)
    if is_refusal(text):
        raise Unusable("refusal")
    try:
        parsed = parse(text, slots(), brackets())
    except DoppelError:
        raise Unusable("broken characters") from None
    if parsed.faults:
        raise Unusable(f"bracket: {parsed.faults[0].kind}")
    if count(parsed.text) < min_words:
        raise Unusable("too short")
    return parsed.text


def check_outside(text: str, detector: Detector) -> str:
    """A slot text without a name, number or address outside its slots, as far as a detector sees it.

    Args:
        text: of `usable`.
        detector: with the classes of lib/pii as labels.

    Returns:
        The text.

    Raises:
        Unusable: something that names or reaches somebody stands outside the slots; with its class.
    """
    slot_places = [Span(*place, "", "") for place in parse(text, slots(), brackets()).places]
    for span in detector.find([text])[0]:
        if classes()[span.label].identifier == "DIRECT" and not overlapped(span, slot_places):
            raise Unusable(f"outside slots: {span.label}")
    return text


def filled(text: str, task: Task) -> Filled:
    """The text with values, and where they stand.

    Args:
        text: a slot text of `usable`.
        task: of the record.
    """
    return fill(parse(text, slots(), Brackets({}, brackets().literals)), task.value)
