"""A source is public when it is declared so, and is neither the corpus, however it is spelled, nor made by a run."""

import pytest
from support.errors import refused

from lib.common import paths
from lib.privacy.public_source import undeclared


@pytest.mark.parametrize(
    ("declared", "own", "code"),
    [
        ("amazon-snippets", "rotten-tomatoes", "privacy.source_not_declared"),
        ("public:rotten-tomatoes", "rotten-tomatoes", "privacy.source_is_the_corpus"),
        ("public:movie-snippets", "rotten-tomatoes", "privacy.source_is_the_corpus"),
        ("public:csv:data/own.csv", "csv:data/../data/own.csv", "privacy.source_is_the_corpus"),
        ("public:jsonl:data/own.csv", f"csv:{paths.ROOT}/data/own.csv", "privacy.source_is_the_corpus"),
        ("public:hub:some/reviews", "hub:some/reviews", "privacy.source_is_the_corpus"),
        ("public:jsonl:results/a/11_generate/synthetic.jsonl", "rotten-tomatoes", "privacy.source_made_by_a_run"),
        (f"public:csv:{paths.ROOT}/data/../results/x.csv", "rotten-tomatoes", "privacy.source_made_by_a_run"),
    ],
)
def test_what_cannot_be_public_is_refused(declared: str, own: str, code: str) -> None:
    with refused(code, name="topic_texts", value=declared):
        undeclared("topic_texts", declared, own=own)


@pytest.mark.parametrize("source", ["amazon-snippets", "csv:data/public.csv", "hub:some/other"])
def test_any_other_source_may_be_declared_public(source: str) -> None:
    for own in ("rotten-tomatoes", "csv:data/own.csv"):
        assert undeclared("warm_source", f"public:{source}", own=own) == source
