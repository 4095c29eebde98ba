"""Whether finished stages can be relied on: whole, unchanged since, made from what is there now."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lib.common.errors import DoppelError, Reason
from lib.common.files import sha256
from lib.stage import fingerprint
from lib.stage.finished import FinishedStage, ancestry, why_stale


class Fault(NamedTuple):
    """Why a stage's folder cannot be relied on.

    Args:
        case: one of ``edited by hand``, ``stale``, ``tampered``; code decides on it.
        reason: what is wrong.
        remedy: what to do.
    """

    case: str
    reason: Reason
    remedy: str


def faults(stages: Mapping[str, FinishedStage]) -> list[Fault]:
    """Why the folders of a stage and its ancestors cannot be relied on; empty when they can.

    Code that changed since is no fault: the certificate names the code that ran.

    Args:
        stages: of `ancestry`, inside the project whose notebooks and lib made them.
    """
    last = list(stages)[-1]
    again = f"run ./run_all.sh PRESET --run {stages[last].folder.parent.name} --only {last}"
    return [fault for stage in stages.values() for fault in _faults(stage, again)]


def outdated(run: Path, stage: str) -> Reason | None:
    """Why what a stage measured is not of its inputs as they are now, or None; newer code alone makes it no other.

    Args:
        run: ``results/RUN``.
        stage: its id.
    """
    try:
        stages = ancestry(run, stage)
    except DoppelError as error:
        return Reason(error.code, str(error))
    for name, one in stages.items():
        if one.done.get("edited") or list(tampered(one)):
            return Reason("stage.tampered", f"{name} was edited by hand, or changed since it was done")
        if changed := [source for source, digest in one.sources.items() if stages[source].digest != digest]:
            return Reason("stage.made_from_another", f"{name} was made from an earlier run of {changed[0]}")
    return None


def older(stage: FinishedStage) -> str | None:
    """That a stage was made by an older version and is kept, in a sentence; None where it is of the code as it is.

    Args:
        stage: inside the project whose code is compared.
    """
    reason = stage.older_version
    if reason is None or not fingerprint.is_kept(stage.folder, reason):
        return None
    return version_note(stage.id, stage.commit, reason)


def version_note(stage: str, commit: str | None, reason: Reason) -> str:
    """That a stage was made by an older version, as the end table, a dry run and the report show it.

    Args:
        stage: its id.
        commit: of the code that made it, if known.
        reason: what changed since.
    """
    version = f"an older version (commit {commit[:10]})" if commit else "an older version"
    return f"{stage} was made by {version}: {reason}; kept, for noise drawn again is charged again"


def _faults(stage: FinishedStage, again: str) -> Iterator[Fault]:
    if note := stage.done.get("edited"):
        yield Fault("edited by hand", Reason("stage.edited_by_hand", f"{stage.id}: {note}"), again)
    reason = why_stale(stage)
    if reason is not None and reason.code not in (*fingerprint.CODE, "stage.output_missing"):  # told as tampered
        spends = f"{again} (training or voting again spends budget)"
        yield Fault("stale", Reason(reason.code, f"{stage.id}: {reason}"), spends)
    if changed := list(tampered(stage)):
        sentence = f"{stage.id}: changed since its notebook wrote it: {', '.join(changed[:5])}"
        yield Fault("tampered", Reason("stage.output_changed", sentence), again)


def tampered(stage: FinishedStage) -> Iterator[str]:
    """Outputs that are missing or have another content; done.json itself against its own digest.

    Args:
        stage: whose files are hashed again.
    """
    if fingerprint.digest(stage.outputs) != stage.digest:
        yield fingerprint.DONE
    for name, file in stage.outputs.items():
        path = stage.folder / name
        compared = name.split("/")[0] not in fingerprint.NOT_COMPARED
        if compared and not (path.is_file() and sha256(path) == file["sha256"]):
            yield name
