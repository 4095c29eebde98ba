"""What a record costs with a model: its calls, and about how many tokens they take. Light: pre-flight uses it."""

from typing import NamedTuple

from lib.private_records.prompting import PLACES, Prompts, listed_slots

CHARACTERS = 4.0  # of a token of English text, about
FILLED = {  # characters that stand in a request's places, as in records of a large model; slots are counted
    "facts": 250, "day": 10, "titles": 40, "count": 1, "event": 350, "share": 15, "kind": 8, "type": 25, "context": 150,
    "format": 150, "words": 2, "text": 1000, "first": 1000, "second": 1000, "profile": 500, "attributes": 500,
}  # fmt: skip
REPLIED = {  # characters of a reply, by step
    "profile": 1400, "attribute": 12, "record_type": 350, "context": 1000, "format": 1200, "draft": 1000,
    "revise": 1100, "judge": 15, "annotate_profile": 300, "annotate_events": 400, "group": 500,
}  # fmt: skip


class Cost(NamedTuple):
    """Of one record, where no step is asked twice.

    Attributes:
        calls: of the model.
        prompt_tokens: of all requests, roughly.
        reply_tokens: of all replies, roughly.
    """

    calls: int
    prompt_tokens: int
    reply_tokens: int


def times(revisions: int, type_and_format: bool) -> dict[str, int]:
    """How often each step is asked for one record; 13 calls in all with two revisions.

    Args:
        revisions: rounds of revise and judge.
        type_and_format: whether type and layout are asked for.
    """
    rounds = {"revise": revisions, "judge": revisions}
    chosen = dict.fromkeys(("record_type", "format"), int(type_and_format))
    return dict.fromkeys(PLACES, 1) | rounds | chosen


def of_record(prompts: Prompts, revisions: int, type_and_format: bool) -> Cost:
    """The cost of a record.

    Args:
        prompts: what is asked.
        revisions: rounds of revise and judge.
        type_and_format: whether type and layout are asked for.
    """
    filled = {name: "x" * count for name, count in FILLED.items()} | {"slots": listed_slots()}
    asked = times(revisions, type_and_format)
    sent = sum(
        count * len(content) for step, count in asked.items() for _, content in prompts.call(step, **filled).messages
    )
    written = sum(count * REPLIED[step] for step, count in asked.items())
    return Cost(sum(asked.values()), round(sent / CHARACTERS), round(written / CHARACTERS))
