"""What Snakemake says of its own errors is shown where no stage failed."""

from datetime import UTC, datetime

import pytest
from support.project import Project, toy_chain

from lib.cli import __main__
from lib.pipeline import snakemake
from lib.pipeline.preflight import preflight


def test_an_error_of_snakemake_itself_is_shown(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    toy_chain(here)
    (here.root / "Snakefile").write_text("rule all:\n    input: 'a-file-that-no-rule-makes'\n")
    assert __main__.main(["toy"]) == 1
    shown = capsys.readouterr().err
    assert "before any stage failed" in shown and "a-file-that-no-rule-makes" in shown


def test_a_failure_that_could_not_be_written_is_reported(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    toy_chain(here)
    graph = preflight("toy", "toy")
    (graph.folder / ".chain").mkdir(parents=True)
    (graph.folder / ".chain" / "00_make.failed").touch()
    snakemake._explain(graph, dict.fromkeys(graph.nodes), datetime.now(UTC), [])
    assert "00_make failed: why stands above" in capsys.readouterr().err
