"""Known privacy faults of older versions: results that were made with one are marked, and the gate refuses them.

A stage that drew noise is not made again because code changed: noise drawn again is charged again. So a result can be
older than the mend of a fault that it has. Whoever mends a fault that makes a stated epsilon wrong adds an entry here.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lib.common import paths
from lib.common.errors import Reason
from lib.stage.finished import FinishedStage
from lib.stage.notebook_roles import current_name

Made = Mapping[str, object]  # parameters of a stage


@dataclass(frozen=True, slots=True)
class Advisory:
    """A privacy fault that was mended.

    Attributes:
        name: of the fault.
        what: was wrong, in a sentence without its full stop.
        notebook: whose stages had it.
        commit: that mended it, in full.
        mended: when, ISO 8601 in UTC: decides where the commit of a result is not known here.
        concerns: (parameters, machine) -> whether a stage with these had the fault. ``machine`` is that of its
            provenance.json.
    """

    name: str
    what: str
    notebook: str
    commit: str
    mended: str
    concerns: Callable[[Made, Mapping], bool]


def _drops(parameters: Made, machine: Mapping) -> bool:
    """Whether a training with privacy had dropout: of its adapters, or of a model that may have its own."""
    own = not str(parameters.get("model")).startswith("bundled:")
    adapters = dict(parameters.get("lora", {})).get("lora_dropout")
    return parameters.get("target_epsilon") is not None and (own or bool(adapters))


def _rounds(parameters: Made, machine: Mapping) -> bool:
    """Whether a training with privacy may have run in bfloat16, which ``auto`` takes where it is faster."""
    return parameters.get("target_epsilon") is not None and parameters.get("dtype") != "float32"


ADVISORIES = (
    Advisory(
        "dropout",
        "masks of dropout came from a public seed, so one unit more changed the gradients of others, and the "
        "sensitivity was above the clipping norm",
        "10_finetune_dp_lora",
        "78dc5345075e10fb7912c6fd49f09775d4505a64",
        "2026-11-25T10:16:35+00:00",
        _drops,
    ),
    Advisory(
        "bfloat16",
        "in bfloat16 the shapes of micro-batches depended on who else was there, so one unit more moved the gradients "
        "of others by rounding, up to a hundredth of the clipping norm",
        "10_finetune_dp_lora",
        "2998e277ccb7f8a63098c7fbf43d2c9c559a29e0",
        "2026-11-30T07:47:44+00:00",
        _rounds,
    ),
)


def of(stage: FinishedStage) -> list[Reason]:
    """The known faults that a finished stage was made with; empty when there is none.

    Args:
        stage: its parameters, provenance and the time at which it was finished decide.
    """
    made = stage.read("provenance.json") if stage.has("provenance.json") else {}
    return [
        Reason("privacy.known_fault", f"{stage.id} was made before a fault was mended ({fault.name}): {fault.what}")
        for fault in ADVISORIES
        if current_name(stage.notebook) == fault.notebook
        and fault.concerns(stage.parameters, made.get("machine", {}))
        and not _mended(fault, made.get("commit"), stage.done.get("finished"))
    ]


def _mended(fault: Advisory, commit: str | None, finished: str | None) -> bool:
    """Whether the code of a commit has the mend; where git cannot tell, whether the stage was finished after it."""
    if commit is not None:
        git = ["git", "-C", str(paths.ROOT), "merge-base", "--is-ancestor", fault.commit, commit]
        try:
            answer = subprocess.run(git, capture_output=True).returncode
        except OSError:  # no git
            answer = None
        if answer in (0, 1):
            return answer == 0
    return finished is not None and datetime.fromisoformat(finished) >= datetime.fromisoformat(fault.mended)
