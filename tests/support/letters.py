"""A made-up letter with all it tells, and a model that sanitizes letters as it is told to by the test."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from lib.generation.engines.base import Completion, Request, Sampling, Usage
from lib.private_records.schema import Attribute, Group, Place
from lib.sanitization.case import Original

LETTER = """From: Ada Lovelace <ada.lovelace@example.org>
Date: 14 March 2019
Phone: 425-555-0123

Dear Dr. Lee,

I, Ada Lovelace, born on 3 May 1985, am a 34-year-old Senior Officer and live in Springfield, Illinois. On 14 March 2019
I slipped on the ice near the tram stop and broke my left wrist. The bill of $1,250 came after a wedding dinner. You can
call me at 425-555-0123. At St. Brigid's Hospital I was given ibuprofen 400 mg.

Letters reach me at 12 Main Street, Springfield, Illinois 62701.

Kind regards,
Ada Lovelace""".replace("2019\nI", "2019 I").replace("can\ncall", "can call")

TOLD = {  # name -> value, class
    "full_name": ("Ada Lovelace", "FIRSTNAME"),
    "email": ("ada.lovelace@example.org", "EMAIL"),
    "date": ("14 March 2019", "DATE"),
    "phone": ("425-555-0123", "PHONENUMBER"),
    "last_name_2": ("Lee", "LASTNAME"),
    "date_of_birth": ("3 May 1985", "DOB"),
    "age": ("34", "AGE"),
    "job_title": ("Senior Officer", "JOBTITLE"),
    "city": ("Springfield", "CITY"),
    "state": ("Illinois", "STATE"),
    "fall_place": ("the tram stop", ""),
    "bone": ("left wrist", ""),
    "bill": ("$1,250", ""),
    "attack_time": ("after a wedding dinner", ""),
    "clinic": ("St. Brigid's Hospital", ""),
    "medication": ("ibuprofen 400 mg", ""),
    "house_number": ("12", "BUILDINGNUMBER"),
    "street": ("Main Street", "STREET"),
    "postal_code": ("62701", "ZIPCODE"),
}
GROUPS = (
    Group("who", ("full_name", "date_of_birth", "age")),
    Group("contact", ("phone", "email", "street", "house_number")),
    Group("health", ("bone", "medication", "clinic")),
)


def attributes(text: str = LETTER, told: dict[str, tuple[str, str]] = TOLD) -> tuple[Attribute, ...]:
    """What a text tells of ``told``, with places between word borders."""
    found = []
    for name, (value, label) in told.items():
        matches = re.finditer(rf"(?<![\w-]){re.escape(value)}(?!\w)", text)
        if places := tuple(Place(*match.span()) for match in matches):
            found.append(Attribute(name, value, "profile" if label else "event", label != "", places, label))
    return tuple(found)


def letter(id: str = "record-0", text: str = LETTER) -> Original:
    """The letter as a record."""
    labels = {"record_type": "letter to a hospital", "formal": "yes"}
    return Original(id, text, labels, attributes(text), GROUPS)


class Answers:
    """A chat model that answers each step with what the test gives: a text, or a function of the request.

    Attributes:
        asked: how often each step was asked.
    """

    name = "answers"

    def __init__(self, **replies: str | Callable[[str], str]):
        self._replies, self.usage, self.asked = replies, Usage(), Counter()

    def reply(
        self, requests: Sequence[Request], sampling: Sampling, failed: dict[int, str] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        for place, request in enumerate(requests):
            content = request.messages[-1][1]
            step = next(step for step, words in STEPS.items() if words in content)
            self.asked[step] += 1
            given = self._replies.get(step, DEFAULTS.get(step, ""))
            text = given(content) if callable(given) else given
            yield place, Completion(text, len(text), True)


STEPS = {  # words that a request of the step alone has
    "annotate": "What does this text tell about people?",
    "rank": "Order them by how much",
    "passages": "Which passages of this text tell it",
    "strategy": "in the same way wherever it stands",
    "abstract": "tells the detail",
    "drop": "so that nothing of the detail",
    "instruction": "Write that message alone",
    "guess": "write your best guess",
}


def passage(content: str) -> str:
    """The passage that a request is about."""
    return content.partition("Passage:\n")[2].partition("\n\nRewritten passage:")[0]


def detail(content: str) -> str:
    """The value that a request is about."""
    return re.search(r'the detail "[^"]*" \((.*?)\)', content)[1]


def hide(words: str) -> Callable[[str], str]:
    """A rewriter that writes some words in place of the value, of its words too."""

    def written(content: str) -> str:
        text = passage(content)
        values = detail(content).split("; ")
        for value in (*values, *(word for whole in values for word in whole.split())):
            text = re.sub(re.escape(value), words, text, flags=re.IGNORECASE)
        return text

    return written


DEFAULTS: dict[str, str | Callable[[str], str]] = {
    "strategy": "Use a more general word.",
    "abstract": hide("something"),
    "drop": hide("..."),
    "instruction": "Could you make that less exact, please?",
}
