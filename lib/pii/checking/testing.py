"""What a detector finds in a labelled set, counted under the common convention."""

from collections import Counter
from collections.abc import Callable, Sequence

from lib.pii.checking.common import Translation, aside, outside, places, translation
from lib.pii.checking.scores import Compared, Outcomes
from lib.pii.checking.sets import LabelledSet
from lib.pii.classes import classes
from lib.pii.detectors.detector import Detector
from lib.pii.spans import Span

AT_ONCE = 256  # texts between two steps of a progress bar

Found = list[tuple[Span, ...]]


def found(
    detector: Detector, texts: Sequence[str], progress: Callable[[int], object] = lambda texts_done: None
) -> Found:
    """What a detector finds in each text.

    Args:
        detector: any.
        texts: any number.
        progress: called with the number of texts newly done.
    """
    spans: Found = []
    for start in range(0, len(texts), AT_ONCE):
        part = texts[start : start + AT_ONCE]
        spans += detector.find(part)
        progress(len(part))
    return spans


def both(one: LabelledSet, other: LabelledSet) -> list[str]:
    """The common names of labels that two sets have, in the alphabet's order. All else is left out on both sides.

    Args:
        one: a set.
        other: another.
    """
    names = [
        {name for label, name in side.labels.names.items() if label not in side.labels.aside} for side in (one, other)
    ]
    return sorted((names[0] & names[1]) - {None})


def outcomes(found_spans: Found, scheme: str, labelled: LabelledSet, kept: Sequence[str]) -> Outcomes:
    """What was found in a set beside what is labelled, summed by group.

    Args:
        found_spans: of each text of the set.
        scheme: of the detector that found them.
        labelled: the set.
        kept: common names that are looked at, from `both`.
    """
    labels = translation(scheme, {span.label for spans in found_spans for span in spans})
    return _outcomes(found_spans, labels, labelled, kept)


def own_outcomes(found_spans: Found, labelled: LabelledSet) -> Outcomes:
    """The same for our own 56 classes, of which none is joined or left out.

    Args:
        found_spans: of each text, by a detector of our classes.
        labelled: a set with our classes.
    """
    names = Translation({name: name for name in classes()})
    return _outcomes(found_spans, names, labelled._replace(labels=names), sorted(classes()))


def _outcomes(found_spans: Found, labels: Translation, labelled: LabelledSet, kept: Sequence[str]) -> Outcomes:
    compared = []
    for filled, spans in zip(labelled.filled, found_spans, strict=True):
        left_out = aside(filled, labelled.labels)
        right = places(filled.text, filled.spans, labelled.labels, kept, left_out)
        own = places(filled.text, spans, labels, kept, left_out)
        others = [span[:2] for span in filled.spans if labelled.labels.names[span.label] not in kept]
        masked = [piece for span in spans for piece in outside(span.start, span.end, others)]
        compared.append(Compared(filled.text, right, own, masked))
    return Outcomes.of(compared, kept).grouped(labelled.groups)


def left_out(labelled: LabelledSet, kept: Sequence[str]) -> list[dict]:
    """A row for each class of a set that is not compared: how many spans it has, and why.

    Args:
        labelled: the set.
        kept: common names that are looked at.
    """
    names, apart = labelled.labels
    counted = Counter(span.label for filled in labelled.filled for span in filled.spans)
    return [
        {"set": labelled.name, "class": label, "spans": number, "because": _because(label in apart, names[label])}
        for label, number in sorted(counted.items())
        if label in apart or names[label] not in kept
    ]


def _because(is_apart: bool, name: str | None) -> str:
    if is_apart:
        return "no class of ours: set aside"
    return "the other set has none" if name else "no name in Presidio"
