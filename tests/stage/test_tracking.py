"""Metrics over steps: numbers alone, whole after a kill, and the same in wandb without a word of private text."""

import json
import math
import re
import warnings
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.errors import refused

from lib.stage.tracking import Track, mode, summarise

PARAMETERS = {"steps": 3, "labels": {"rating": ["1", "5"]}}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def track(folder: Path, monkeypatch: pytest.MonkeyPatch | None = None, **parameters: object) -> Track:
    return Track(folder, run="toy", stage="01_train.eps8", parameters={"tracking": "off"} | PARAMETERS | parameters)


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_line_a_step_of_numbers(tmp_path: Path) -> None:
    tracked = track(tmp_path)
    tracked.log(step=1, loss=2.5, tokens=10)
    tracked.log(step=np.int64(2), loss=np.float32(0.5), ratio=math.nan)
    first, second = lines(tmp_path)
    assert first == {"step": 1, "time": first["time"], "loss": 2.5, "tokens": 10}
    assert second["loss"] == 0.5 and second["ratio"] is None  # JSON has no NaN


@pytest.mark.parametrize("value", ["a private review", ["a"], None, {"a": 1.0}])
def test_what_is_not_a_number_is_refused_unseen(tmp_path: Path, value: object) -> None:
    with refused("stage.tracked_no_number", name="note", value=1) as error:
        track(tmp_path).log(step=1, note=value)
    assert "private" not in str(error.value) and not (tmp_path / "metrics.jsonl").exists()


def test_a_resumed_run_goes_on_where_its_checkpoint_was(tmp_path: Path) -> None:
    killed = track(tmp_path)
    for step in range(1, 6):
        killed.log(step=step, loss=float(step))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')  # cut by the kill
    resumed = track(tmp_path)
    resumed.log(step=4, loss=40.0)  # the checkpoint was at step 3
    resumed.log(step=5, loss=50.0)
    assert [(line["step"], line["loss"]) for line in lines(tmp_path)] == [(1, 1), (2, 2), (3, 3), (4, 40), (5, 50)]


def test_half_a_first_line_is_not_written_behind(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"st')
    resumed = track(tmp_path)
    resumed.log(step=5, loss=1.0)
    assert [line["step"] for line in lines(tmp_path)] == [5]


def test_a_resumed_file_is_whole_whenever_it_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    track(tmp_path).log(step=1, loss=1.0)
    before = lines(tmp_path)
    resumed = track(tmp_path)

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", kill)  # the disk is full, or the power goes, while it is written
    with pytest.raises(KeyboardInterrupt):
        resumed.log(step=2, loss=2.0)
    assert lines(tmp_path) == before


@pytest.mark.parametrize(
    ("variable", "parameter", "expected"),
    [
        (None, None, "offline"),
        (None, "off", "off"),
        ("disabled", None, "off"),
        ("offline", "off", "offline"),
        ("dryrun", None, "offline"),
    ],
)
def test_the_mode_is_offline_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, parameter: str | None, expected: str
) -> None:
    if variable:
        monkeypatch.setenv("WANDB_MODE", variable)
    assert mode({"tracking": parameter} if parameter else {}) == expected


def test_online_without_a_key_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with refused("stage.tracking_without_key", name="tracking", value="online") as error:
        mode({"tracking": "online"})
    assert error.value.remedy == "set WANDB_API_KEY, or WANDB_MODE=offline"
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password 0\n")  # as wandb login leaves it
    assert mode({"tracking": "online"}) == "online"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    with refused("stage.tracking_without_key"):
        mode({"tracking": "online"})
    monkeypatch.setenv("WANDB_API_KEY", "0")
    assert mode({"tracking": "online"}) == "online"


def test_an_unknown_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "onlin")
    with refused("stage.tracking_mode", name="WANDB_MODE", value="onlin") as error:
        mode({})
    assert "offline, online, off" in error.value.remedy


def test_a_failure_of_wandb_is_told_once_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("a private path")

    monkeypatch.setattr("lib.stage.tracking._start", fail)
    tracked = track(tmp_path, tracking="offline")
    with pytest.warns(UserWarning, match=re.escape("wandb stopped (OSError)")) as warned:
        tracked.log(step=1, loss=1.0)
        tracked.log(step=2, loss=1.0)
        tracked.close()
    assert len(warned) == 1 and "private" not in str(warned[0].message)
    assert len(lines(tmp_path)) == 2


def test_wandb_has_the_numbers_and_all_its_files_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    home, folder, planted = tmp_path / "home", tmp_path / "stage", "Xanthippe-Quillfeather-0451"
    home.mkdir()
    folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    monkeypatch.setattr("sys.argv", ["program", planted])  # what a kernel holds while the stage runs
    tracked = track(folder, tracking="offline")
    for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR", "ARTIFACT_DIR", "CONSOLE"):
        monkeypatch.setenv(f"WANDB_{name}", "")  # put back after the test
    print(planted)  # the console is not captured
    tracked.log(step=7, loss=2.5)
    tracked.log(step=3, late=1.0)
    tracked.summary({"final": 0.25})
    tracked.close()
    assert not [w for w in recwarn if "wandb stopped" in str(w.message)]
    assert not list(home.rglob("*"))
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert planted.encode() not in written
    (run,) = (folder / "wandb").glob("offline-run-*/*.wandb")
    record = run.read_bytes()
    for expected in (b"01_train", b"toy", b"loss", b"late", b"final", b"labels"):
        assert expected in record
    assert not list((folder / "wandb").rglob("*.py")) and not list((folder / "wandb").rglob("requirements.txt"))


@pytest.fixture
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR", "ARTIFACT_DIR", "CONSOLE"):
        monkeypatch.setenv(f"WANDB_{name}", "")  # put back after the test


def runs(folder: Path) -> list[str]:
    """Ids of the wandb runs in a folder."""
    return [path.name.rpartition("-")[2] for path in (folder / "wandb").glob("offline-run-*")]


def stages(root: Path, count: int) -> list[Path]:
    folders = [root / str(number) for number in range(count)]
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.mark.usefixtures("_quiet")
def test_each_stage_is_a_run_of_its_own_whatever_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    """``wandb sync`` would make one run of all that share an id, each over the one before."""
    monkeypatch.setenv("WANDB_RUN_ID", "shared")
    monkeypatch.setenv("WANDB_RESUME", "must")
    folders = stages(tmp_path, 2)
    for folder in folders:
        tracked = track(folder, tracking="offline")
        tracked.log(step=1, loss=1.0)
        tracked.close()
    assert len({*runs(folders[0]), *runs(folders[1]), "shared"}) == 3
    assert not [w for w in recwarn if "wandb stopped" in str(w.message)]


@pytest.mark.usefixtures("_quiet")
def test_wandb_s_process_may_die_and_the_next_run_has_one_again(tmp_path: Path) -> None:
    folders = stages(tmp_path, 2)
    tracked = track(folders[0], tracking="offline")
    tracked.log(step=1, loss=1.0)
    (service,) = [child for child in psutil.Process().children() if child.name().startswith("wandb")]
    service.kill()
    service.wait(10)
    with pytest.warns(UserWarning, match="wandb stopped"):
        tracked.log(step=2, loss=1.0)
        tracked.close()
    assert [line["step"] for line in lines(folders[0])] == [1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = track(folders[1], tracking="offline")
        again.log(step=1, loss=1.0)
        again.close()
    assert len(runs(folders[1])) == 1


@pytest.mark.usefixtures("_quiet")
def test_a_table_with_gaps_numbers_of_both_kinds_and_long_names_is_kept(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    table = [
        {"name": "a", "model": None, "x": 1},
        {"name": "b" * 400, "model": "m", "x": 0.5},
        {"name": "c", "y": 2},
    ]
    figures = {f"{'b' * 400}/x": 0.5, "a/x": math.inf}
    summarise(tmp_path, run="r" * 300, parameters={"tracking": "offline"}, figures=figures, table=table)
    assert not [w for w in recwarn if "wandb stopped" in str(w.message)]
    (kept,) = (tmp_path / "wandb").rglob("scorecard*.table.json")
    assert json.loads(kept.read_text())["data"] == [
        ["a", None, 1, None],
        ["b" * 400, "m", 0.5, None],
        ["c", None, None, 2],
    ]
