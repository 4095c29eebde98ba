"""A notebook through papermill, with the kernel of this very environment and a log that can be read."""

import logging
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import papermill
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from lib.stage import notebook_file

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BAR = re.compile(r"\[\d+:\d\d(:\d\d)?[<,]")  # tqdm's meter: [00:03<00:09, or [00:03,
_SCREEN = 25  # lines of an error that are shown
_UNKNOWN = "Passed unknown parameter: "


def _told(record: logging.LogRecord) -> bool:
    """All but what papermill says of annotated parameters, which it cannot read: `lib.stage.parameters` has checked them."""
    return not record.getMessage().startswith(_UNKNOWN)


logging.getLogger("papermill").addFilter(_told)


class ThisPython(AsyncKernelManager):
    """Starts the kernel with the running interpreter, whatever kernels are registered on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
        return KernelSpec(argv=command, display_name="Python", language="python")


class Log:
    """A stream of a kernel as lines: of a progress bar's states, one every ``every`` seconds and the last.

    ``lines`` takes every line, ``progress`` those of progress bars alone.
    """

    def __init__(
        self,
        lines: IO[str],
        progress: Callable[[str], None],
        every: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._lines, self._progress, self._every, self._clock = lines, progress, every, clock
        self._rest, self._last = "", clock()

    def write(self, text: str) -> None:
        text = self._rest + _ANSI.sub("", text)
        held = "\r" if text.endswith("\r") else ""  # the \n of a \r\n may still come
        *whole, rest = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text.removesuffix("\r"))
        self._rest = rest + held
        for piece in whole:
            self._take(piece.rstrip("\r\n"), ends=piece.endswith("\n"))

    def _take(self, line: str, ends: bool) -> None:
        due = self._clock() - self._last >= self._every
        if not ends and not (due and line.strip()):
            return
        self._lines.write(f"{line}\n")
        if due and _BAR.search(line):
            self._last = self._clock()
            self._progress(line.strip())

    def flush(self) -> None:
        self._lines.flush()

    def close(self) -> None:
        """What the kernel left without an end of line."""
        if self._rest:
            self.write("\n")


def execute(
    source: Path, target: Path, log: Path, parameters: dict, folder: Path, say: Callable[[str], None]
) -> str | None:
    """Run a notebook; None, or what went wrong: the failing cell's aim and its error, on one screen.

    ``target`` is the notebook as executed, ``log`` takes what the kernel prints, ``folder`` is where it
    runs, and ``say`` is given the progress now and then.
    """
    with log.open("a", encoding="utf-8", buffering=1) as file:
        streams = Log(file, say), Log(file, say)
        try:
            papermill.execute_notebook(
                source,
                target,
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
            return "\n".join([_aim(source, error.source), *lines[-_SCREEN:]])
        except DeadKernelError:
            return "its kernel died: killed, or out of memory; run again to go on"
        except KeyboardInterrupt:
            return "stopped from the keyboard; run again to go on"
        finally:
            for stream in streams:
                stream.close()
    return None


def _aim(source: Path, failed: str) -> str:
    """What the failing cell was for: the words above it."""
    words = ""
    for cell in notebook_file.load(source):
        if cell["cell_type"] == "markdown":
            words = " ".join(cell["source"].split())
        elif cell["source"] == failed:
            return f"in the cell after: {words[:200]}"
    return "in its parameters"
