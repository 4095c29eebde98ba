"""Which texts a warm start may learn: of an arm that saw no private record, or of a source that is declared public."""

from pathlib import Path

import pytest
from support.errors import refused
from support.source_files import write_csv
from support.warm_arms import CORPUS, COUNTS, stage

from lib.common.files import sha256
from lib.data import sources
from lib.methods.dp_lora.public_texts import check, of_arm, of_source
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.ledger import Event

COLUMNS = {"text": "Tweet", "labels.mood": "Mood", "user": "Author"}
ROWS = [
    {"Tweet": "it came late and broke at once", "Mood": "bad", "Author": "ann"},
    {"Tweet": "it came late and broke at once", "Mood": "bad", "Author": "ann"},  # counts once
    {"Tweet": "a fine day for a long walk", "Mood": "good", "Author": "bob"},
    {"Tweet": "nobody knows what to make of it", "Mood": "odd", "Author": "cy"},  # no value of the domain
    {"Tweet": "too short", "Mood": "good", "Author": "dee"},
    {"Tweet": "this one " * 10, "Mood": "good", "Author": "eve"},
]
PRIVATE = {
    "source": "csv:clinic.csv", "label_domain": {"mood": ["good", "bad"], "site": ["x", "y"]}, "min_words": 4,
    "max_words": 12, "max_characters": 200,
}  # fmt: skip


def given(path: Path, **changes: object) -> dict:
    """Parameters of a training that starts from the texts of a file."""
    written = {"warm_source": f"public:csv:{path}", "warm_columns": COLUMNS, "prompt": "A {mood} note:"}
    return written | {"warm_steps": 10, "warm_batch": 32.0, "seed": 0} | changes


@pytest.fixture
def tweets(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "tweets.csv", ROWS)


def test_texts_of_an_arm_that_saw_private_records_are_refused(tmp_path: Path) -> None:
    private = stage(tmp_path, CORPUS, [COUNTS])
    floor = stage(tmp_path, "11_generate.base", [COUNTS])
    assert len(of_arm(floor, private)) == 8
    for number, mechanism in enumerate((Gaussian(1.0, 0.1, 5), NonPrivate(), DiscreteGaussian(9.0))):
        seen = stage(tmp_path, f"11_generate.{number}", [COUNTS, Event("10_finetune_dp_lora.x", "learned", mechanism)])
        with refused("methods.warm_start_saw_records", name="warm", value=seen.name):
            of_arm(seen, private)
    other = stage(tmp_path, "11_generate.counts", [Event(CORPUS, "label counts", DiscreteGaussian(4.0))])
    (other / "privacy.json").write_text(
        (other / "privacy.json").read_text().replace(sha256(private / "privacy.json"), "0" * 64)
    )
    with refused("privacy.ancestor_differs"):  # the counts were drawn twice
        of_arm(other, private)


def test_texts_of_a_source_keep_to_the_lengths_and_have_the_labels_of_the_domain_or_none(tweets: Path) -> None:
    check(given(tweets), PRIVATE)
    texts, files = of_source(given(tweets), PRIVATE)
    assert files == (tweets,)
    assert {text.text.reveal(): dict(text.labels) for text in texts} == {
        "it came late and broke at once": {"mood": "bad"},
        "a fine day for a long walk": {"mood": "good"},
        "nobody knows what to make of it": {},
    }
    assert len(texts) == 3 and {text.user for text in texts} == {None}  # who wrote them is not kept
    both, _ = of_source(given(tweets, prompt="A {mood} note of {site}:"), PRIVATE)
    assert all(not text.labels for text in both)  # half of the labels make no prompt
    assert [t.id for t in of_source(given(tweets, warm_steps=2, warm_batch=1.0), PRIVATE)[0]] == [
        "public-000000", "public-000001",
    ]  # fmt: skip


def test_a_source_must_be_declared_public_and_must_not_be_that_of_the_corpus(tweets: Path) -> None:
    with refused("privacy.source_not_declared", name="warm_source") as error:
        check(given(tweets, warm_source=f"csv:{tweets}"), PRIVATE)
    assert f"public:csv:{tweets}" in error.value.remedy
    link = tweets.with_name("link.csv")
    link.symlink_to(tweets)
    for own in (f"csv:{tweets}", f"jsonl:{tweets}", f"csv:{link}"):
        for refuses in (check, of_source):
            with refused("privacy.source_is_the_corpus", name="warm_source"):
                refuses(given(tweets), PRIVATE | {"source": own})
    for source, own in (
        ("rotten-tomatoes", "rotten-tomatoes:reviews"),
        ("movie-snippets", "rotten-tomatoes"),
        ("rotten-tomatoes", "movie-snippets"),
        ("hub:a/B::test", "hub:A/b"),
    ):
        with refused("privacy.source_is_the_corpus"):
            check(given(tweets, warm_source=f"public:{source}", warm_columns=None), PRIVATE | {"source": own})
    check(given(tweets, warm_source="public:amazon-snippets", warm_columns=None), PRIVATE)
    check(given(tweets, warm_source=None), PRIVATE)


def test_a_source_that_cannot_be_read_or_has_no_prompt_is_refused_before_anything_runs(tweets: Path) -> None:
    for changes, code in (
        ({"warm_source": "public:csv:nowhere.csv"}, "data.no_file"),
        ({"warm_source": "public:tweets"}, "data.unknown_source"),
        ({"warm_columns": {"text": "Twet"}}, "data.column_missing"),
        ({"warm_source": "public:amazon-snippets"}, "data.columns_not_taken"),
        ({"warm_columns": {"text": "Tweet"}, "prompt": "{mood}:"}, "methods.warm_text_without_prompt"),
    ):
        with refused(code):
            check(given(tweets, **changes), PRIVATE)
    with refused("methods.warm_text_without_prompt", name="warm_source"):  # one that is not the first
        of_source(given(tweets, prompt="{mood}:"), PRIVATE)


def test_bundled_corpora_that_hold_the_same_texts_say_so_of_each_other() -> None:
    for kind, entry in sources.SOURCES.items():
        assert all(kind in sources.SOURCES[other].same_texts for other in entry.same_texts)
