"""Runs one stage of a chain in a process of its own.

Called by the Snakefile: ``python -m lib.pipeline.run_stage RUN STAGE THREADS PARENT``. Exit code 0 means that the
stage's done.json is there and fits the chain.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lib.common import paths, system
from lib.common.errors import DoppelError
from lib.common.files import read_json
from lib.common.lock import hold
from lib.pipeline import cards
from lib.stage import fingerprint, redaction
from lib.stage import parameters as params
from lib.stage.stage import RUNNER

_DIED = "the process died without an error message: killed, or out of memory; run again to go on"
_SCREEN = 25  # lines of an unexpected error that are shown


def main(run: str, stage: str, threads: str, parent: str) -> int:
    """Run one stage.

    Args:
        run: the folder in results/.
        stage: its id.
        threads: for the kernel's libraries, a whole number.
        parent: process id with which this process ends.

    Returns:
        0 where the stage is done, 1 where it failed; why stands in ``.chain/STAGE.failed``.
    """
    _end_with(int(parent))
    folder = paths.ROOT / "results" / run / stage
    node = read_json(folder.parent / "chain.json")["stages"][stage]
    say = _speaker(stage)
    log = (folder / "log.txt").relative_to(paths.ROOT)
    trouble = folder.parent / ".chain" / f"{stage}.failed"
    redaction.install()
    system.ensure_home(paths.HOME)
    began = time.monotonic()
    try:
        with system.refusals(folder):
            trouble.write_text(f"{_DIED}\nlog: {log}")
            problem = _bring_up_to_date(folder, node, threads, say)
    except DoppelError as error:
        problem = str(error)
    except KeyboardInterrupt:
        problem = "stopped from the keyboard; run again to go on"
    except Exception as error:  # of papermill, Jupyter or our own
        problem = "\n".join(redaction.rendered(error)[-_SCREEN:])
    trouble.unlink(missing_ok=True)
    if not problem:
        return 0
    say(f"failed after {time.monotonic() - began:.0f} s")
    try:
        trouble.write_text(f"{problem}\nlog: {log}", "utf-8")
    except OSError:  # a full disk, say: what is in the file now is not the whole
        say(problem)
    return 1


def _bring_up_to_date(folder: Path, node: dict, threads: str, say: Callable[[str], None]) -> str | None:
    """Run the stage unless its inputs turned out to be what they were; what went wrong, or None."""
    source = paths.ROOT / "notebooks" / f"{node['notebook']}.ipynb"
    # the parameters are those of the start of the chain; code that was edited since counts as it is now
    parameters = params.check(params.read_spec(source), node["parameters"], source.name)
    made = fingerprint.made_from(paths.ROOT, node["notebook"], parameters)
    reason = fingerprint.why_stale(folder.parent, folder.name, made, node["inputs"])
    if reason is None or fingerprint.is_kept(folder, reason):
        say("up to date: its inputs are what they were" if reason is None else f"kept ({reason})")
        return None
    taken = cards.take(node["gpu"])  # closed when this process ends
    say(f"starts ({reason}){f' on card {os.environ[cards.VISIBLE]}' if taken else ''}")
    began = time.monotonic()
    problem = _execute(source, folder, parameters, threads, say) or _unfit(folder, made)
    if problem is None:
        say(f"done in {time.monotonic() - began:.0f} s")
    else:
        (folder / fingerprint.DONE).unlink(missing_ok=True)
    return problem


def _end_with(parent: int) -> None:
    """End this process soon after its parent, and its kernel with it (ipykernel watches over its own parent).

    Else ``kill -9`` of the front door would leave a kernel that writes into a folder while the next run does.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _speaker(stage: str) -> Callable[[str], None]:
    """Prints a line with time and stage at the terminal, wherever standard output goes later."""
    terminal = os.fdopen(os.dup(1), "w", buffering=1)
    return lambda text: print(f"{time.strftime('%H:%M:%S')}  {stage}  {text}", file=terminal)


def _execute(
    source: Path, folder: Path, parameters: dict[str, object], threads: str, say: Callable[[str], None]
) -> str | None:
    """Run the stage's notebook, alone in its folder; what went wrong, or None."""
    log = folder / "log.txt"
    with hold(folder / ".runner.lock", f"stage {folder.name} of run {folder.parent.name}", patience=20):
        (folder / fingerprint.DONE).unlink(missing_ok=True)
        log.write_text("")
        with log.open("a") as stream:  # what C libraries and a dying kernel print belongs in the log as well
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        os.environ.setdefault("OMP_NUM_THREADS", threads)
        # glibc gives buffers of some MB back and asks for them again, zeroed, at every operation: keeping them halved
        # the time spent in the system, and made a training step about a tenth faster; larger ones still go back
        os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**25))
        os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**28))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(paths.ROOT), os.environ.get("PYTHONPATH")]))
        os.environ[RUNNER] = folder.name
        # jsonschema would import it to check addresses, and it compiles a grammar for 2 s: no notebook's schema asks
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
        from lib.pipeline.execute_notebook import execute  # slow to import, and a stage that is up to date needs none

        return execute(source, folder / "notebook.ipynb", log, parameters, paths.ROOT, say)


def _unfit(folder: Path, made: dict) -> str | None:
    """Why the done.json of a notebook that ran to its end does not count, or None."""
    done = fingerprint.read_done(folder)
    if done is None:
        return "its notebook ended without stage.finish(...), which belongs in the last cell"
    if done["signature"] != fingerprint.signature(made) and not fingerprint.drew_noise(folder):  # else marked as older
        return "its notebook or lib changed while it started; run again"
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
