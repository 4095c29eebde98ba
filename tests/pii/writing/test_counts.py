"""The checker sees a wrong label, and finds none in what is written."""

import pytest
from support.errors import refused
from support.pii_writing import plan_of, real

from lib.pii.classes import classes
from lib.pii.spans import Filled
from lib.pii.writing import counts, rows

GRAMMAR = real()
PLAN = plan_of(24, fields=GRAMMAR.fields[:3], styles=GRAMMAR.styles[:4], messy=0.3)
ROWS = [rows.of_task(PLAN, PLAN.task(number), GRAMMAR) for number in range(24)]
TEXTS = [row.filled for row in ROWS]


def test_what_is_written_has_no_problem() -> None:
    found = counts.faults(TEXTS)
    assert found and not any(found.values())
    counts.require(found)


def moved(text: Filled, by: int) -> Filled:
    first, *rest = text.spans
    return Filled(text.text, (first._replace(start=first.start + by, end=first.end + by), *rest))


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (moved(TEXTS[0], 1), "value"),  # off by one
        (Filled("🙂" + TEXTS[0].text, TEXTS[0].spans), "value"),  # shifted by an emoji
        (Filled(TEXTS[0].text, (TEXTS[0].spans[0], *TEXTS[0].spans)), "overlap"),
        (Filled(TEXTS[0].text + " [EMAIL]", TEXTS[0].spans), "unresolved"),
        (Filled("", TEXTS[0].spans[:1]), "outside"),
    ],
)
def test_a_wrong_label_is_seen_and_ends_the_stage(wrong: Filled, kind: str) -> None:
    found = counts.faults([*TEXTS, wrong])
    assert found[kind] >= 1
    with refused("pii.labels_wrong"):
        counts.require(found)


def test_frequencies_name_every_class() -> None:
    found = counts.frequencies(TEXTS)
    assert found.keys() == classes().keys() and sum(found.values()) == sum(len(text.spans) for text in TEXTS)
    assert list(found.values()) == sorted(found.values(), reverse=True) and 0 in found.values()


def test_every_value_that_can_be_checked_passes_and_a_broken_one_does_not() -> None:
    valid = counts.validity(ROWS)
    assert valid and all(passed == checked > 0 for passed, checked in valid.values())
    row = next(row for row in ROWS if any(span.label == "EMAIL" for span in row.filled.spans))
    spans = tuple(span._replace(value="x@") if span.label == "EMAIL" else span for span in row.filled.spans)
    passed, checked = counts.validity([row._replace(filled=Filled(row.filled.text, spans))])["EMAIL"]
    assert passed < checked
