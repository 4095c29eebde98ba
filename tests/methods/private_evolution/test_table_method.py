"""The entry of private evolution of tables: what can run and what is refused."""

import pytest
from support.errors import refused
from support.project import ROOT

from lib.methods.private_evolution.table_method import METHOD, check_table_evolution
from lib.pipeline.corpus_checks import process_table
from lib.privacy.accounting import epsilon
from lib.stage.parameters import read_spec


def defaults(notebook: str) -> dict:
    return {name: p.default for name, p in read_spec(ROOT / "notebooks" / f"{notebook}.ipynb").items()}


ARM, CORPUS = defaults("16_table_evolution"), defaults("00_process_table")


def test_the_defaults_of_the_notebooks_can_evolve() -> None:
    process_table(CORPUS)
    check_table_evolution(ARM)
    mechanism = METHOD.mechanism(ARM, units=400, delta=4e-4)
    assert 0.98 * 8 < epsilon([mechanism], delta=4e-4) <= 8 and {*METHOD.settings} <= {*ARM}


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"inputs": {"corpus": "00_process_data"}}, "stage.input_of_another_notebook", "corpus"),
        ({"degrees": 1.5}, "methods.degree_out_of_range", "degrees"),
        ({"degrees": [0.1]}, "methods.not_one_for_each_vote", "degrees"),
    ],
)
def test_what_cannot_evolve_is_refused(change: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        check_table_evolution(ARM | change)


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"source": "rotten-tomatoes"}, "pipeline.source_of_other_kind", "source"),
        ({"source": "sklearn:titanic"}, "data.unknown_table", "source"),
        ({"columns": {}}, "data.no_columns", "columns"),
        ({"label": "mean_radius"}, "data.label_no_category", "label"),
        ({"label": None}, "pipeline.nothing_to_count", "label_histogram_scale"),
        ({"unit": "user"}, "pipeline.table_without_users", "user"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(change: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        process_table(CORPUS | change)
