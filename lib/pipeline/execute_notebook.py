"""Runs a notebook through papermill, with a kernel of this very environment and a log that people can read."""

import logging
import math
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, ClassVar

import papermill
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from lib.stage import notebook_file

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STATE = re.compile(r"(.*?)\[\d+:\d\d(:\d\d)?[<,][^\]]*\]\s*")  # of tqdm, up to its meter's end: [00:03<00:09, 2.5it/s]
_SCREEN = 25  # lines of an error that are shown
_UNKNOWN = "Passed unknown parameter: "


def _is_not_about_annotations(record: logging.LogRecord) -> bool:
    """Drops papermill's warnings about annotated parameters: it cannot read them, and `lib.stage.parameters` does."""
    return not record.getMessage().startswith(_UNKNOWN)


logging.getLogger("papermill").addFilter(_is_not_about_annotations)


class ThisPython(AsyncKernelManager):
    """Starts the kernel with the running Python interpreter, whatever kernels are registered on the machine."""

    died: ClassVar[int | None] = None  # exit status of the kernel that was found dead

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command that starts the kernel."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
        return KernelSpec(argv=command, display_name="Python", language="python")

    async def _async_is_alive(self) -> bool:
        alive = await super()._async_is_alive()
        if not alive and self.has_kernel:
            ThisPython.died = await self.provisioner.poll()
        return alive


class Log:
    """A kernel's output stream, written as lines.

    A progress bar overwrites its state again and again. Of its states those are kept that come at least ``every``
    seconds after the one before, each as soon as it comes, and the last. tqdm puts the carriage return before a state,
    not behind it, so a state is taken as complete when its meter is, without waiting for the next one.

    Args:
        lines: takes every line.
        progress: called with each state of a progress bar that is kept.
        every: seconds between two states.
        clock: the time in seconds; a test may replace it.
    """

    def __init__(
        self,
        lines: IO[str],
        progress: Callable[[str], None],
        every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._lines, self._progress, self._every, self._clock = lines, progress, every, clock
        self._rest = ""  # what came since the last line end or carriage return
        self._kept = ""  # the last state that was kept, until a line ends
        self._waiting = ""  # a newer one that came too soon after it
        self._last = -math.inf  # when a state was kept

    def write(self, text: str) -> None:
        """Take ``text``, which may end anywhere in a line or a state."""
        text = self._rest + _ANSI.sub("", text)
        held = "\r" if text.endswith("\r") else ""  # the \n of a \r\n may still come
        *pieces, rest = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text.removesuffix("\r"))
        self._rest = rest + held
        for piece in pieces:
            if piece.endswith("\n"):
                self._end_line(piece.rstrip("\r\n"))
            else:
                self._take_state(piece.rstrip("\r"))
        if _STATE.fullmatch(rest):
            self._take_state(rest)

    def _take_state(self, state: str) -> None:
        """Something that a carriage return overwrites: kept when it is due, else it waits to be the last."""
        if state.isspace():  # the bar was wiped off: what waits was its last state
            self._keep_waiting()
        state = state.rstrip()
        if state and state not in (self._kept, self._waiting):  # else it came before without its carriage return
            self._waiting = state
            if self._clock() - self._last >= self._every:
                self._keep_waiting()

    def _keep_waiting(self) -> None:
        if self._waiting:
            self._kept, self._waiting, self._last = self._waiting, "", self._clock()
            self._lines.write(f"{self._kept}\n")
            if _STATE.match(self._kept):
                self._progress(self._kept.strip())

    def _end_line(self, line: str) -> None:
        """A line that stays: the last state of a bar, or something that was printed, perhaps over a state."""
        line = line.removeprefix(self._kept) if self._kept else line
        if state := _STATE.match(line):
            line = line[state.end() :]
            kept = _STATE.match(self._kept)  # a bar that closes shows its last state again, at another rate
            self._waiting = "" if kept and kept[1] == state[1] else state[0].rstrip()
        if _STATE.match(self._waiting):
            self._keep_waiting()
        if line.strip() or not self._kept:
            self._lines.write(f"{line}\n")
        self._kept = self._waiting = ""

    def flush(self) -> None:
        """Flush the lines."""
        self._lines.flush()

    def close(self) -> None:
        """Write what the kernel left without a line end."""
        if self._rest.strip():
            self.write("\n")
        self._keep_waiting()


def execute(
    source: Path, target: Path, log: Path, parameters: dict, folder: Path, say: Callable[[str], None]
) -> str | None:
    """Run a notebook.

    Args:
        source: the notebook.
        target: where the executed notebook goes.
        log: takes what the kernel prints; it is appended to.
        parameters: values of the notebook's parameters, by name.
        folder: the folder in which it runs.
        say: called with the state of progress bars now and then.

    Returns:
        None, or what went wrong, on one screen: the purpose of the failing cell and its error.
    """
    with log.open("a", encoding="utf-8", buffering=1) as file:
        streams = Log(file, say), Log(file, say)
        try:
            papermill.execute_notebook(
                _literal(source),
                _literal(target),
                parameters=parameters,
                kernel_name="python3",
                language="python",
                kernel_manager_class=ThisPython,
                progress_bar=False,
                cwd=folder,
                stdout_file=streams[0],
                stderr_file=streams[1],
            )
        except PapermillExecutionError as error:
            lines = _ANSI.sub("", "\n".join(error.traceback)).splitlines()
            return "\n".join([_purpose(source, error.source), *lines[-_SCREEN:]])
        except DeadKernelError:
            return f"its kernel died: {_ending(ThisPython.died)}; run again to go on"
        finally:
            for stream in streams:
                stream.close()
    return None


def _literal(path: Path) -> str:
    """A path that papermill takes as it is: in braces it would look for a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _ending(status: int | None) -> str:
    """How a kernel ended, from its exit status; the signal that ended it is below 0."""
    if status is None or status == -signal.SIGKILL:
        return "killed, or out of memory"
    ended = f"exit code {status}" if status >= 0 else signal.Signals(-status).name
    return f"{ended}, and its log may say why"


def _purpose(source: Path, failed: str) -> str:
    """The text above the failing cell."""
    text = ""
    for cell in notebook_file.load(source):
        if cell["cell_type"] == "markdown":
            text = " ".join(cell["source"].split())
        elif cell["source"] == failed:
            return f"in the cell after: {text[:200]}"
    return "in its parameters"
