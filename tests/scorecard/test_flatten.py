"""The summary run in wandb: the scorecard's numbers and names, in the run's group, and not a sentence."""

import json
from pathlib import Path

import pytest
from support import scorecard_toys
from wandb.proto import wandb_internal_pb2

from lib.scorecard import flatten
from lib.stage import tracking

PLANTED = "Xanthippe-Quillfeather-0451"


@pytest.fixture
def card(tmp_path: Path) -> dict:
    built = scorecard_toys.build(scorecard_toys.whole(tmp_path))
    built["answers"].append(PLANTED)
    built["missing"].append({"arm": None, "what": PLANTED, "because": PLANTED})
    for row in built["comparisons"]:
        row["because"] = PLANTED
    for arm in built["arms"]:
        arm["privacy"]["not_for_release"] = [PLANTED]
    return built


def summarise(folder: Path, card: dict, **parameters: object) -> None:
    folder.mkdir()
    figures, table = flatten.figures(card), flatten.rows(card)
    tracking.summarise(folder, run="toy-run", parameters=parameters, figures=figures, table=table)


def test_flat_figures_are_numbers_and_rows_hold_names_and_numbers(card: dict) -> None:
    figures = flatten.figures(card)
    assert all(isinstance(value, int | float) for value in figures.values())
    assert figures["eps8/fidelity/embeddings/mauve"] == 0.5 and figures["evolved/money"] == 1.25
    assert figures["eps8/better_in"] == 6 and figures["eps8/worse_in"] == 3
    assert "open/epsilon" not in figures  # infinite: no number
    assert "base/epsilon" in figures and not any("11_generate" in name for name in figures)  # display names
    rows = flatten.rows(card)
    assert [row["name"] for row in rows] == list(scorecard_toys.ARMS) and rows[1]["embeddings, mauve"] == 0.5
    assert PLANTED not in json.dumps([figures, rows])


def test_wandb_gets_a_summary_run_with_the_numbers_and_a_table(
    card: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR", "ARTIFACT_DIR", "CONSOLE"):
        monkeypatch.setenv(f"WANDB_{name}", "")  # put back after the test
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = tmp_path / "stage"
    summarise(folder, card)
    assert not [w for w in recwarn if "wandb stopped" in str(w.message)]
    (run,) = (folder / "wandb").glob("offline-run-*/*.wandb")
    record = run.read_bytes()
    for expected in (b"eps8/fidelity/embeddings/mauve/position", b"evolved/money"):
        assert expected in record
    for about in ({"job_type": "summary"}, {"run_group": "toy-run"}, {"display_name": "toy-run"}):
        assert wandb_internal_pb2.RunRecord(**about).SerializeToString() in record  # a field as it stands in the file
    (table,) = (folder / "wandb").rglob("*.table.json")
    kept = json.loads(table.read_text())
    assert kept["columns"] == list(dict.fromkeys(name for row in flatten.rows(card) for name in row))
    assert [line[0] for line in kept["data"]] == list(scorecard_toys.ARMS)
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert PLANTED.encode() not in written


def test_without_tracking_nothing_is_written(card: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    summarise(tmp_path / "stage", card, tracking="off")
    assert not list((tmp_path / "stage").iterdir())
