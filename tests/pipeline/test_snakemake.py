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


@pytest.mark.parametrize("line", ["dry-run: true", "touch: true"])
@pytest.mark.parametrize("given", ["option", "variable"])
def test_a_profile_that_runs_nothing_is_no_success(
    here: Project, line: str, given: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_chain(here)
    profile = here.root / "my profile"
    profile.mkdir()
    (profile / "config.yaml").write_text(f"jobs: 1\n{line}\n")
    if given == "variable":
        monkeypatch.setenv("SNAKEMAKE_PROFILE", str(profile))
    assert __main__.main(["toy", *(["--profile", str(profile)] if given == "option" else [])]) == 1
    shown = capfd.readouterr().err
    assert "00_make is not done" in shown and "SNAKEMAKE_PROFILE" in shown


def test_a_profile_that_is_not_there_or_no_yaml_is_told_in_snakemake_s_words(
    here: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    toy_chain(here)
    (here.root / "bad").mkdir()
    (here.root / "bad" / "config.yaml").write_text("jobs: [1\n")
    for profile, cause in ((here.root / "none", "no profile.yaml"), (here.root / "bad", "Couldn't parse config file")):
        assert __main__.main(["toy", "--profile", str(profile)]) == 1
        assert cause in capfd.readouterr().err
