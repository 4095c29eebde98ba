"""The whole check: guesses, leaks by kind, retention, rates. Positive controls: each planted leak, and none."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from support.sanitized_toys import CLEAN, PLANTED, TEXT, VALUES, record

from lib.generation.engines.base import Sampling
from lib.sanitization import rates
from lib.sanitization.guesses import MASK, SIDES, guess_all, masked, text_of
from lib.sanitization.rates import Checked, check
from lib.sanitization.rule_guesser import RuleGuesser, values_of
from lib.sanitization.schema import Targets

ALL = tuple(name for name in VALUES if name != "escort")


def checked(records, sides=SIDES, known=None):
    guesser = RuleGuesser(values_of(records) if known is None else known)
    return check(records, guess_all(records, guesser, None, Sampling(), sides))


def leaks(records, side="sanitized"):
    return {row.name: row.leak for row in checked(records) if row.side == side and not row.kept}


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_leak_is_found_and_no_other(name):
    target, said, kind = PLANTED[name]
    found = leaks([record(f"{CLEAN} {said}", ALL)])
    assert found == {one: kind if one == target else "none" for one in ALL}


def test_a_clean_text_has_no_leak_and_tells_what_it_was_to_keep():
    rows = checked([record(CLEAN, ALL)])
    assert {row.leak for row in rows if row.side == "sanitized" and not row.kept} == {"none"}
    assert [row.readable for row in rows if row.kept] == [True, True, False]  # masked last
    assert {row.leak for row in rows if row.side == "unsanitized" and not row.kept} == {"direct"}, "the floor"
    right = {rate.side: rate.value for rate in rates.rates(rows) if rate.metric == "guessed"}
    assert right["unsanitized"] > 0.6 and right["sanitized"] == right["masked"] == 0
    assert {row.leak for row in rows if row.side == "masked" and not row.kept} == {"none"}, "the ceiling"


def test_a_field_of_a_form_is_read():
    one = record("Diagnosis: lymphocytic leukemia", ("diagnosis", "visit_date"))
    (field, _, _) = checked([one], ["sanitized"], {})
    assert field.leak == "proximity"


def test_a_list_decides_only_where_one_value_fits_best():
    one = record(f"{CLEAN} It is a leukemia, of the lymphocytic kind.", ("diagnosis",))
    for other, leak in (
        ("acute lymphocytic leukemia", "proximity"),
        ("strange lymphocytic leukemia", "none"),
    ):
        known = {"diagnosis": [VALUES["diagnosis"][0], other]}
        assert [row.leak for row in checked([one], ["sanitized"], known)] == [leak, "none"]


def test_guesses_are_asked_for_names_alone_and_not_for_what_may_stay():
    seen = []

    class Spy(RuleGuesser):
        def guess(self, text, asked):
            seen.append((text, asked))
            return super().guess(text, asked)

    one = record(CLEAN, ("age",))
    guess_all([one, replace(one, id="record-2")], Spy({}), None, Sampling(), ["masked"])
    assert [[ask.name for ask in asked] for _, asked in seen] == [["age", "escort"]] * 2
    assert all(value not in text for text, _ in seen for value, _ in VALUES.values())


def test_masking_joins_places_that_overlap():
    assert masked("abcdefgh", [(4, 6), (0, 2), (1, 3), (5, 7)]) == f"{MASK}d{MASK}h"
    assert text_of(record(CLEAN, ALL), "unsanitized") == TEXT


def row(id: str, leak: str = "none", side: str = "sanitized", kept: bool = False, readable: bool = False) -> Checked:
    return Checked(id, side, f"{leak} {kept}", kept, leak, None, readable)


def test_a_record_succeeds_only_without_any_leak():
    rows = [
        row("a"), row("a", kept=True, readable=True),
        row("b"), row("b", "proximity"), row("b", kept=True, readable=True),
        row("c"), row("c", kept=True, readable=False),
        row("d", "unknown"), row("d"),
        row("e", "unknown"), row("e", "direct"),
        row("f", kept=True, readable=True),
    ]  # fmt: skip
    values = {rate.metric: (rate.value, rate.of, rate.records) for rate in rates.rates(rows)}
    assert values["records"] == (2 / 4, 4, 4)  # a, c of a, b, c, e; of d it is not known
    assert values["records and kept"] == (1 / 4, 4, 4)
    assert values["attributes"] == (4 / 6, 6, 5)
    assert values["kept"] == (3 / 4, 4, 4)
    assert [values[kind][0] * 6 for kind in rates.KINDS] == pytest.approx([1, 0, 1])
    assert rates.unknown(rows) == 2


def test_intervals_cover_the_truth_and_are_exact_where_all_are_alike():
    none = rates.rates([row(str(number)) for number in range(100)])
    (direct,) = [rate for rate in none if rate.metric == "direct"]
    assert (direct.low, direct.high) == tuple(binomtest(0, 100).proportion_ci(0.95, "exact"))
    hits = 0
    for seed in range(60):
        draw = np.random.default_rng(seed).random(80) < 0.3
        rows = [row(str(number), "direct" if leaks else "none") for number, leaks in enumerate(draw)]
        (direct,) = [rate for rate in rates.rates(rows, seed=seed, draws=200) if rate.metric == "direct"]
        hits += direct.low <= 0.3 <= direct.high
    assert hits >= 52


def test_what_is_written_holds_no_text(tmp_path):
    rows = checked([record(CLEAN, ALL)])
    rates.write(tmp_path / "leaks.jsonl", rows)
    lines = [json.loads(line) for line in (tmp_path / "leaks.jsonl").read_text().splitlines()]
    assert len(lines) == len(rows) == 3 * len(VALUES)
    assert not any(value in str(lines) for value, _ in VALUES.values() if len(value) > 2 and value != "brother")


def test_records_without_attributes_are_in_no_rate():
    bare = replace(record(CLEAN), targets=Targets(), attributes=())
    assert rates.rates(checked([bare])) == [] == checked([bare])
