"""The foreign templates are filled with spans in the right places, and every field has an entry."""

from collections import Counter

from lib.pii.checking import foreign
from lib.pii.classes import classes
from lib.pii.spans import problems


def test_every_span_is_right_and_every_field_is_known() -> None:
    made = foreign.texts(2, seed=0)
    assert len(made) == 420 and len({example.id for example in made}) == 420
    for example in made:
        assert problems(example.filled, classes()) == []
        assert "{" not in example.filled.text and "\\n" not in example.filled.text
    used = {span.label for example in made for span in example.filled.spans}
    assert used <= set(foreign.fields()) and len(used) >= 35
    assert all(set(field.classes) <= set(classes()) for field in foreign.fields().values())
    assert foreign.AS_LABELLED.keys() == {"country", "day_of_week", "year"} <= set(foreign.fields())


def test_a_seed_gives_the_same_texts_and_another_one_others() -> None:
    first, again, other = (foreign.texts(1, seed=seed) for seed in (1, 1, 2))
    assert first == again and first != other


def test_names_are_those_of_the_file_and_differ_within_a_text() -> None:
    lists = [example.filled for example in foreign.texts(3, seed=0) if example.filled.text.startswith("They had 6")]
    assert len(lists) == 3
    assert all(len({span.value for span in filled.spans}) >= 5 for filled in lists)
    sexes = Counter(
        span.label for example in foreign.texts(1, seed=0) for span in example.filled.spans if "prefix" in span.label
    )
    assert sexes["prefix_male"] >= 3 and sexes["prefix_female"] >= 3
