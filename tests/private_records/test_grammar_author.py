"""The author that needs no model: exact values, types with their contexts, a rule that judges, groups."""

from collections import Counter
from dataclasses import replace

import pytest
from support import grammar_records
from support.grammar_records import RECORDS, Made, done, make
from support.record_toys import embed, tasks

from lib.generation.engines.base import Sampling
from lib.private_records.acceptance import Acceptance
from lib.private_records.grammar_author import GrammarAuthor, event_titles
from lib.private_records.pipeline import Recipe
from lib.private_records.public_lists import load
from lib.private_records.schema import Place
from lib.private_records.writing import write_set


@pytest.fixture(scope="module")
def author() -> GrammarAuthor:
    return GrammarAuthor()


@pytest.fixture(scope="module")
def made() -> tuple[Made, ...]:
    return grammar_records.made()


def test_what_is_annotated_stands_in_the_text_and_the_attribute_to_share_is_told(author, made) -> None:
    for one in made:
        for version, text in enumerate(one.versions):
            found = done(author.annotate(*one[:3], text))
            assert all(attribute.value in text for attribute in found)
            assert len({attribute.name for attribute in found}) == len(found)
            assert one.profile.attr_to_share in {attribute.name for attribute in found}, (one.situation, version)


def test_a_record_depends_on_its_task_alone(author, made) -> None:
    again = make(GrammarAuthor(), tasks(RECORDS)[7])
    assert again == made[7]._replace(task=again.task) and made[7].versions != made[8].versions


def test_types_are_formal_three_times_of_four_and_contexts_and_formats_go_with_them(author, made) -> None:
    lists, formal = load(), 0
    for one in made:
        kind, context = lists.record_types[one.situation.record_type], lists.contexts[one.situation.context]
        assert kind.fits(context) and one.situation.formal == kind.formal
        assert lists.formats[one.situation.format] in kind.layouts
        assert kind.field in ("any", lists.events[one.profile.events[0].title][0])
        formal += kind.formal
    assert 0.62 < formal / RECORDS < 0.88


def test_the_judge_prefers_what_tells_more_whichever_comes_first(author, made) -> None:
    for one in made[:30]:
        bare = "Nothing is known. " * 10
        assert done(author.judge(*one[:3], (one.versions[2], bare), 1)) == 0
        assert done(author.judge(*one[:3], (bare, one.versions[2]), 1)) == 1
    verdicts = Counter(done(author.judge(*one[:3], (one.versions[0], one.versions[2]), 1)) for one in made)
    assert verdicts[1] > 0.6 * RECORDS and verdicts[0] > 0


def test_groups_are_three_to_eight_of_the_texts_attributes_and_overlap(author, made) -> None:
    overlapping = 0
    for one in made:
        found = [
            replace(attribute, places=(Place(i, i + 1),))
            for i, attribute in enumerate(done(author.annotate(*one[:3], one.versions[2])))
        ]
        groups = done(author.group(one.task, one.versions[2], found))
        names = {attribute.name for attribute in found}
        assert 3 <= len(groups) <= 8 and all(set(group.names) <= names and group.names for group in groups)
        overlapping += sum(len(group.names) for group in groups) > len(
            {name for group in groups for name in group.names}
        )
    assert overlapping > 0.8 * RECORDS


@pytest.mark.parametrize(
    "recipe",
    [Recipe(), Recipe(events=3, acceptance=Acceptance("metropolis")), Recipe(type_and_format=False, revisions=1)],
    ids=["full", "three events, metropolis", "plain"],
)
def test_a_set_is_written_whole_and_every_attribute_that_is_named_has_its_place(author, tmp_path, recipe) -> None:
    how = {"model": None, "sampling": Sampling(), "embed": embed, "window": 16, "sample": 8, "block": 8}
    written = write_set(tasks(24, seed=5), author, recipe, folder=tmp_path, **how)
    assert len(written.records) == 24 and not written.failed and written.dropped == 0
    for record in written.records:
        assert record.profile.attr_to_share in {one.name for one in record.attributes}
        assert len(record.groups) >= 3


def test_the_titles_are_those_of_the_list() -> None:
    assert len(event_titles()) >= 500
