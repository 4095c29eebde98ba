"""A record, its labelled text, and the file of work in progress hold the same."""

from pathlib import Path

from support.pii_writing import plan_of, real

from lib.pii.classes import classes
from lib.pii.exports import ai4privacy
from lib.pii.slots import Brackets
from lib.pii.spans import problems, unfill
from lib.pii.writing import rows
from lib.pii.writing.grammar import SlotText

GRAMMAR = real()


def test_a_row_is_a_record_and_a_labelled_text_and_comes_back(tmp_path: Path) -> None:
    plan = plan_of(8, messy=0.5)
    made = [rows.of_task(plan, plan.task(number), GRAMMAR) for number in range(8)]
    rows.write(tmp_path / "part", made)
    assert rows.read(tmp_path / "part") == made
    records = [row.record() for row in made]
    assert [record.id for record in records] == [f"synthetic-00000{number}" for number in range(8)]
    assert [record.text.reveal() for record in records] == [row.filled.text for row in made]
    assert records[0].labels == {"field": "bank", "style": "chat", "locale": "en_US"}
    ai4privacy.write(tmp_path / "labelled.jsonl", [row.example() for row in made])
    examples = ai4privacy.read(tmp_path / "labelled.jsonl")
    assert examples == [row.example() for row in made] and {one.template for one in examples} == {
        r.template for r in made
    }


def test_the_text_of_a_model_keeps_its_words_in_brackets_and_its_own_labels() -> None:
    plan, text = plan_of(), SlotText("[FIRSTNAME] [laughs]: call [PHONENUMBER]", "text-1")
    row = rows.of_text(plan, plan.task(3), text, {"kind": "x"}, Brackets({}, frozenset({"laughs"})))
    assert unfill(row.filled) == text.text and row.labels == {"kind": "x"} and row.template == "text-1"
    assert not problems(row.filled, classes(), Brackets({}, frozenset({"laughs"})))


def test_mentions_of_one_person_agree_and_two_persons_differ() -> None:
    """Alice and Bob and Alice: two identities, stable."""
    plan, text = plan_of(), SlotText("[FIRSTNAME] and [FIRSTNAME_2] and [FIRSTNAME], [EMAIL] [EMAIL_2] [EMAIL_3]", "t")
    spans = rows.of_text(plan, plan.task(0), text).filled.spans
    assert spans[0].value == spans[2].value and [span.person for span in spans] == [1, 2, 1, 1, 2, 3]
    assert len({span.value for span in spans[3:]}) == 3
