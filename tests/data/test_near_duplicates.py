"""Near-duplicates, against a loop over all pairs."""

import random

import numpy as np
import pytest
from support.scripts import SENTENCES, same_sentences

from lib.data import near_duplicates
from lib.data.near_duplicates import first_of_each, shingles, with_near_duplicate
from lib.data.tokenize import words


def jaccard(left: str, right: str) -> float:
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b)


def components(texts: list[str], similarity: float) -> list[bool]:
    """The oracle: every pair, then the smallest index of each connected group."""
    group = list(range(len(texts)))
    for i in range(len(texts)):
        for j in range(i):
            if jaccard(texts[i], texts[j]) >= similarity:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if g == old else g for g in group]
    return [group[i] == i for i in range(len(texts))]


@pytest.mark.parametrize("similarity", [0.2, 0.5, 0.6, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("chunk", [50, 5_000_000])
def test_near_duplicates_against_all_pairs(similarity, chunk, monkeypatch):
    monkeypatch.setattr(near_duplicates, "CHUNK", chunk)
    draw = random.Random(0)
    made = [" ".join(draw.choices("abcdefgh", k=draw.randint(1, 5))) for _ in range(60)]
    for length in (8, 10, 13, 20):
        made += [" ".join(draw.choices([f"w{i}" for i in range(40)], k=length)) for _ in range(20)]
    for text in draw.sample(made, 80):
        changed = text.split()
        changed[draw.randrange(len(changed))] = "changed"
        made.append(" ".join(changed))
    draw.shuffle(made)
    keep = first_of_each(made, similarity)
    assert keep.dtype == np.bool_ and keep.tolist() == components(made, similarity)
    assert 0 < keep.sum() < len(made)


def test_a_similarity_that_rounds_upwards_is_reached():
    """0.56 x 25 is 14.000000000000002 in floating point: 14 shared of 25 must still count as 0.56."""
    base = [f"w{i}" for i in range(27)]  # 25 shingles; its first 14 are those of the other text
    pair = [" ".join(base), " ".join(base[:16])]
    assert jaccard(*pair) == 0.56
    assert first_of_each(pair, 0.56).tolist() == [True, False]


def test_shingles_of_long_and_short_texts():
    assert shingles("One, two: THREE four five six") == {
        ("one", "two", "three"),
        ("two", "three", "four"),
        ("three", "four", "five"),
        ("four", "five", "six"),
    }
    assert shingles("One, two two three!") == {("one",), ("two",), ("three",)}


@pytest.mark.parametrize("similarity", [0.3, 0.6, 1.0])
def test_texts_near_a_corpus_against_all_pairs(similarity):
    draw = random.Random(1)
    made = [" ".join(draw.choices("abcdefgh", k=draw.randint(1, 9))) for _ in range(90)]
    texts, corpus = made[:40], made[40:]
    expected = [any(jaccard(text, other) >= similarity for other in corpus) for text in texts]
    assert with_near_duplicate(texts, corpus, similarity).tolist() == expected and 0 < sum(expected) < 40
    assert with_near_duplicate(texts, [], similarity).tolist() == [False] * 40
    assert with_near_duplicate([], corpus, similarity).tolist() == []


@pytest.mark.parametrize("script", SENTENCES)
def test_one_changed_word_leaves_near_duplicates_in_any_script(script):
    tokens = words(same_sentences(script)[0])
    changed, other = [*tokens[:4], "x", *tokens[5:]], tokens[::-1]
    glue = " " if script == "English" else ""
    texts = [glue.join(each) for each in (changed, other)]
    assert with_near_duplicate(texts, [glue.join(tokens)], 0.5).tolist() == [True, False]
