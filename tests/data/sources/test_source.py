"""What follows from the way in which a source is written."""

import pytest

from lib.data.sources.source import Source


@pytest.mark.parametrize(
    ("form", "takes", "needs", "path"),
    [
        ("toy", False, False, False),
        ("toy:NAME", True, True, False),
        ("toy:NAME[/SPLIT]", True, True, False),
        ("toy[:NAME]", True, False, False),
        ("toy:PATH", True, True, True),
        ("toy[:PATH]", True, False, True),
    ],
)
def test_arguments_follow_from_the_form(form: str, takes: bool, needs: bool, path: bool) -> None:
    source = Source(form=form, load=lambda request: None)
    assert (source.takes_argument, source.needs_argument, source.takes_path) == (takes, needs, path)


def test_an_argument_names_the_corpus_unless_the_entry_says_otherwise() -> None:
    whole = Source(form="toy:NAME", load=lambda request: None)
    part = Source(form="toy:NAME", load=lambda request: None, corpus_name=lambda argument: "")
    assert (whole.corpus_name("a/b"), part.corpus_name("a/b")) == ("a/b", "")
    assert whole.knows_users and not (whole.public_text or whole.own_columns or whole.images)  # the careful side
