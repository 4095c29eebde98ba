"""Private records for tests: an author that asks nobody, a model that knows each step, tasks and embeddings."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np

from lib.generation.engines.base import Completion, Request, Sampling, Usage
from lib.private_records.author import Life, RecordType
from lib.private_records.people import new_task
from lib.private_records.schema import Attribute, Event, Group
from lib.private_records.seeds import FILE, Table
from lib.private_records.task import Task
from support.project import ROOT

COUNTRIES = {"United States": 1.0}
ILLNESSES = ("a broken wrist", "shingles", "a burst appendix", "sciatica")
FILLER = "It is written down here so that nobody has to tell it twice, and kept with the other papers of that year."


def table() -> Table:
    return Table(ROOT / FILE)


def tasks(count: int, seed: int = 0, **given: str) -> list[Task]:
    lists = table()
    return [new_task(f"record-{i:06d}", seed, given, lists, COUNTRIES, "plausible") for i in range(count)]


class ToyAuthor:
    """Draws short texts; every step is one of `lib.private_records.author.Author`."""

    def __init__(self, likes: Callable[[str], object] = len):
        self._likes = likes  # the judge prefers the text for which it is larger, the first where both are equal

    def profile(self, task: Task, events: int) -> Iterator:
        rng = task.rng("profile")
        made = [
            Event(f"visit {number}", {"illness": rng.choice(ILLNESSES), "cost": f"{rng.randint(20, 90)} dollars"})
            for number in range(events)
        ]
        return Life({"hobby": "chess", "first_name": "dropped"}, tuple(made))
        yield

    def attribute(self, task, profile, situation) -> Iterator:
        return "illness"
        yield

    def record_type(self, task, profile, situation) -> Iterator:
        return RecordType("note", task.rng("type").random() < 0.5)
        yield

    def context(self, task, profile, situation) -> Iterator:
        return f"about {profile.events[situation.event].title}"
        yield

    def format(self, task, profile, situation) -> Iterator:
        return "plain"
        yield

    def draft(self, task, profile, situation) -> Iterator:
        event = profile.events[situation.event].attributes
        return (
            f"[FIRSTNAME] [LASTNAME], born on [DOB], came in with {event['illness']} and paid {event['cost']}. "
            f"[FIRSTNAME] can be reached at [EMAIL]. Dr. [LASTNAME_2] signed. {FILLER}"
        )
        yield

    def revise(self, task, profile, situation, text, round) -> Iterator:
        return f"{text} {task.rng(f'revise.{round}').choice(['Seen again.', 'No change since then.', 'Better now.'])}"
        yield

    def judge(self, task, profile, situation, pair, round) -> Iterator:
        return int(self._likes(pair[1]) > self._likes(pair[0]))
        yield

    def annotate(self, task, profile, situation, text) -> Iterator:
        event = profile.events[situation.event].attributes
        told = [Attribute(name, value, "event", False) for name, value in event.items()]
        return (*told, Attribute("hobby", "chess", "profile", False))
        yield

    def group(self, task, text, attributes) -> Iterator:
        return (Group("all", tuple(one.name for one in attributes)), Group("unknown", ("nothing",)))
        yield


def embed(text: str) -> np.ndarray:
    """Sums of a vector for each word: texts that share words are near each other."""
    rows = [np.frombuffer(blake2b(word.encode(), digest_size=16).digest(), np.int8) for word in text.split()]
    return np.sum(np.array(rows, np.float32), axis=0)


STEPS = {  # what only the request of a step has
    "profile": '"events" is a list', "attribute": "Which one of these details", "record_type": "Name ten different",
    "context": "Make up five", "format": "Describe ten", "draft": "\nWhat happened:", "revise": "Rewrite it",
    "judge": "Which version", "annotate_profile": "Which of these facts", "annotate_events": "details does the text",
    "group": "Put them into",
}  # fmt: skip

TEXT = (
    "Dear team, this is [FIRSTNAME] [LASTNAME] again. On Monday I fell off a ladder and broke my left wrist, which "
    "cost me 340 dollars at the clinic on Elm Street. I play the cello, so please write to [EMAIL] soon. {} "
    "Yours, [FIRSTNAME]"
)
DETAILS = {"injury": "left wrist", "cost": "340 dollars", "day": "Friday"}
GOOD: Mapping[str, str] = {
    "profile": json.dumps(
        {
            "attributes": {"hobby": "the cello", "diet": "vegan"},
            "events": [
                {"title": "a fall", "attributes": {"injury": "left wrist", "cost": "340 dollars", "day": "Friday"}}
            ]
            * 3,
        }
    ),
    "attribute": "injury",
    "record_type": json.dumps([f"kind {i}" for i in range(10)]),
    "context": json.dumps([f"[FIRSTNAME] writes to the insurer, case {i}" for i in range(5)]),
    "format": json.dumps([f"layout {i}" for i in range(10)]),
    "draft": TEXT.format("Thank you for your patience with me."),
    "revise": TEXT.format("It hurts at night, and I can not hold a bow."),
    "judge": '{"better": "B"}',
    "annotate_profile": '{"hobby": "the cello", "diet": "vegan"}',
    "annotate_events": '{"injury": "left wrist", "cost": "340 dollars", "place": "the clinic on Elm Street"}',
    "group": '{"health": ["injury"], "money": ["cost"], "contact": ["email", "full_name"], "all": ["injury", "hobby"]}',
}


class StepModel:
    """A chat model that answers each step of a record with a prepared reply.

    Args:
        **replies: by step, in place of those in `GOOD`; of a list, one a request, the last of them for all others; or a
            function of the request.
    """

    name = "steps"

    def __init__(self, **replies: str | list[str] | Callable[[Request], str]):
        self.replies = {step: [reply] if isinstance(reply, str) else reply for step, reply in replies.items()}
        self.usage, self.asked, self.calls = Usage(), [], Counter()

    def reply(
        self, requests: Sequence[Request], sampling: Sampling, failed: dict[int, str] | None = None
    ) -> Iterator[tuple[int, Completion]]:
        for position, request in enumerate(requests):
            step = step_of(request)
            self.asked.append((step, request, sampling))
            self.calls[step] += 1
            given = self.replies.get(step, [GOOD[step]])
            text = given(request) if callable(given) else given.pop(0) if len(given) > 1 else given[0]
            yield position, Completion(text, tokens=9, ended=True)


def step_of(request: Request) -> str:
    """Which step a request is of."""
    (step,) = [step for step, sign in STEPS.items() if sign in request.messages[-1][1] and not _also(step, request)]
    return step


def _also(step: str, request: Request) -> bool:
    return step == "draft" and STEPS["revise"] in request.messages[-1][1]
