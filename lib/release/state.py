"""Whether a stage and all that it was made of are whole, up to date, and as their notebooks left them."""

from collections.abc import Iterator
from pathlib import Path

from lib import signature
from lib.errors import DoppelError
from lib.files import sha256

Fault = tuple[str, str, str]  # case, what is wrong, what to do


def lineage(run: Path, stage: str) -> dict[str, dict]:
    """done.json of the stage and of all that it was made of, itself last. Raises DoppelError where one is not done."""
    found: dict[str, dict] = {}

    def visit(name: str) -> None:
        if name in found:
            return
        done = signature.read_done(run / name)
        if done is None:
            raise DoppelError(f"{name} is not done in {run.name}")
        for upstream in done["made_from"]["inputs"]:
            visit(upstream)
        found[name] = done

    visit(stage)
    return found


def faults(run: Path, stage: str) -> list[Fault]:
    """Why the folders of a stage and its ancestors cannot be relied on; empty when they can.

    ``run`` is ``results/<run>`` inside the project whose notebooks and lib made it.
    """
    again = f"run ./run_all.sh PRESET --run {run.name} --only {stage}"
    try:
        made = lineage(run, stage)
    except DoppelError as error:
        return [("not done", str(error), again)]
    return [fault for name, done in made.items() for fault in _faults(run, name, done, again)]


def outdated(run: Path, stage: str) -> str | None:
    """Why what a stage measured is not of its inputs as they are now, or None; newer code alone makes it no other."""
    try:
        made = lineage(run, stage)
    except DoppelError as error:
        return str(error)
    for name, done in made.items():
        if done.get("edited") or list(tampered(run / name, done)):
            return f"{name} was edited by hand, or changed since it was done"
        if changed := [up for up, digest in done["made_from"]["inputs"].items() if made[up]["digest"] != digest]:
            return f"{name} was made of an earlier run of {changed[0]}"
    return None


def _faults(run: Path, stage: str, done: dict, again: str) -> Iterator[Fault]:
    if note := done.get("edited"):
        yield "edited by hand", f"{stage}: {note}", again
    if reason := _stale(run, stage, done):
        commit = "or check out the code that made it (provenance.json names the commit)"
        yield "stale", f"{stage}: {reason}", f"{again} (training or voting again spends budget), {commit}"
    if changed := list(tampered(run / stage, done)):
        yield "tampered", f"{stage}: changed since its notebook wrote it: {', '.join(changed[:5])}", again


def _stale(run: Path, stage: str, done: dict) -> str | None:
    """Why the stage would run again with the parameters that it had."""
    root, notebook = run.resolve().parents[1], stage.partition(".")[0]
    if not (root / "notebooks" / f"{notebook}.ipynb").is_file():
        return f"its notebook {notebook} is not in this project"
    made = signature.made_from(root, notebook, done["made_from"]["parameters"])
    reason = signature.why_stale(run.resolve(), stage, made, done["made_from"]["inputs"])
    told = reason is not None and (reason == done.get("edited") or reason.startswith("its output"))
    return None if told else reason


def tampered(folder: Path, done: dict) -> Iterator[str]:
    """Outputs that are missing or have another content; done.json itself against its own digest."""
    if signature.digest(done["outputs"]) != done["digest"]:
        yield signature.DONE
    for name, file in done["outputs"].items():
        path = folder / name
        if name.split("/")[0] not in signature.NOT_COMPARED and not (path.is_file() and sha256(path) == file["sha256"]):
            yield name
