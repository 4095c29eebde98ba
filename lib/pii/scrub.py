"""Takes personal data out of private records before anything learns from them, one record at a time.

Unit and neighbours: those of the corpus stage that the records come from (add or remove one record, or one user).
Stability: the scrubbed train set is made from the train set by one fixed function of a record, `Scrubber.scrub`, which
sees that record alone: its detectors and its settings are public, it remembers nothing, each text is handed to each
detector in a call of its own (in a batch, floating point sums could depend on the neighbours), and a surrogate is drawn
from a seed and this record. So records map to records one to one, with the same ids, users and labels; train sets that
differ by one unit become train sets that differ by that unit; and a mechanism that is (epsilon, delta)-DP on scrubbed
records is so on the original ones. It costs nothing, and gives no guarantee by itself: what no detector finds stays.

Records that become equal stay, each for itself. Dropping one of them would let a record decide about another user's,
and nothing behind needs them to differ: DP-SGD, votes and counts take a list of records, of which each adds its own
part.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Literal, NamedTuple, get_args

from lib.common.errors import DoppelError, nearest
from lib.data.hash_order import rank
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.pii.classes import classes, named
from lib.pii.detectors.detector import Detector, united
from lib.pii.entities import as_classes, numbered
from lib.pii.slots import Slot
from lib.pii.spans import Span
from lib.pii.values import Ranges, Values

Mode = Literal["slots", "surrogates", "masks"]
MASK = "XXXX"  # the same for every class and length
IDENTIFIERS = {"direct": "DIRECT", "quasi": "QUASI"}  # words for all classes that identify so

Found = Counter[tuple[str, str]]  # (detector, class) -> how many values


class Scrubbed(NamedTuple):
    """A text without what was found in it.

    Attributes:
        text: private still: it is a record.
        found: how many values of each class each detector had taken out.
    """

    text: str
    found: Found


class Scrubber:
    """Replaces personal data in a text.

    Args:
        detectors: that look for it, the surest first: where two overlap, the earlier one names the class. They are
            public: nothing private made them.
        take: names of the classes that are taken out (`chosen`); all else stays.
        mode: what stands in place of a value. ``slots``: its class and the number of its person, ``[EMAIL_2]``, as
            40_pii_text fills them. ``surrogates``: a made-up value, the same for each mention. ``masks``: `MASK`.
        locale: of the surrogates: ``en_US``.
        reference: the day on which the texts are taken to be written, for surrogates.
        ranges: of surrogates; see `lib.pii.values.Values`.
        seed: of the surrogates.

    Raises:
        DoppelError: an unknown mode, locale or range.
    """

    def __init__(
        self,
        detectors: Sequence[Detector],
        *,
        take: Collection[str],
        mode: Mode = "slots",
        locale: str = "en_US",
        reference: date = date(2026, 1, 31),
        ranges: Ranges = "plausible",
        seed: int = 0,
    ):
        if mode not in get_args(Mode):
            remedy = nearest(mode, get_args(Mode))
            raise DoppelError("pii.unknown_mode", f"mode = {mode!r}", name="mode", value=mode, remedy=remedy)
        Values(0, locale, reference, ranges)  # refuses now what no record could be filled with
        self.detectors, self.take, self.mode = detectors, frozenset(take), mode
        self._values = lambda key: Values(rank(seed, "scrub", key), locale, reference, ranges)

    def scrub(self, text: str, key: str) -> Scrubbed:
        """The text with each value replaced.

        Brackets right around a value go with it: of ``[a@b.com]`` a nested slot would be left.

        Args:
            text: of a record.
            key: of the record, its whole content; surrogates depend on it.
        """
        by_detector = [self._found(number, text) for number in range(len(self.detectors))]
        ours = [one for span in united(text, by_detector) for one in self._classes(span)]
        spans = numbered(text, ours)
        found = Counter((self.detectors[one.person].name, span.label) for one, span in zip(ours, spans, strict=True))
        write = self._writer(key)
        pieces, done = [], 0
        for span in spans:
            start, end = span.start, span.end
            if start > done and text[start - 1] == "[" and text[end : end + 1] == "]":
                start, end = start - 1, end + 1
            pieces += [text[done:start], write(span)]
            done = end
        return Scrubbed("".join(pieces) + text[done:], found)

    def text(self, text: str) -> str:
        """A text by itself, scrubbed; surrogates depend on the text alone."""
        return self.scrub(text, text).text

    def records(
        self, records: Iterable[Record], done: Callable[[int], object] = bool
    ) -> Iterator[tuple[Record, Found]]:
        """Each record with its text scrubbed; id, labels and user stay.

        Args:
            records: private.
            done: called with 1 after each record.
        """
        for record in records:
            text, found = self.scrub(record.text.reveal(), record.content)
            yield replace(record, text=PrivateText(text)), found
            done(1)

    def _found(self, number: int, text: str) -> list[Span]:
        """What a detector finds of the classes that are taken out; its number stands where the person will."""
        (spans,) = self.detectors[number].find([text])
        found = [span._replace(person=number) for span in spans]
        return [span for span in found if self._classes(span)]

    def _classes(self, span: Span) -> list[Span]:
        ours = as_classes(span, self.detectors[span.person].scheme)
        return [one for one in ours if one.label in self.take]

    def _writer(self, key: str) -> Callable[[Span], str]:
        if self.mode == "masks":
            return lambda span: MASK
        if self.mode == "slots":
            return lambda span: str(Slot(span.label, span.person))
        values = self._values(key)
        return lambda span: values.value(span.label, span.person)


def chosen(names: Iterable[str]) -> frozenset[str]:
    """The classes that are to be taken out.

    Args:
        names: of classes, ``EMAIL``; ``direct`` stands for all that tell alone who somebody is, ``quasi`` for all that
            do so with others (the column ``identifier`` of ``classes.csv``).

    Raises:
        DoppelError: an unknown name.
    """
    found = set()
    for name in names:
        kind = IDENTIFIERS.get(name)
        found |= (
            {entry.name for entry in classes().values() if entry.identifier == kind} if kind else {named(name).name}
        )
    return frozenset(found)
