"""Spans of several detectors become disjoint ones that cover what each of them found."""

from hypothesis import given
from hypothesis import strategies as st

from lib.pii.detectors.detector import first_come, united
from lib.pii.spans import Filled, Span, problems

TEXT = "Dave Jones dave@jones.org, 12 x"


def span(start: int, end: int, label: str = "A", text: str = TEXT) -> Span:
    return Span(start, end, label, text[start:end])


def test_of_two_that_overlap_the_surer_stays_whole():
    assert first_come([span(3, 6), span(0, 4), span(6, 8)]) == (span(3, 6), span(6, 8))
    mail, name = span(11, 25, "EMAIL"), span(0, 28, "PERSON")
    assert united(TEXT, [(mail,), (name,)]) == (span(0, 10, "PERSON"), mail, span(27, 28, "PERSON"))
    assert united(TEXT, [(name,), (mail,)]) == (name,)


def test_a_span_alone_keeps_the_marks_at_its_ends():
    handle = Span(0, 3, "USERNAME", "@me")
    assert united("@me", [(handle,), ()]) == (handle,)


@st.composite
def disjoint(draw, text: str) -> tuple[Span, ...]:
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    return tuple(span(low, high, text=text) for low, high in zip(cuts[::2], cuts[1::2], strict=False))


@given(st.data())
def test_united_spans_are_disjoint_and_cover_every_letter_that_one_found(data):
    text = data.draw(st.text(alphabet="ab1 .,🙂", max_size=30))
    found = [data.draw(disjoint(text)) for _ in range(3)]
    spans = united(text, found)
    assert not problems(Filled(text, spans), [])
    covered = {place for one in spans for place in range(one.start, one.end)}
    wanted = {place for one in sum(found, ()) for place in range(one.start, one.end) if text[place].isalnum()}
    assert wanted <= covered
    assert set(found[0]) <= set(spans)
