"""Texts of the grammar: whole sentences, no two alike, and more in each version."""

import re

import numpy as np
import pytest
from support import grammar_records
from support.grammar_records import Made, make, told
from support.record_toys import tasks

from lib.evaluation.fidelity.diversity import ngram_counts, self_bleu
from lib.pii.detectors.rules import Rules
from lib.pii.slots import parse
from lib.private_records.fields import slots
from lib.private_records.grammar_author import GrammarAuthor


@pytest.fixture(scope="module")
def author() -> GrammarAuthor:
    return GrammarAuthor()


@pytest.fixture(scope="module")
def made() -> tuple[Made, ...]:
    return grammar_records.made()


def test_texts_have_slots_without_faults_and_nothing_of_the_grammar_is_left(made) -> None:
    for one in made:
        for text in one.versions:
            parsed = parse(text, slots())
            assert not parsed.faults and parsed.slots
            assert not set("{}\x02") & set(text) and not re.search(r"[ \t]$|  | [,.;!?]|\n\n\n", text, re.MULTILINE)


def test_no_rule_finds_personal_data_beside_the_slots_but_the_times_of_a_log(made) -> None:
    rules = Rules("en_US")
    seen = {span.label for spans in rules.find([one.versions[1] for one in made]) for span in spans}
    assert seen <= {"TIME"}
    (control,) = rules.find(["Mr. Bean rang from ann@example.org"])
    assert {span.label for span in control} == {"PREFIX", "LASTNAME", "EMAIL"}


def test_lengths_are_those_of_letters_and_notes(made) -> None:
    lengths = [[len(one.filled(version).split()) for one in made] for version in range(3)]
    assert min(lengths[0]) >= 40 and max(lengths[2]) <= 260
    assert np.median(lengths[0]) < np.median(lengths[1]) < np.median(lengths[2]) < 180


def test_sentences_are_whole(made) -> None:
    """Articles go with what follows, no word stands twice, sentences begin with a capital."""
    for one in made:
        for version in range(3):
            text = one.filled(version)
            assert not re.search(r"\b[Aa] [aeio](?!ne\b)\w|\b[Aa]n [bcdfgjklmnpqrstvwyz]\w", text), text
            assert not re.search(r"\b([a-z]+) \1\b", text), text
            assert not re.search(r"[a-z][.!?] [a-z]", text), text


def test_a_later_version_tells_all_of_the_event_that_an_earlier_one_does_and_more(author, made) -> None:
    counts = []
    for one in made:
        event = one.profile.events[0].attributes.keys()
        first, second, third = (told(author, one, version) & event for version in range(3))
        assert first <= second <= third
        counts.append((len(first), len(third)))
    assert np.mean([last - first for first, last in counts]) > 0.5


def test_no_two_texts_read_alike(made) -> None:
    texts = [one.filled(2) for one in made]
    openings = {" ".join(re.findall(r"\w+", text)[:5]) for text in texts}
    assert len(openings) > 0.93 * len(texts)
    assert self_bleu([ngram_counts(texts, n) for n in range(1, 5)]).mean() < 0.6
    copies = texts[:75] * 2  # the control: a set in which each text stands twice
    assert self_bleu([ngram_counts(copies, n) for n in range(1, 5)]).mean() > 0.99


def test_without_type_and_format_a_text_is_plain(author) -> None:
    plain = [make(author, task, plain=True) for task in tasks(20)]
    assert all(one.situation.record_type == one.situation.format == "" for one in plain)
    assert all("\n" not in one.versions[0] and one.versions[0].count(".") > 3 for one in plain)


def test_of_several_events_the_situations_own_is_told(author) -> None:
    one = make(author, tasks(1)[0], events=3, event=2)
    assert len({event.title for event in one.profile.events}) == 3
    assert one.profile.attr_to_share in one.profile.events[2].attributes
    assert one.profile.attr_to_share in told(author, one, 0)
