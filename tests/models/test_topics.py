"""Topics: public clusters with public names, and a record's topic, which depends on that record alone."""

from collections.abc import Callable

import numpy as np
import pytest
from support.errors import refused

from lib.data import labels
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.models import topics
from lib.models.encoders import Encoder
from lib.models.topics import Topics, find

GROUPS = [["lens", "photo", "zoom", "flash"], ["song", "band", "drum"], ["soup", "salt", "bread"]]
WORDS = [word for group in GROUPS for word in group]


class Bag(Encoder):
    """Counts words; a word of a group is a little like the others of it."""

    def __init__(self, batch_size: int = 1):
        super().__init__("bag", len(WORDS), batch_size)
        self.alike = np.eye(len(WORDS)) + [[any({a, b} <= set(g) for g in GROUPS) for a in WORDS] for b in WORDS]

    def _encode_batch(self, texts: list[str]) -> np.ndarray:
        assert len(texts) <= self.batch_size
        return np.array([[text.split().count(word) for word in WORDS] for text in texts]) @ self.alike


def public(count: int = 90) -> list[str]:
    """Texts of the words of one group each."""
    draw = np.random.default_rng(0)
    return [" ".join(draw.choice(GROUPS[i % 3], 5)) for i in range(count)]


def private(count: int, seed: int, user: str | None = None) -> list[Record]:
    """Records of any words, with or without a user."""
    draw = np.random.default_rng(seed)
    name = f"{user or 'r'}-{seed}"
    return [
        Record(
            f"{name}-{i}",
            PrivateText(" ".join(draw.choice(WORDS, 6))),
            {"mood": str(draw.choice(["bad", "good"]))},
            user,
        )
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def made() -> Topics:
    return find(public(), WORDS, Bag(), topics=3, seed=0)


def test_clusters_of_public_texts_are_found_and_named_by_their_words(made):
    found = {frozenset(name.split(", ")) for name in made.names}
    assert len(found) == 3 and all(any(name <= set(group) for group in GROUPS) for name in found)
    np.testing.assert_allclose(np.linalg.norm(made.centres, axis=1), 1)
    assert made.domain({"mood": ["bad", "good"]}) == {"mood": ["bad", "good"], "topic": made.names}


def test_the_order_of_public_texts_and_repeats_do_not_matter(made):
    again = find([*reversed(public()), *public(30)], WORDS, Bag(), topics=3, seed=0)
    assert again.names == made.names and np.array_equal(again.centres, made.centres)


def test_a_record_has_the_topic_of_the_greatest_cosine(made):
    rows = private(60, 1)
    for before, after in zip(rows, made.label(rows, Bag()), strict=True):
        (vector,) = Bag().encode([before.text]).astype(float)
        cosines = [centre @ vector / np.linalg.norm(centre) / np.linalg.norm(vector) for centre in made.centres]
        assert cosines[made.names.index(after.labels["topic"])] == max(cosines)
        assert after.labels == before.labels | {"topic": after.labels["topic"]}
        assert (after.id, after.text, after.user) == (before.id, before.text, before.user)


Labelling = Callable[[list[Record]], list[Record]]


def changes(label: Labelling, names: list[str], unit: str) -> tuple[int, list[int]]:
    """Over neighbours: other records that change, and the L1 distances of the clean counts."""
    base = private(8, 0) if unit == "record" else [r for i in range(8) for r in private(3, i, f"u{i}")]
    domain, others, distances = {"mood": ["bad", "good"], "topic": names}, 0, []
    for seed in range(20, 40):
        more = private(1, seed) if unit == "record" else private(4, seed, "new")
        place = seed % (len(base) + 1)
        without, having = label(base), label([*base[:place], *more, *base[place:]])
        assert all({r.labels["topic"] for r in rows} <= set(names) for rows in (without, having))
        rest = [record for record in having if record.id not in {r.id for r in more}]
        others += sum(a != b for a, b in zip(without, rest, strict=True))
        counts = [np.array(labels.clean_counts(rows, domain, unit=unit)) for rows in (without, having)]
        distances.append(int(np.abs(counts[1] - counts[0]).sum()))
    return others, distances


@pytest.mark.parametrize("unit", ["record", "user"])
def test_one_unit_more_changes_no_other_record_and_one_count_by_one(made, unit):
    others, distances = changes(lambda rows: made.label(rows, Bag()), made.names, unit)
    assert others == 0 and set(distances) == {1}


def test_the_property_fails_where_topics_are_made_from_the_records(made):
    """A positive control: clusters of private texts move with one record more, and so do labels of others."""

    def label(rows: list[Record]) -> list[Record]:
        own = find([record.text.reveal() for record in rows], WORDS, Bag(), topics=3, seed=0)
        return Topics(made.names, own.centres).label(rows, Bag())

    others, distances = changes(label, made.names, "record")
    assert others > 0 and max(distances) > 1


def test_an_encoder_that_reads_texts_together_is_refused(made):
    with refused("models.topics_in_batches", name="batch_size", value=2):
        made.label(private(3, 0), Bag(2))
    with refused("models.topics_in_batches", value=2):
        find(public(), WORDS, Bag(2), topics=3, seed=0)
    encoder = topics.open_encoder("hidden:bundled:tiny-random")
    assert encoder.batch_size == 1 and encoder.encode(["one", "another one"]).dtype == np.float32


def test_private_text_and_too_few_texts_or_words_are_refused():
    with refused("models.private_text_in_topics"):
        find([*public(), PrivateText("soup")], WORDS, Bag(), topics=3, seed=0)
    with refused("models.too_few_for_topics", name="topics", value=3):
        find(["soup", "soup", "lens"], WORDS, Bag(), topics=3, seed=0)
    with refused("models.too_few_for_topics", name="topics", value=4):
        find(public(), WORDS, Bag(), topics=4, seed=0)  # ten words cannot name four


def test_topics_are_made_from_words_or_from_a_source_that_is_not_the_private_one(tmp_path):
    given = {"topic_texts": None, "topic_columns": None, "source": "rotten-tomatoes", "seed": 0}
    assert topics.public_texts(given, WORDS) == (WORDS, [])
    file = tmp_path / "public.jsonl"
    file.write_text('{"id": "a", "text": "soup with bread", "labels": {}}\n')
    given["topic_texts"] = f"public:jsonl:{file}"
    found, files = topics.public_texts(given, WORDS)
    assert found == ["soup with bread"] and files == [file]
    with refused("privacy.source_is_the_corpus"):
        topics.public_texts(given | {"source": f"csv:{file}"}, WORDS)


def test_the_words_of_a_language_say_something():
    words = topics.words_of("en_US")
    assert len(words) > 3 * 100 and "music" in words and not {"the", "a"} & set(words) and words == sorted(words)
