"""Metrics of a stage over its steps: JSONL in its folder, and the same to wandb.

Only numbers are written. wandb runs offline unless ``WANDB_MODE`` or the parameter ``tracking`` says
otherwise; it never asks for a key, keeps all its files in the stage's folder, and its failure never
ends a stage.
"""

import json
import math
import netrc
import numbers
import os
import time
import uuid
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from lib.common.errors import DoppelError
from lib.common.files import write_atomic

MODES = ("offline", "online", "off")


def mode(parameters: Mapping[str, object]) -> str:
    """``off``, ``offline`` or ``online``: what ``WANDB_MODE`` says, else the parameter ``tracking``, else offline.

    Args:
        parameters: of the stage.

    Raises:
        DoppelError: a mode that is none of these, or online without a key.
    """
    given = os.environ.get("WANDB_MODE") or parameters.get("tracking", "offline")
    chosen = {"disabled": "off", "dryrun": "offline", "run": "online"}.get(given, given)
    if chosen not in MODES:
        raise DoppelError(
            "stage.tracking_mode",
            f"WANDB_MODE = {given!r}",
            name="WANDB_MODE",
            value=given,
            remedy=f"must be one of {', '.join(MODES)}",
        )
    if chosen == "online" and not (os.environ.get("WANDB_API_KEY") or _key_in_netrc()):
        raise DoppelError(
            "stage.tracking_without_key",
            "tracking is online but wandb has no key",
            name="tracking",
            value="online",
            remedy="set WANDB_API_KEY, or WANDB_MODE=offline",
        )
    return chosen


def _key_in_netrc() -> bool:
    """Whether ``wandb login`` has left a key for the server in use."""
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


class Track:
    """Writes ``metrics.jsonl``, one object a line: step, time (seconds since 1970), numbers; and the same to wandb.

    Args:
        folder: of the stage.
        run: its run, which is the group in wandb.
        stage: its id.
        parameters: of the stage; wandb keeps them as the run's configuration.
    """

    def __init__(self, folder: Path, *, run: str, stage: str, parameters: Mapping[str, object]):
        self._path = folder / "metrics.jsonl"
        self._mode = mode(parameters)
        self._about = {"group": run, "job_type": stage.partition(".")[0], "name": stage, "config": dict(parameters)}
        self._wandb = None
        self._before = _read(self._path)  # of an attempt that was killed: kept up to where this one goes on

    def log(self, *, step: int, **values: float) -> None:
        """Write a line of numbers. NaN and infinity become null.

        Args:
            step: of the stage's work, at least 0.
            values: numbers by name.

        Raises:
            DoppelError: a value is no number.
        """
        for name, value in values.items():
            if not isinstance(value, numbers.Real):
                raise DoppelError(
                    "stage.tracked_no_number",
                    f"{name} at step {step} is {type(value).__name__}",
                    name=name,
                    value=step,
                    remedy="only numbers are tracked",
                )
        if self._before is not None:
            kept = [line for line in self._before if line["step"] < step]
            write_atomic(self._path, "".join(json.dumps(line) + "\n" for line in kept))
            self._before = None
        finite = {name: float(v) if math.isfinite(v) else None for name, v in values.items()}
        with self._path.open("a") as file:
            file.write(json.dumps({"step": int(step), "time": round(time.time(), 3)} | finite) + "\n")
        self._to_wandb(lambda run: run.log({"step": int(step)} | values))

    def summary(self, metrics: Mapping[str, float]) -> None:
        """Send the stage's final metrics to wandb; the stage writes its own metrics.json.

        Args:
            metrics: name -> number.
        """
        self._to_wandb(lambda run: run.summary.update(dict(metrics)))

    def close(self) -> None:
        """End the wandb run; nothing is tracked afterwards."""
        if self._wandb is not None:
            self._to_wandb(_finish)
        self._mode, self._wandb = "off", None

    def _to_wandb(self, act) -> None:
        if self._mode == "off":
            return
        try:
            self._wandb = self._wandb or _start(self._path.parent, self._mode, self._about)
            act(self._wandb)
        except Exception as error:  # whatever wandb raises, and it raises much
            self._mode = "off"
            _abandon()
            warnings.warn(f"wandb stopped ({type(error).__name__}); metrics go on in {self._path.name}", stacklevel=3)


def summarise(
    folder: Path,
    *,
    run: str,
    parameters: Mapping[str, object],
    figures: Mapping[str, float],
    table: Sequence[Mapping[str, str | float | None]],
) -> None:
    """Make a wandb run of job type ``summary`` in the group of a run, so that wandb's table compares runs.

    Online, figures that were computed from real text leave the machine, as all metrics of `Track` do.

    Args:
        folder: of the stage; wandb's files go there.
        run: the run that is summarised.
        parameters: of the stage, for the mode.
        figures: name -> number; they become the columns of wandb's table of runs.
        table: rows of names and numbers, shown in the run.
    """
    tracked = Track(folder, run=run, stage="summary", parameters=parameters)
    tracked._about |= {"name": run, "config": {"run": run}}
    tracked.summary(figures)
    columns = list(dict.fromkeys(name for row in table for name in row))
    tracked._to_wandb(lambda active: active.log({"scorecard": _table(columns, table)}))
    tracked.close()


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, str | float | None]]):
    import wandb

    return wandb.Table(columns=list(columns), data=[[row.get(name) for name in columns] for row in rows])


def _read(path: Path) -> list[dict] | None:
    """The whole lines of a metrics file, None if there is none; the last may have been cut by a kill."""
    if not path.is_file():
        return None
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def _start(folder: Path, mode: str, about: Mapping[str, object]):
    """A wandb run that knows numbers and parameters: no code, no commit, no console, no machine, no packages."""
    for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR", "ARTIFACT_DIR"):
        os.environ[f"WANDB_{name}"] = str(folder / "wandb" / name.lower())
    os.environ["WANDB_CONSOLE"] = "off"
    import wandb  # slow to import, and its folders are read then

    settings = wandb.Settings(
        console="off",
        silent=True,
        save_code=False,
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        program="",
        host="",
        username="",
    )
    project = os.environ.get("WANDB_PROJECT", "doppel")
    fresh = {"id": uuid.uuid4().hex, "resume": "never"}  # else WANDB_RUN_ID would make one run of all stages
    run = wandb.init(project=project, dir=str(folder), mode=mode, settings=settings, **fresh, **about)
    run.define_metric("*", step_metric="step")  # wandb's own counter would drop a step that comes late
    return run


def _finish(run) -> None:
    import wandb

    run.finish()
    wandb.teardown()  # an offline run's file is written by a process that would still be at it


def _abandon() -> None:
    """Let go of wandb's process, which may be dead: the next run of this kernel starts another one."""
    with suppress(Exception):
        import wandb

        wandb.teardown()
