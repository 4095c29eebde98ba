"""The calls of a record, and the rough number of their tokens."""

from lib.private_records.cost import FILLED, REPLIED, of_record, times
from lib.private_records.prompting import PLACES, Prompts


def test_thirteen_calls_with_two_revisions_and_seven_of_the_shortest() -> None:
    assert sum(times(2, True).values()) == 13 and sum(times(0, False).values()) == 7


def test_every_place_and_every_reply_has_a_length() -> None:
    assert {name for needed, allowed in PLACES.values() for name in needed | allowed} == {*FILLED, "slots"}
    assert REPLIED.keys() == PLACES.keys()


def test_more_revisions_cost_more() -> None:
    some, more = of_record(Prompts(), 1, True), of_record(Prompts(), 3, True)
    assert more.calls == some.calls + 4
    assert 3000 < some.prompt_tokens < more.prompt_tokens < 20_000 and some.reply_tokens < more.reply_tokens
