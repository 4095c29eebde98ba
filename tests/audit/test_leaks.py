"""Leaks: planted ones are found, left-out canaries expose common phrases. Oracles search texts one by one."""

import hashlib
import importlib.util
import sys
import warnings

import numpy as np
import pytest
from rapidfuzz import fuzz
from support.errors import refused

from lib.audit import leaks as module
from lib.audit.canaries import Canary, toss
from lib.audit.canary_texts import WHOLE, personal_facts
from lib.audit.leaks import NEAR, Leak, best_partial_ratio, exact, holders, leaks, matches
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tokenize import words

FILLER = ["The sound is fine.", "It broke after a week, sadly.", "", "a", "Would buy again!"]


def canaries(count=60):
    return toss(personal_facts(count, seed=0), cells=[{}], rng=np.random.default_rng(0))


def canary(name: str, text: str, included: bool) -> Canary:
    parts = {WHOLE: PrivateText(text)}
    return Canary(Record(name, PrivateText(text), {}), included, "made", parts)


def test_exact_is_a_search_for_runs_of_words():
    texts = ["My friend ANN  Lee, of Hull.", "Mary Ann Leeman", "ann", "Lee and ann-lee", "ann\nlee"]
    parts = ["Ann Lee", "Ann Leeman", "lee", "Hull Mary", "", "..."]
    spaced = [words(text) for text in texts]
    oracle = [
        [i for i, t in enumerate(spaced) if (p := words(part)) and any(t[k : k + len(p)] == p for k in range(len(t)))]
        for part in parts
    ]
    assert holders(parts, texts) == oracle == [[0, 3, 4], [1], [0, 3, 4], [], [], []]
    assert exact(parts, texts).tolist() == [True, True, True, False, False, False]
    assert exact(["a"], []).tolist() == [False]


@pytest.mark.parametrize("chunk", [1, 7, 2**20])
def test_the_best_partial_ratio_is_that_over_all_pairs(chunk, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", chunk)
    parts = [c.parts[p].reveal() for c in canaries(6) for p in ("name", "phone")]
    texts = [f"so {part[1:-2]} it is {i}" for i, part in enumerate(parts[::2])] + FILLER
    plain = [" ".join(words(p)) for p in parts]
    longest = max(map(len, plain))
    table = [[fuzz.partial_ratio(p, " ".join(words(t)).ljust(longest, "\n")) for t in texts] for p in plain]
    score, place = best_partial_ratio(parts, texts, workers=1)
    assert np.abs(score - np.max(table, axis=1)).max() <= 0.5 + 1e-9
    assert [table[i][j] for i, j in enumerate(place)] == pytest.approx(np.max(table, axis=1), abs=1)


def test_a_short_text_is_no_match_for_a_long_part():
    score, _ = best_partial_ratio(["a very long part of a canary"], ["a", "part"], workers=1)
    assert score[0] < 30
    assert best_partial_ratio(["x"], [])[0].tolist() == [0] and best_partial_ratio([], ["x"])[0].tolist() == []


def test_planted_leaks_are_counted_by_part():
    made = canaries()
    inside = [canary for canary in made if canary.included]
    parts = [{name: part.reveal() for name, part in canary.parts.items()} for canary in inside]
    texts = [
        *FILLER * 10,
        f"ask {parts[0]['name'].upper()}!!",
        parts[1][WHOLE],
        f"call {parts[2]['phone'][:-1]}9 now",  # one digit off
    ]
    by_part = {leak.part: leak for leak in leaks(made, texts, fpr=0.0, workers=1)}
    assert set(by_part) == {"name", "street", "phone", WHOLE}
    assert [by_part[p].exact for p in ("name", "street", "phone", WHOLE)] == [2, 1, 1, 1]
    assert by_part["phone"].near >= 2 and by_part[WHOLE].near >= 1
    for leak in by_part.values():
        assert (leak.included, leak.left_out) == (len(inside), len(made) - len(inside))
        assert leak.left_out_exact == leak.left_out_near == 0


def test_a_common_phrase_is_no_leak():
    """Where left-out canaries come back as often, the threshold rises over what they reach."""
    made = [canary(f"c{i}", f"the sound is very fine {i}", i % 2 == 0) for i in range(40)]
    assert leaks(made, ["the sound"], fpr=0.05, workers=1)[0].threshold == NEAR
    (leak,) = leaks(made, ["the sound is very fine"], fpr=0.05, workers=1)
    assert leak.threshold > NEAR and leak.near <= 1 and leak.left_out_near <= 1


def test_no_more_left_out_canaries_are_near_than_the_rate_allows():
    rng = np.random.default_rng(0)
    made = [canary(f"c{i}", " ".join(rng.choice(list("abc"), 9)), bool(i % 3)) for i in range(90)]
    texts = [" ".join(rng.choice(list("abc"), 12)) for _ in range(30)]
    rates = (0.5, 0.29, 0.1, 0.0)
    rows = [leaks(made, texts, fpr=fpr, workers=1)[0] for fpr in rates]
    assert all(leak.left_out_near <= fpr * 30 for leak, fpr in zip(rows, rates, strict=True))
    thresholds = [leak.threshold for leak in rows]
    assert thresholds == sorted(thresholds) and thresholds[0] < thresholds[-1]


def test_matches_come_best_first_with_the_familiar_score_and_without_text():
    made = canaries(12)
    names = [c.parts["name"].reveal() for c in made]
    texts = [*FILLER, f"from {names[3]} with love", f"by {names[5][:-1]}"]
    rows = matches(made, texts, "name", count=3, workers=1)
    assert [m.canary for m in rows[:2]] == [made[3].record.id, made[5].record.id]
    assert len(rows) == 2 and rows[0].score == rows[0].fuzzywuzzy_score == 100 > rows[1].score > NEAR
    assert len(matches(made, texts, "name", count=1, workers=1)) == 1
    assert rows[0].text_sha256 == hashlib.sha256(texts[-2].encode()).hexdigest()
    assert not any(name in repr(rows) for name in names)
    assert matches(made, [], "name") == []


def test_fuzzywuzzy_comes_without_its_warning():
    for name in [name for name in sys.modules if name.startswith("fuzzywuzzy")]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location("leaks_again", module.__file__)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    # Others may warn meanwhile: a file that some test left open is told when its object is collected.
    assert not any("SequenceMatcher" in str(warning.message) for warning in seen)


def test_leaks_without_a_baseline_are_refused():
    with refused("audit.no_canary_left_out", name="made", value=1):
        leaks([canary("a", "x y", True)], ["x"])
    with refused("audit.fpr_out_of_range", name="fpr", value=1.0):
        leaks([canary("a", "x y", False)], ["x"], fpr=1.0)


def test_a_leak_is_counts_alone():
    (leak,) = leaks([canary("a", "quick fox", True), canary("b", "lazy dog", False)], ["a quick fox"], workers=1)
    assert leak == Leak("made", WHOLE, NEAR, 1, 1, 1, 1, 0, 0)


def test_parts_are_found_between_characters():
    texts = ["我叫张伟明，住在北京。", "Ask Ann Smith, 请", "张伟"]
    assert holders(["张伟明", "ann smith", "伟明张"], texts) == [[0], [1], []]
    scores, places = best_partial_ratio(["住在上海的张伟明先生"], ["住在上海的张伟民先生", "完全不同的另外一句话"])
    assert (scores.tolist(), places.tolist()) == ([90], [0])  # spaces between characters would add to it
