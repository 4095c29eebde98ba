"""Slot texts that can be records, and those that cannot."""

import pytest
from support.record_toys import TEXT, tasks

from lib.generation.workflow import Unusable
from lib.pii.detectors.rules import Rules
from lib.private_records import slot_text

GOOD = TEXT.format("So much for that.")


def test_a_remark_before_the_text_and_aliases_are_mended() -> None:
    assert slot_text.usable(f"Sure, here is the text:\n{GOOD} [Your Name], [PASSPORT] [sic]", 32) == (
        f"{GOOD} [FIRSTNAME] [LASTNAME], [PASSPORT] [sic]"
    )


@pytest.mark.parametrize(
    "text, reason",
    [("Hello [FIRSTNAME]", "too short"), (GOOD + " [Date of visit]", "bracket: unresolved"),
     (GOOD + " [email_address", "bracket: unclosed"), ("I cannot assist with that request. " + GOOD, "refusal"),
     (GOOD + "\ud800", "broken characters"), (GOOD + " [HATSIZE]", "bracket: unknown")],
)  # fmt: skip
def test_what_cannot_be_filled_says_why(text: str, reason: str) -> None:
    with pytest.raises(Unusable) as error:
        slot_text.usable(text, 32)
    assert error.value.reason == reason


def test_only_what_names_somebody_may_not_stand_outside_slots() -> None:
    rules = Rules("en_US")
    fine = GOOD + " On 3 May 2019 at 10:30 I paid $40."
    assert slot_text.check_outside(fine, rules) == fine
    with pytest.raises(Unusable) as error:
        slot_text.check_outside(GOOD + " Call 212-555-0187.", rules)
    assert error.value.reason == "outside slots: PHONENUMBER"


def test_the_text_is_filled_with_the_persons_values() -> None:
    (task,) = tasks(1)
    filled = slot_text.filled(GOOD, task)
    assert filled.text.startswith(f"Dear team, this is {task.known['first_name']} {task.known['last_name']} again.")
    assert [span.person for span in filled.spans] == [1, 1, 1, 1]
