"""The terms of an account, which people edit: what makes no sense is refused by name."""

import pytest
from support.budgets import TRAIN, begin, corpus, pay, set_terms
from support.errors import refused
from support.project import Project

from lib.privacy.budget_account import accounts


@pytest.mark.parametrize(
    ("old", "new", "code", "name"),
    [
        ("epsilon: 20.0", "epsilon: 2e1", "stage.yaml_trap", "epsilon"),
        ("epsilon: 20.0", "epsilon: -1", "stage.out_of_range", "epsilon"),
        ("epsilon: 20.0", "epsilon: much", "stage.wrong_type", "epsilon"),
        ("epsilon: 20.0", "epsilom: 20.0", "privacy.term_missing", "epsilon"),
        ("epsilon: 20.0", "epsilon: 20.0\nlimit: 3", "stage.unknown_parameter", "limit"),
        ("unit: null", "unit: person", "stage.wrong_type", "unit"),
        ("delta: null", "delta: 2.0", "stage.out_of_range", "delta"),
        ("delta: null", "delta: 0.001", "privacy.delta_above_units", "delta"),  # above 1/n
        ("source: amazon-snippets", "source: movie-snippets", "privacy.terms_of_another", "source"),
        ("source: amazon-snippets", "source: [", "stage.not_yaml", None),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_name(
    house: Project, old: str, new: str, code: str, name: str | None
) -> None:
    corpus()
    path = set_terms(epsilon=20.0)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with refused(code, name=name):
        pay(begin(TRAIN))
    assert len(path.with_suffix(".jsonl").read_text().splitlines()) == 1  # of the corpus alone


def test_terms_that_hold_nothing_are_refused(house: Project) -> None:
    corpus()
    set_terms().write_text("- 1\n")
    with refused("privacy.no_terms"):
        pay(begin(TRAIN))
    with refused("privacy.term_missing", name="source"):
        accounts()


def test_terms_that_are_not_utf8_are_refused_by_name(house: Project) -> None:
    corpus()
    path = set_terms(epsilon=20.0)
    path.write_bytes(path.read_bytes() + "# of the café\n".encode("latin-1"))
    for read in (lambda: pay(begin(TRAIN)), accounts):
        with refused("stage.yaml_not_utf8") as error:
            read()
        assert error.value.where == "data/budgets/amazon-snippets.yaml"
