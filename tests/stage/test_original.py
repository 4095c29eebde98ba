"""The corpus that scrubbed records come from is found through any number of stages."""

from pathlib import Path

import pytest

from lib.stage.original import original


@pytest.mark.parametrize("asked", ["00_process_data", "01_scrub", "01_scrub.again"])
def test_the_original_is_the_stage_that_has_no_corpus(tmp_path: Path, asked: str) -> None:
    behind = {"00_process_data": "source: x", "01_scrub": "inputs: {corpus: 00_process_data}"}
    behind["01_scrub.again"] = "inputs: {corpus: 01_scrub}"
    for stage, text in behind.items():
        (tmp_path / stage).mkdir()
        (tmp_path / stage / "params.yaml").write_text(text)
    assert original(tmp_path / asked) == tmp_path / "00_process_data"
