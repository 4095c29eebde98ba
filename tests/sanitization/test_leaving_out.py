"""What is left out goes with as little as possible around it, and never with what must stay."""

import pytest

from lib.private_records.schema import Place
from lib.sanitization.leaving_out import left_out
from lib.sanitization.schema import edited
from lib.sanitization.wording import Site, closed


def without(text: str, piece: str, kept: str = "") -> str | None:
    start = text.index(piece)
    places = [Place(text.index(kept), text.index(kept) + len(kept))] if kept else []
    edit = left_out(Site(text, start, start + len(piece)), places)
    return None if edit is None else edited(text, [closed(text, edit)])


@pytest.mark.parametrize(
    ("text", "piece", "after"),
    [
        ("Name: Ada\nPhone: 555-0123\nBye", "555-0123", "Name: Ada\nBye"),
        ("Name: Ada | Age: 34 | Sex: f", "34", "Name: Ada | Sex: f"),
        ("a\n\nAda\n\nb", "Ada", "a\n\nb"),
        ("Bye,\nAda", "Ada", "Bye,"),
        ("x\n- the wrist\n- y", "the wrist", "x\n- y"),
        ("1. It is 34.\n2. y", "34", "2. y"),
        ("Ada (34) lives here.", "34", "Ada lives here."),
        ("Ada, 34, lives here.", "34", "Ada lives here."),
        ("His father, 34, and Bo.", "34", "His father, and Bo."),
        ("She moved out on 3 May 2019 and cried.", "3 May 2019", "She moved out and cried."),
        ("On 3 May 2019, she moved out.", "3 May 2019", "She moved out."),
        ("On 3 May 2019 she moved out.", "3 May 2019", "She moved out."),
        ("Hello. She lives in Oslo. Bye.", "Oslo", "Hello. Bye."),
        ("Hello. She lives in Oslo.\nBye.", "Oslo", "Hello.\nBye."),
        ("A cast was put on, and it cost $300. Bye.", "$300", "A cast was put on. Bye."),
        ("Bo: It is my wrist. It hurts.", "wrist", "Bo: It hurts."),
        ("14:30 Bo: It is my wrist.\n14:31 Ada: Oh", "wrist", "14:31 Ada: Oh"),
        ("Hello. For the record: it is my wrist. Bye.", "wrist", "Hello. Bye."),
        (f"{'x ' * 25}the\nbill is $5. Bye.", "$5", "Bye."),
        (f"Hello. {'X ' * 25}in\nmy wrist{' x' * 20}\nmy arm. Bye.", "wrist", "Hello. Bye."),
        ("Hello. In addition, as to costs, it is $5. Bye.", "$5", "Hello. Bye."),
        ("Hello. The loss is put at $5. Bye.", "$5", "Hello. Bye."),
        ("- the wrist\nof mine", "the wrist", "of mine"),
        ("I saw Dr. Lee at St. Mary's. Bye.", "Mary", "Bye."),
    ],
)
def test_the_rest_reads_on(text, piece, after):
    assert without(text, piece) == after


def test_what_must_stay_stays():
    assert without("A cast was put on, and it cost $300.", "$300", kept="cast") == "A cast was put on."
    assert without("My wrist cost $300.", "$300", kept="wrist") is None


def test_a_text_is_never_left_empty():
    assert without("I broke my wrist.", "wrist") is None
    assert without("wrist", "wrist") is None
