"""Instructions name what is to be done: attributes or groups, in plain words, and never a value."""

from random import Random

from lib.private_records.schema import Group
from lib.sanitization.instructions import base, natural, wording
from lib.sanitization.schema import Targets

TARGETS = Targets(("full_name", "age"), ("phone_2",), ("city",), ("who",), ())
GROUPS = (Group("who", ("full_name", "age")), Group("where", ("city",)))


def test_the_plain_form_names_every_list():
    assert base(TARGETS) == "Tell less exactly: full name and age. Leave out: second phone. Keep: city."
    assert base(Targets(("age",))) == "Tell less exactly: age."


def test_groups_are_named_in_half_and_what_to_keep_in_a_quarter():
    spoken = [wording(TARGETS, GROUPS, Random(seed)) for seed in range(4_000)]
    assert abs(sum("who" in one["abstract"] for one in spoken) / 4_000 - 0.5) < 0.04
    assert abs(sum("keep" in one for one in spoken) / 4_000 - 0.25) < 0.035
    assert {one["abstract"] for one in spoken} == {("who",), ("full name", "age")}


def test_natural_instructions_differ_and_hold_every_name():
    made = {natural(wording(TARGETS, (), Random(seed)), Random(seed)) for seed in range(200)}
    assert len(made) > 100
    assert all("full name and age" in one and "second phone" in one and "{" not in one for one in made)
