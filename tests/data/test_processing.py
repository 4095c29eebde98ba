"""Processing: what stays, what goes, and that train and test share nothing."""

import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.errors import refused

from lib.common.errors import DoppelError
from lib.data import near_duplicates, processing, shelf, spill
from lib.data.near_duplicates import shingles
from lib.data.private_text import PrivateText
from lib.data.processing import Processed, clean, normalise, process
from lib.data.records import Record, digest
from lib.data.sources import load
from lib.data.sources.corpus import Corpus
from lib.data.tokenize import words

LOOSE = {"label_domain": {}, "min_words": 1, "test_fraction": 0.4}
SEED = 87  # holds out the text "alpha1 beta1 gamma1 other" and the user u0, not ann or bob


def corpus(texts: list[str], users: list[str | None] | None = None, labels: dict | None = None) -> Corpus:
    users = users or [None] * len(texts)
    pairs = enumerate(zip(texts, users, strict=True))
    records = [Record(f"r{i}", PrivateText(text), labels or {}, user) for i, (text, user) in pairs]
    return Corpus(records, [], "made", "")


def different(count: int) -> list[str]:
    """Texts that share no word."""
    return [f"alpha{i} beta{i} gamma{i} delta{i}" for i in range(count)]


def texts(records: list[Record]) -> list[str]:
    return [record.text.reveal() for record in records]


def dropped(done: Processed) -> dict[str, int]:
    return {step.rule: step.dropped for step in done.steps if step.dropped}


def jaccard(left: str, right: str) -> float:
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b)


WORDS = st.lists(st.sampled_from(["the", "phone", "is", "good", "bad", "and", "Was!", "great.", "camera,"]), max_size=9)
TEXTS = st.lists(st.tuples(WORDS.map(" ".join), st.sampled_from([None, "u1", "u2", "u3"])), min_size=2, max_size=40)


@settings(max_examples=150, deadline=None)
@given(
    TEXTS,
    st.sampled_from([0.3, 0.5, 0.6, 0.7, 1.0]),
    st.integers(0, 3),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_train_and_test_share_nothing_in_any_order(rows, similarity, seed, by_user, shuffler):
    if by_user:
        rows = [row for row in rows if row[1]]
    made = corpus([text for text, _ in rows], [user for _, user in rows])
    rules = LOOSE | {"near_duplicate_similarity": similarity, "seed": seed}
    if by_user:
        rules |= {"unit": "user", "max_records_per_user": 3}
    done = None
    with suppress(DoppelError):
        done = process(made, **rules)
    shuffled = list(made.records)
    shuffler.shuffle(shuffled)
    again = Corpus(shuffled, [], "made", "")
    if done is None:
        with pytest.raises(DoppelError):
            process(again, **rules)
        return
    assert process(again, **rules) == done
    kept = [*done.train, *done.test]
    for i, left in enumerate(texts(done.test)):
        for right in [*texts(done.test)[:i], *texts(done.train)]:
            assert words(left) != words(right)
            assert jaccard(left, right) < similarity
    assert {record.owner for record in done.train}.isdisjoint(record.owner for record in done.test)
    assert len({record.content for record in kept}) == len(kept)
    per_user = [record.user for record in kept if by_user]
    assert all(per_user.count(user) <= 3 for user in per_user)
    assert done.steps[0].kept == len(rows) and done.steps[-1].kept == len(kept)
    for before, after in zip(done.steps, done.steps[1:], strict=False):
        assert after.kept + after.dropped == before.kept


def test_each_rule_drops_what_it_names():
    made = [
        *different(20),
        "too short",
        "long " * 61,
        "c" * 2_001 + " three more words",
        "1 2 3 4 !",
        "alpha0  beta0 gamma0 delta0 ",
        "alpha1 beta1 gamma1 other",
    ]
    done = process(corpus(made), label_domain={}, seed=SEED)
    assert dropped(done) == {
        "at least 4 words": 1,
        "at most 60 words": 1,
        "at most 2,000 characters": 1,
        "has letters": 1,
        "no exact duplicate": 1,
        "held out: no near-duplicate (similarity 0.6)": 1,
    }
    assert len(done.train) + len(done.test) == 20
    assert str(done.steps[1]) == "at least 4 words: 25 of 26 kept"


def test_near_duplicates_stay_in_train_and_so_do_equal_texts_of_two_users():
    alike = ["alpha0 beta0 gamma0 delta0", "Alpha0 beta0, gamma0 delta0", "alpha0 beta0 gamma0 other"]
    made = corpus([*alike, alike[0], alike[0], *different(30)], ["ann"] * 4 + ["bob"] + [f"u{i}" for i in range(30)])
    done = process(made, label_domain={}, seed=SEED)
    assert {r.id for r in done.train if r.user in ("ann", "bob")} == {"r0", "r1", "r2", "r4"}
    assert dropped(done) == {"no exact duplicate": 1, "held out: no near-duplicate (similarity 0.6)": 1}


def test_lengths_of_scripts_without_spaces_are_in_characters():
    made = [*different(20), "很好吃", "这家店的菜都" * 10 + "好", "这家店的菜很好吃。"]
    assert dropped(process(corpus(made), label_domain={})) == {"at least 4 words": 1, "at most 60 words": 1}


def test_texts_are_normalised():
    assert normalise("  cafe\u0301 \t au\u00a0lait \r\n\r\n\x00two\u2028three \ufeff") == "café au lait\ntwo\nthree"
    assert normalise("half a pair \ud83d of signs") == "half a pair of signs"
    done = process(corpus([*different(20), "  spaced \n\n\x07 out   text here "]), label_domain={})
    assert "spaced\nout text here" in texts([*done.train, *done.test])


@given(st.text())
def test_normalised_text_stays_as_it_is(text):
    once = normalise(text)
    assert normalise(once) == once and unicodedata.is_normalized("NFC", once)
    assert "  " not in once and "\n\n" not in once and once == once.strip()


def test_contributions_are_bounded_by_a_draw_and_not_by_position():
    made = corpus(different(60), ["many"] * 30 + ["few"] * 2 + [f"u{i}" for i in range(28)])
    done = process(made, label_domain={}, max_records_per_user=5, unit="user")
    kept = [record for record in [*done.train, *done.test] if record.user == "many"]
    assert len(kept) == 5 and {record.id for record in kept} != {f"r{i}" for i in range(5)}
    assert sum(record.user == "few" for record in [*done.train, *done.test]) == 2
    assert dropped(done) == {"at most 5 records a user": 25}
    other = process(made, label_domain={}, max_records_per_user=5, unit="user", seed=1)
    assert {r.id for r in [*other.train, *other.test] if r.user == "many"} != {record.id for record in kept}


def test_the_side_of_a_user_does_not_depend_on_the_others():
    made = corpus(different(400), [f"u{i // 2}" for i in range(400)])
    done = process(made, label_domain={}, test_fraction=0.25)
    held_out = {record.user for record in done.test}
    assert len(done.test) == 2 * len(held_out) and 30 < len(held_out) < 70  # 200 users: mean 50, deviation 6.1
    half = process(Corpus(made.records[:200], [], "made", ""), label_domain={}, test_fraction=0.25)
    assert {record.user for record in half.test} == held_out & {f"u{i}" for i in range(100)}
    wider = process(made, label_domain={}, test_fraction=0.5)
    assert held_out < {record.user for record in wider.test}
    other = process(made, label_domain={}, test_fraction=0.25, seed=1)
    assert {record.user for record in other.test} != held_out


def test_equal_texts_of_nobody_fall_on_one_side():
    made = corpus([text for text in different(60) for _ in range(2)])
    for number, record in enumerate(made.records):
        record.labels["stars"] = str(number % 2)
    done = process(made, label_domain={"stars": ["0", "1"]}, test_fraction=0.5)
    assert (
        len(done.train) % 2 == 0 and 30 < len(done.train) < 90 and set(texts(done.train)).isdisjoint(texts(done.test))
    )


def test_records_keep_all_but_their_text():
    made = corpus(["  four words   are here ", *different(20)], ["ann"] + ["bob"] * 20, {"stars": "4"})
    done = process(made, label_domain={"stars": ["4"]}, test_fraction=0.5, seed=1)
    found = next(record for record in [*done.train, *done.test] if record.id == "r0")
    assert found.as_json() == {"id": "r0", "text": "four words are here", "labels": {"stars": "4"}, "user": "ann"}


def refusal(code: str, made: Corpus, **rules: object) -> DoppelError:
    with refused(code) as error:
        process(made, **({"label_domain": {}} | rules))
    assert "alpha" not in str(error.value)
    return error.value


def test_labels_outside_the_domain_are_refused():
    made = corpus(different(20), labels={"stars": "secret"})
    error = refusal("data.label_outside_domain", made, label_domain={"stars": ["1", "2"]})
    assert error.name == "stars" and "secret" not in str(error)
    error = refusal("data.labels_differ", made)
    assert error.value == [] and "has labels stars," in error.sentence


def test_no_record_left_says_what_each_rule_kept():
    error = refusal("data.no_record_left", corpus(different(3)), min_words=5)
    assert error.name == "at least 5 words" and "at least 5 words: 0 of 3 kept" in error.sentence
    error = refusal("data.side_empty", corpus(different(2), ["same", "same"]))
    assert (error.name, error.value) == ("test_fraction", 0.15) and "2 of 2 kept" in error.sentence


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("min_words", 0, "at least 1 and at most 60"),
        ("min_words", 61, "at least 1 and at most 60"),
        ("max_characters", 0, "at least 1"),
        ("max_records_per_user", 0, "at least 1"),
        ("near_duplicate_similarity", 0.0, "above 0 and at most 1"),
        ("near_duplicate_similarity", 1.1, "above 0 and at most 1"),
        ("test_fraction", 0.0, "between 0 and 1"),
        ("test_fraction", 1.0, "between 0 and 1"),
    ],
)
def test_settings_out_of_range(name, value, bounds):
    error = refusal("data.out_of_range", corpus(different(20)), **{name: value})
    assert (error.name, error.value) == (name, value) and error.sentence.endswith(bounds)


def test_what_does_not_fit_the_unit_is_refused():
    error = refusal("data.bound_by_record", corpus(different(20)), max_records_per_user=3)
    assert (error.name, error.value) == ("max_records_per_user", 3) and "unit: user" in error.remedy
    refusal("data.user_missing", corpus(different(20)), unit="user")


def test_no_record_is_shown():
    done = process(corpus(different(20)), label_domain={})
    assert repr(done).startswith("Processed(steps=[Step(")


def test_other_texts_are_cleaned_by_the_rules_that_look_at_one_record_alone() -> None:
    given = ["one two three four", "one  two three four", "one two", "1 2 3 4", "one two three four five six"]
    kept, steps = clean(corpus(given).records, min_words=4, max_words=5, max_characters=100)
    assert texts(kept) == ["one two three four"]
    assert [step.dropped for step in steps] == [0, 1, 1, 0, 1, 1]


RECORDED = {  # source, domain, rules; and the digests of train and test by the code that held all of it in memory
    "quick": (
        "rotten-tomatoes",
        {"kind": ["positive review", "negative review", "plot summary"]},
        {},
        "202100093ed1e4188fa6bcac8172b584d4aae70a35454845bb76a26997797fc9",
        "f696df6de49d433f62047cd6c2cb94a91bb72d3375c80d5947cf82848dd425d6",
    ),
    "by user": (
        "rotten-tomatoes:reviews",
        {"kind": ["positive review", "negative review", "plot summary"]},
        {"unit": "user", "max_records_per_user": 3, "near_duplicate_similarity": 0.3},
        "6351660caf7a609b0b69965c979e4bd3e22c060acef7e4f9552bd2896a8c271a",
        "dcf51c4ff037030270837377d258cf8b0304fe5bd9b4fa43c0ee4b0c0c6667d8",
    ),
    "amazon": (
        "amazon-snippets",
        {"sentiment": ["negative", "neutral", "positive"]},
        {"min_words": 1, "max_words": 30, "near_duplicate_similarity": 0.2, "seed": 3},
        "e62b0a2724fc865ffae3fa2a9cbc8398d7d87645f18b4ed3887716ef994a01ab",
        "9f02d303067bb0398887166ce1fa04b178488ad7045c1ea06a8dbdba5ad352e3",
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_the_corpora_of_presets_come_out_as_recorded_byte_by_byte(name: str):
    check_recorded(name)


def test_they_do_so_when_all_of_it_lies_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in (spill, shelf):
        monkeypatch.setattr(module, "FOLDER", tmp_path / "spill")
    monkeypatch.setattr(shelf.Shelf.__init__, "__defaults__", ((), 1))
    monkeypatch.setattr(processing, "IN_MEMORY", 1)
    for setting, value in {"IN_MEMORY": 1, "TEXTS": 100, "PART": 5_000, "CHUNK": 1_000, "COUNTERS": 2**12}.items():
        monkeypatch.setattr(near_duplicates, setting, value)
    check_recorded("amazon")
    assert (tmp_path / "spill").is_dir() and not any((tmp_path / "spill").iterdir())


def check_recorded(name: str) -> None:
    source, domain, rules, *expected = RECORDED[name]
    given = {"unit": rules.get("unit", "record"), "seed": rules.get("seed", 0)}
    done = process(load(source, label_domain=domain, **given), label_domain=domain, **rules)
    assert [digest(done.train), digest(done.test)] == expected
