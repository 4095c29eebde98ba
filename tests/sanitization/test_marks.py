"""What is coloured before and after."""

from dataclasses import replace

from support.sanitized_toys import TEXT, record

from lib.sanitization import marks
from lib.sanitization.schema import Edit, Targets, edited


def shown(text, found):
    return [(text[start:end], label) for start, end, label in found]


def test_targets_and_kept_ones_are_marked_before_and_what_is_new_or_leaks_after():
    edits = (Edit(0, 11, "The patient"), Edit(18, 20, ""))
    one = record(edited(TEXT, edits), ("full_name", "age", "clinic"))
    one = replace(one, edits=edits, targets=Targets(("full_name",), ("age", "clinic"), ("escort",)))
    assert shown(TEXT, marks.before(one)) == [
        ("Maria Lopez", "abstract full_name"), ("42", "drop age"), ("Riverside Clinic", "drop clinic"),
        ("brother", "keep escort"),
    ]  # fmt: skip
    assert shown(one.sanitized, marks.after(one)) == [
        ("The patient", "new"), ("Riverside Clinic", "leak clinic"), ("brother", "keep escort"),
    ]  # fmt: skip


def test_of_marks_that_overlap_the_longest_stays():
    assert marks._disjoint([(0, 3, "a"), (2, 9, "b"), (9, 10, "c")]) == [(2, 9, "b"), (9, 10, "c")]
