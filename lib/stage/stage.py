"""A stage's folder: where its inputs are, where its outputs go, and when it counts as done.

A notebook begins its stage in the cell after its parameters, and finishes it in its last cell:

    stage = Stage.begin("11_generate", globals())
    records = read(stage.inputs["corpus"] / "train.jsonl")
    ...
    stage.finish(metrics={"records": 300}, privacy=ledger)
"""

import html
import math
import numbers
import os
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil
import yaml

from lib.common import paths
from lib.common.errors import DoppelError, nearest
from lib.common.files import remove_folder, remove_parts, write_atomic, write_json
from lib.common.lock import hold
from lib.stage import fingerprint, notebook_file, provenance, redaction
from lib.stage import parameters as params
from lib.stage.tracking import Track

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNNER = "DOPPEL_STAGE"  # the stage that lib.pipeline.run_stage executes in this process; absent when a person does
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # of runs and stages: one folder, no way out of results/

_PATIENCE = 20.0  # seconds for the kernel of a killed run to end


class Inputs(dict):
    """Folders of the input stages by their name in ``inputs``; an unknown name is refused with the nearest."""

    def __missing__(self, name: str) -> Path:
        raise DoppelError(
            "stage.no_such_input",
            f"no input is named {name!r}",
            name=name,
            remedy=f"{nearest(name, self)}; name it in the parameter inputs",
        )


class Stage:
    """A running stage. Create it with `begin`; `finish` marks it complete.

    Attributes:
        notebook: its file's stem.
        parameters: resolved.
        run: the run that it is part of.
        id: of the stage.
        folder: ``results/RUN/ID``.
        inputs: folders of its input stages, by the name of the input.
    """

    _current: ClassVar["Stage | None"] = None

    def __init__(self, notebook: str, parameters: dict[str, object], spec: dict[str, params.Parameter]):
        self.notebook, self.parameters, self._spec = notebook, parameters, spec
        self.run, self.id = str(parameters["run"]), str(parameters["stage"])
        self.folder = paths.ROOT / "results" / self.run / self.id
        self._files: dict[str, dict] = {}
        self._contents: set[str] = set()
        self._began = time.time()  # seconds since 1970
        self._lock = hold(self.folder / ".lock", f"stage {self.id} of run {self.run}", patience=_PATIENCE)
        try:
            (self.folder / fingerprint.DONE).unlink(missing_ok=True)  # from here on the folder is not whole
            self.inputs, self._digests = self._find_inputs()
            self._made = fingerprint.made_from(paths.ROOT, notebook, parameters)
            self._commit, self._imported = provenance.commit(paths.ROOT), set(sys.modules)
            self._clear()
            self._track = Track(self.folder, run=self.run, stage=self.id, parameters=parameters)
        except BaseException:
            self._lock.close()
            raise
        write_atomic(self.path("params.yaml"), yaml.safe_dump(parameters, sort_keys=False, allow_unicode=True))
        self._memory = provenance.PeakMemory()

    @classmethod
    def begin(cls, notebook: str, namespace: MutableMapping[str, object]) -> "Stage":
        """Start the stage that a notebook's parameters describe.

        Outputs of an earlier run are removed; checkpoints stay (`checkpoints`). From here on, relative paths are from
        the project's folder.

        Args:
            notebook: its file's stem.
            namespace: its ``globals()``. The parameters are read from it, checked against the parameters cell, and
                written back in their declared types.

        Raises:
            DoppelError: a parameter does not fit, an input stage is not done, or another process uses the folder.
        """
        if cls._current is not None:  # the cell was run again
            cls._current._release()
        redaction.install()
        path = paths.ROOT / "notebooks" / f"{notebook}.ipynb"
        if not path.is_file():
            raise DoppelError(
                "stage.unknown_notebook",
                "no such notebook",
                name=notebook,
                remedy=nearest(notebook, (file.stem for file in path.parent.glob("*"))),
                where=str(path),
            )
        spec = params.read_spec(path)
        if missing := [name for name in (*params.RESERVED, *spec) if name not in spec or name not in namespace]:
            raise DoppelError(
                "stage.missing_parameter",
                f"no parameter {missing[0]!r}",
                name=missing[0],
                remedy="run the parameters cell, or declare it there",
                where=str(path),
            )
        given = {name: namespace[name] for name in spec}
        if isinstance(given["stage"], Stage):  # the notebook calls its stage `stage`, and ran this cell before
            given["stage"] = given["stage"].id
        parameters = params.check(spec, given, path.name)
        for name in params.RESERVED:
            if not NAME.fullmatch(str(parameters[name])):
                raise DoppelError(
                    "stage.name",
                    f"{name} = {parameters[name]!r}",
                    name=name,
                    value=parameters[name],
                    remedy="use letters, digits, '_', '-' and '.' only",
                )
        if str(parameters["stage"]).partition(".")[0] != notebook:
            raise DoppelError(
                "stage.of_another_notebook",
                f"stage = {parameters['stage']!r}",
                name="stage",
                value=parameters["stage"],
                remedy=f"must be {notebook!r} or {notebook + '.VARIANT'!r}",
            )
        namespace.update(parameters)
        os.chdir(paths.ROOT)
        cls._current = cls(notebook, parameters, spec)
        return cls._current

    def _find_inputs(self) -> tuple[Inputs, dict[str, str]]:
        """Folders of the inputs by their local name, and the digests of their outputs by stage id."""
        folders, digests = Inputs(), {}
        for name, upstream in dict(self.parameters.get("inputs", {})).items():
            folder = self.folder.parent / upstream
            done = fingerprint.read_done(folder)
            if done is None:
                preset = self.run if (paths.ROOT / "params" / self.run).is_dir() else f"PRESET --run {self.run}"
                raise DoppelError(
                    "stage.input_not_done",
                    f"input {name!r} of {self.id}: stage {upstream} is not done in results/{self.run}",
                    name=name,
                    value=upstream,
                    remedy=f"run ./run_all.sh {preset} --only {upstream}",
                )
            folders[name], digests[upstream] = folder, done["digest"]
        return folders, digests

    def _clear(self) -> None:
        """Remove what an earlier run left, but not the runner's open files, nor work that this stage can resume."""
        kept = {fingerprint.CHECKPOINTS, "metrics.jsonl"} if self._checkpoints.is_dir() else set()
        if os.environ.get(RUNNER) == self.id:
            kept |= {"notebook.ipynb", "log.txt"}
        for entry in self.folder.iterdir():
            if entry.name.startswith(".") or entry.name in kept:
                continue
            remove_folder(entry) if entry.is_dir() else entry.unlink()
        remove_parts(self.folder)

    def path(self, name: str) -> Path:
        """Where the stage writes an output; its folder is made.

        Args:
            name: of the file within the stage's folder, ``train.jsonl`` say.
        """
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def uses(self, path: str | Path) -> Path:
        """Name a file from outside the results that the stage reads: it runs again when its content changes.

        Args:
            path: of the file; relative ones are from the project's folder.

        Returns:
            Its absolute path.

        Raises:
            DoppelError: there is no such file.
        """
        path = Path(path).resolve()
        if not path.is_file():
            raise DoppelError("stage.no_such_file", "no such file", name=path.name, where=str(path))
        name = path.relative_to(paths.ROOT).as_posix() if path.is_relative_to(paths.ROOT) else str(path)
        self._files[name] = fingerprint.file_facts(path)
        return path

    def uses_content(self, digest: str) -> None:
        """Name content that the stage reads and that no file may hold, a dataset of a hub say: `checkpoints` are its.

        Args:
            digest: a hash of the content.
        """
        self._contents.add(digest)

    @property
    def _checkpoints(self) -> Path:
        """The name holds what the stage is made from: a changed parameter cannot find the old work."""
        return self.folder / fingerprint.CHECKPOINTS / fingerprint.work_key(self._made, self._digests)

    @property
    def checkpoints(self) -> Path:
        """Folder of resumable work. Another attempt finds it only while parameters, code and inputs are the same.

        Ask for it after `uses` and `uses_content`, which add that content. `finish` removes it.
        """
        files = sorted((name, facts["sha256"]) for name, facts in self._files.items())
        contents = [*files, *sorted(self._contents)]
        folder = self._checkpoints / fingerprint.text_hash(repr(contents))[:16] if contents else self._checkpoints
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def figure(self, name: str, figure: "Figure") -> Path:
        """Save a matplotlib figure as ``figures/NAME.png``.

        Args:
            name: of the file, without its ending.
            figure: to save, at 150 dots an inch.
        """
        path = self.path(f"figures/{name}.png")
        figure.savefig(path, dpi=150, bbox_inches="tight")
        return path

    def log(self, *, step: int, **values: float) -> None:
        """Write numbers to metrics.jsonl and wandb.

        Args:
            step: of the stage's work, at least 0.
            values: numbers by name.
        """
        self._track.log(step=step, **values)

    def finish(self, metrics: Mapping[str, float], privacy: Mapping[str, object]) -> None:
        """Write metrics.json, privacy.json and provenance.json, and last done.json, which marks the stage complete.

        The checkpoints go after it, and at once: who is killed here has a complete stage, or all that it paid for.

        Args:
            metrics: name -> finite number.
            privacy: what the stage's ledger gives (`lib.privacy.ledger.Ledger.statement`).

        Raises:
            DoppelError: a metric is no finite number, or ``privacy`` cannot be written as JSON.
        """
        write_json(self.path("metrics.json"), _checked(metrics))
        try:
            write_json(self.path("privacy.json"), dict(privacy))
        except (TypeError, ValueError):
            raise DoppelError(
                "stage.privacy_not_json", "privacy holds a value that is not JSON (NaN, infinity or an object)"
            ) from None
        self._track.summary(metrics)
        self._track.close()
        write_json(self.path("provenance.json"), self._provenance())
        files = fingerprint.outputs(self.folder)
        done = {
            "stage": self.id,
            "signature": fingerprint.signature(self._made),
            "edited": self._edited(),
            "made_from": fingerprint.opened(self._made) | {"inputs": self._digests, "files": self._files},
            "outputs": files,
            "digest": fingerprint.digest(files),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(self.folder / fingerprint.DONE, done)
        remove_folder(self.folder / fingerprint.CHECKPOINTS)
        self._release()
        print(f"done in {time.time() - self._began:.0f} s: {self.folder.relative_to(paths.ROOT)}")

    def _provenance(self) -> dict:
        return {
            "stage": self.id,
            "run": self.run,
            **self._commit,
            "began": datetime.fromtimestamp(self._began, UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - self._began, 1),
            "peak_memory_mb": self._memory.stop(),
            "seeds": {name: value for name, value in self.parameters.items() if name.endswith("seed")},
            "inputs": self._digests,
            "files": self._files,
            "machine": provenance.machine(),
            "packages": provenance.packages(),
        }

    def _edited(self) -> str | None:
        """Why what ran is not what is saved (code that was edited while it ran, or by hand before), or None."""
        opened = fingerprint.opened(self._made)["modules"]
        now = fingerprint.made_from(paths.ROOT, self.notebook, self.parameters)["modules"]
        for name in sorted(opened.keys() - self._imported):
            if now.get(name) != opened[name]:
                return f"{name} changed between the stage's begin and its import"
        shell = redaction.shell()
        if shell is None:
            return None
        ran = {cell.strip() for cell in shell.history_manager.input_hist_raw}
        saved = notebook_file.code(paths.ROOT / "notebooks" / f"{self.notebook}.ipynb")
        if any(cell.strip() not in ran for cell in saved):
            return "run by hand with cells that differ from the saved notebook"
        started = psutil.Process().create_time() + 1  # which is rounded down to the second
        for name, path in fingerprint.modules(paths.ROOT, saved).items():
            if name in opened and started < path.stat().st_mtime <= self._began:
                return f"run by hand in a kernel older than {name}; restart the kernel after editing lib"
        return None

    def _release(self) -> None:
        self._memory.stop()
        self._track.close()
        self._lock.close()
        Stage._current = None

    def _repr_html_(self) -> str:
        lines = [("parameter", "value", ""), *((n, str(v), self._spec[n].help) for n, v in self.parameters.items())]
        rows = "".join(
            "<tr>" + "".join(f'<{tag} style="text-align: left">{html.escape(text)}</{tag}>' for text in line) + "</tr>"
            for tag, line in zip(["th", *["td"] * len(self.parameters)], lines, strict=True)
        )
        return f"<table>{rows}</table><p>Outputs go to <code>results/{self.run}/{self.id}</code></p>"

    def __repr__(self) -> str:
        width = max(map(len, self.parameters))
        lines = [f"{name:<{width}}  {value}" for name, value in self.parameters.items()]
        return "\n".join([*lines, f"outputs go to results/{self.run}/{self.id}"])


def _checked(metrics: Mapping[str, float]) -> dict[str, int | float]:
    """Metrics as plain Python numbers. Raises DoppelError by name."""
    plain: dict[str, int | float] = {}
    for name, value in metrics.items():
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            raise DoppelError(
                "stage.metric_no_number",
                f"metric {name!r} is {type(value).__name__}",
                name=name,
                remedy="metrics are flat: a name and a number",
            )
        if not math.isfinite(value):
            raise DoppelError(
                "stage.metric_not_finite",
                f"metric {name!r} is {float(value)}",
                name=name,
                remedy="it must be finite: find the step that made it so",
            )
        plain[name] = int(value) if isinstance(value, numbers.Integral) else float(value)
    return plain
