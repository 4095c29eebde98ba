"""A record on its way: what is stored of it agrees with itself."""

from dataclasses import replace

from support.letters import GROUPS, LETTER, letter

from lib.generation.engines.base import Sampling
from lib.generation.workflow import run
from lib.private_records.schema import Group
from lib.sanitization.annotators import Given
from lib.sanitization.case import Original
from lib.sanitization.rules import Rules
from lib.sanitization.sanitize import Sanitizer
from lib.sanitization.schema import Sanitized, edited


def many(count: int = 60, **given) -> list[Sanitized]:
    sanitizer = Sanitizer(Given(), Rules(), **given)
    outcome = run({f"{n}": sanitizer.sanitize(letter(f"{n}")) for n in range(count)}, None, Sampling())
    assert not outcome.failures
    return list(outcome.results.values())


def test_all_that_is_stored_agrees():
    for one in many(chunk_characters=120):
        assert "".join(LETTER[start:end] for start, end in one.chunks) == one.text
        assert one.sanitized == edited(one.text, one.edits)
        assert tuple(strategy.name for strategy in one.strategies) == one.targets.names
        assert set(one.sequences) == set(one.mapping) == set(one.targets.names)
        for name, numbers in one.mapping.items():
            for start, end in one.sequences[name]:
                held = [n for n, chunk in enumerate(one.chunks) if chunk.start < end and start < chunk.end]
                assert set(held) <= set(numbers)


def test_draws_depend_on_seed_and_id_alone():
    alone = run({"7": Sanitizer(Given(), Rules()).sanitize(letter("7"))}, None, Sampling()).results["7"]
    assert alone == many(9)[7] and many(9, seed=1) != many(9)


def test_groups_of_attributes_that_the_text_does_not_tell_are_no_targets():
    groups = (*GROUPS, Group("nowhere", ("not_told",)))
    original = letter()
    original = Original("a", LETTER, {}, original.attributes, groups)
    made = run({"a": Sanitizer(Given(), Rules()).sanitize(original)}, None, Sampling()).results["a"]
    assert "not_told" not in made.targets.names and "nowhere" not in made.targets.abstract_groups


def test_an_attribute_that_the_text_does_not_tell_is_dropped_and_of_two_with_one_name_the_first_stays():
    told = letter()
    lost = replace(told.attributes[0], name="lost", places=())
    original = replace(told, attributes=(*told.attributes, lost, replace(told.attributes[1], name="full_name")))
    made = run({"a": Sanitizer(Given(), Rules()).sanitize(original)}, None, Sampling()).results["a"]
    assert made.attributes == told.attributes


def test_a_record_is_not_printed():
    assert "Ada" not in repr(letter())
