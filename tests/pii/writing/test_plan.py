"""How texts are spread over fields, styles and locales, and what cannot be spread is refused."""

from collections import Counter
from datetime import date

import pytest
from support.errors import refused
from support.pii_writing import plan_of

from lib.pii.writing.plan import spread


@pytest.mark.parametrize("samples", [4, 5, 7, 8, 103])
def test_iterate_writes_every_pair_as_often_as_any_other_or_once_more(samples: int) -> None:
    plan = plan_of(samples)
    counts = spread([plan.task(number) for number in range(samples)])
    assert counts.keys() == set(plan.pairs) and counts.total() == samples
    assert max(counts.values()) - min(counts.values()) <= 1
    assert sum(count > samples // 4 for count in counts.values()) == samples % 4
    assert f"have {samples // 4} texts each" in str(plan) and (", 3 of them one more" in str(plan)) == (
        samples % 4 == 3
    )


def test_the_rest_of_iterate_is_spread_evenly() -> None:
    fields = [f"f{number}" for number in range(11)]
    plan = plan_of(99 + 11, fields=fields, styles=[f"s{number}" for number in range(9)])
    assert Counter(plan.task(number).field for number in range(99, 110)) == Counter(fields)


@pytest.mark.parametrize("samples", [1, 3])
def test_fewer_texts_than_pairs_are_refused_and_never_written_silently(samples: int) -> None:
    with refused("pii.too_few_samples", name="samples", value=samples) as error:
        plan_of(samples)
    assert "4 or more" in error.value.remedy
    random = plan_of(samples, mode="random")
    assert len([random.task(number) for number in range(samples)]) == samples


def test_random_draws_every_pair() -> None:
    plan = plan_of(400, mode="random")
    counts = spread([plan.task(number) for number in range(400)])
    assert counts.keys() == set(plan.pairs) and max(counts.values()) - min(counts.values()) > 1


def test_shares_of_locales_asides_and_messy_texts_are_kept() -> None:
    plan = plan_of(2000, locales={"en_US": 3, "de_DE": 1}, negatives=0.2, messy=0.5)
    tasks = [plan.task(number) for number in range(2000)]
    assert 440 < sum(task.locale == "de_DE" for task in tasks) < 560
    assert 340 < sum(task.aside for task in tasks) < 460 and 900 < sum(task.messy for task in tasks) < 1100
    assert "en_US 75%, de_DE 25%" in str(plan)


def test_a_record_has_a_seed_of_its_own() -> None:
    tasks = [plan_of(8).task(number) for number in range(8)]
    assert len({task.seed for task in tasks}) == 8
    assert [plan_of(800, mode="random").task(number).seed for number in range(8)] == [task.seed for task in tasks]
    assert plan_of(8, seed=1).task(0).seed != tasks[0].seed
    assert tasks[0].rng("a").random() == tasks[0].rng("a").random() != tasks[0].rng("b").random()


@pytest.mark.parametrize("locales", [{}, {"en_US": 0.0}, {"en_US": 1.0, "de_DE": -1.0}])
def test_shares_that_cannot_be_drawn_from_are_refused(locales: dict) -> None:
    with refused("pii.locale_shares", name="locales"):
        plan_of(locales=locales)


def test_an_unknown_locale_is_refused_with_the_nearest() -> None:
    with refused("pii.unknown_locale", name="locale", value="en_UX") as error:
        plan_of(locales={"en_US": 1.0, "en_UX": 1.0})
    assert "en_U" in error.value.remedy


def test_values_are_those_of_the_task() -> None:
    plan = plan_of(8, reference=date(2000, 1, 1), values="reserved")
    values = plan.new_values(plan.task(0))
    assert "555" in values.value("PHONENUMBER", 1) and int(values.value("AGE", 1)) < 90
    assert plan.new_values(plan.task(0)).value("EMAIL", 1) == values.value("EMAIL", 1)
