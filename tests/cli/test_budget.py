"""The command that says what was spent on each corpus, and on one charge by charge."""

import re

import pytest
from support.budgets import CSV, TRAIN, begin, corpus, pay, set_terms
from support.errors import refused
from support.project import Project

from lib.cli import __main__, budget


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What ``./run_all.sh budget`` prints."""
    capsys.readouterr()
    assert __main__.main(["budget", *arguments]) == 0
    return capsys.readouterr().out


def test_the_command_lists_accounts_and_charges(house: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys) == "nothing was charged yet\n"
    corpus(changes=CSV)
    pay(begin(TRAIN, changes=CSV))
    pay(begin(TRAIN, changes=(*CSV, f"{TRAIN}.steps=8")))
    corpus(run="other")
    listed = printed(capsys)
    assert "file:reviews.csv" in listed and "amazon-snippets" in listed and TRAIN not in listed
    charges = printed(capsys, "csv:reviews.csv")
    assert re.search(r"epsilon 2\.72\d+ spent at delta 4\.3e-05, for one record; limit 100; 3 charges", charges)
    assert re.search(rf"quick +{re.escape(TRAIN)} +record +2 +2\.\d+ ", charges)
    set_terms("csv:reviews.csv", epsilon=1.0)
    assert "limit 1, EXCEEDED" in printed(capsys)


def test_a_source_that_nothing_was_charged_to_is_told_from_one_that_is_none(
    house: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus(changes=CSV)
    for source in ("movie-snippets", "hub:owner/name", "yelp:reviews.csv"):
        known = source == "yelp:reviews.csv"  # the same file under another kind
        assert (f"nothing was charged to {source} yet" in printed(capsys, source)) != known, source
    for source, code, remedy in (
        ("amazon-snippet", "cli.unknown_source", "did you mean amazon-snippets?"),
        ("csv:review.csv", "cli.no_such_file", "did you mean file:reviews.csv?"),
        ("file:review.csv", "cli.no_such_file", "did you mean file:reviews.csv?"),
        ("hub", "data.source_form", ""),
    ):
        with refused(code, name="source", value=source) as error:
            budget._print_account(source)
        assert error.value.remedy == remedy
        assert __main__.main(["budget", source]) == 1
        shown = capsys.readouterr()
        assert (shown.out, shown.err) == ("", f"{error.value}\n")
    assert "epsilon" in printed(capsys, "file:reviews.csv")  # as the list of accounts calls it
