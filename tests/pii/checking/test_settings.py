"""Parameters of 41_pii_check that cannot work are refused by name before anything starts."""

from pathlib import Path

import pytest
from support.errors import refused
from support.project import ROOT

from lib.pii.checking import settings
from lib.stage.parameters import read_spec

GIVEN = {name: one.default for name, one in read_spec(ROOT / "notebooks" / "41_pii_check.ipynb").items()}
GIVEN |= {"inputs": {"synthetic": "40_pii_text"}, "beside": ["rules"], "gliner": None, "reference": None}


def test_the_notebooks_own_values_and_a_reference_that_is_there_are_taken(tmp_path: Path) -> None:
    settings.check(GIVEN)
    (tmp_path / "reference.json").touch()
    settings.check(GIVEN | {"reference": str(tmp_path / "reference.json")})


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"inputs": {"synthetic": "11_generate"}}, "stage.input_of_another_notebook", "synthetic"),
        ({"inputs": {}}, "stage.not_the_only_input", "inputs"),
        ({"classifier": "bundled:nobody"}, "models.unknown_bundled", "model"),
        ({"locale": "xx_XX"}, "pii.unknown_locale", "locale"),
        ({"beside": ["rules", "rulez"]}, "pii.unknown_detector", "detectors"),
        ({"beside": ["rules", "trained"]}, "pii.trained_beside", "beside"),
        ({"beside": ["rules", "gliner"]}, "pii.gliner_alone", "gliner"),
        ({"gliner": "hub:OWNER/NAME"}, "pii.gliner_alone", "gliner"),
        ({"reference": "nowhere.json"}, "pii.no_reference_file", "reference"),
    ],
)
def test_what_cannot_work_is_refused_by_name(change: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        settings.check(GIVEN | change)
